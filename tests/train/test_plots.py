"""The plots, looked at through matplotlib's own objects and as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from train import plots
from train.evaluate import evaluate

pytestmark = pytest.mark.slow

LABELS = ("hat", "shoe", "$ock$")
RANDOM = np.random.default_rng(3)


def pictures(count: int, channels: int = 1) -> np.ndarray:
    return RANDOM.integers(0, 256, (count, 8, 6, channels), np.uint8)


def test_samples_are_named_in_a_grid() -> None:
    figure = plots.samples(pictures(25), np.arange(25) % 3, LABELS)
    assert [axes.get_xlabel() for axes in figure.axes[:4]] == ["hat", "shoe", "$ock$", "hat"]
    assert len(figure.axes) == 25


def test_fewer_pictures_leave_no_empty_frames() -> None:
    assert len(plots.samples(pictures(7, channels=3), np.zeros(7, int), LABELS).axes) == 7


def test_right_is_blue_and_wrong_is_red_with_per_cent_and_true_name() -> None:
    scores = np.array([[0.75, 0.2, 0.05], [0.1, 0.62, 0.28]], np.float32)
    figure = plots.predictions(pictures(2), scores, np.array([0, 2]), LABELS)
    right, right_bars, wrong, wrong_bars = figure.axes

    assert right.get_xlabel() == "hat 75% (hat)"
    assert right.xaxis.label.get_color() == plots.RIGHT
    assert wrong.get_xlabel() == "shoe 62% ($ock$)"
    assert wrong.xaxis.label.get_color() == plots.WRONG
    colours = [
        [to_hex(bar.get_facecolor()).upper() for bar in axes.patches]
        for axes in (right_bars, wrong_bars)
    ]
    assert colours == [
        [plots.RIGHT, plots.OTHER, plots.OTHER],
        [plots.OTHER, plots.WRONG, plots.RIGHT],
    ]
    assert [bar.get_width() for bar in wrong_bars.patches] == pytest.approx([0.1, 0.62, 0.28])


def test_learning_curves_show_training_validation_and_the_kept_epoch() -> None:
    curve = [0.5, 0.3, 0.2]
    names = ("loss", "accuracy", "validation_loss", "validation_accuracy")
    loss, accuracy = plots.learning_curves(dict.fromkeys(names, curve), kept_epoch=2).axes
    for axes in (loss, accuracy):
        assert [line.get_label() for line in axes.lines] == ["training", "validation", "kept epoch"]
        assert list(axes.lines[2].get_xdata()) == [2, 2]


def test_every_figure_becomes_a_png(tmp_path: Path) -> None:
    scores = np.eye(3, dtype=np.float32)[[0, 1, 2, 2]]
    actual = np.array([0, 1, 2, 1])
    with plots.style():
        figures = (
            plots.samples(pictures(4), actual, LABELS),
            plots.predictions(pictures(4), scores, actual, LABELS),
            plots.confusion(evaluate(scores, actual, LABELS)),
        )
        for index, figure in enumerate(figures):
            path = tmp_path / f"{index}.png"
            figure.savefig(path)
            with Image.open(path) as image:
                assert min(image.size) > 200
                assert len(image.convert("L").getcolors() or ()) > 10  # something is drawn


def test_a_confusion_matrix_of_many_classes_stays_a_picture_that_can_be_opened() -> None:
    labels = tuple(map(str, range(200)))
    figure = plots.confusion(evaluate(np.eye(200, dtype=np.float32), np.arange(200), labels))
    assert max(figure.get_size_inches()) <= 24
    assert not figure.axes[0].texts
