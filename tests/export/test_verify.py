"""Which pictures judge a file, and the float32 files of two formats against each other."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.errors import ModelError
from edge_runtime.parity import compare
from edge_runtime.spec import ImageInput, ModelSpec
from export import Limits, VariantReport, export
from export.cli import main
from export.variants import select
from export.verify import SLOW_PICTURES, STRANGER, Answers, ask, judging, without_strangers

REFERENCE = np.random.default_rng(0).dirichlet(np.ones(4), 300).astype(np.float32)


def said(shift: float) -> Answers:
    """A file that is `shift` off for one probability of one picture."""
    scores = REFERENCE.copy()
    scores[7, 2] += np.float32(shift)
    return Answers(compare(REFERENCE, scores), scores, np.arange(len(scores)))


def made(name: str, answers: Answers, **changed: Any) -> VariantReport:
    report = VariantReport(
        name, "tflite", "float32", published=True, parity=answers.parity, sha256="0" * 64
    )
    return replace(report, **changed)


def test_of_two_float_files_that_differ_the_one_further_from_keras_goes() -> None:
    answers = {"it.tflite": said(1e-6), "it.onnx": said(3e-4)}
    files = tuple(made(name, each) for name, each in answers.items())
    near, far = without_strangers(files, answers)
    assert near.published
    assert not far.published
    assert far.sha256 is None
    assert far.problems == ("a probability differs by 0.0003 from it.tflite's, more than 0.0001",)


@pytest.mark.parametrize("shift", [0.0, 0.9 * STRANGER])
def test_rounding_is_no_reason(shift: float) -> None:
    answers = {"it.tflite": said(0), "it.onnx": said(shift)}
    files = tuple(made(name, each) for name, each in answers.items())
    assert without_strangers(files, answers) == files


def test_only_published_float_files_are_compared() -> None:
    answers = {"it.tflite": said(0), "it.onnx": said(0.5)}
    first = made("it.tflite", answers["it.tflite"])
    for other in ({"published": False}, {"precision": "int8"}):
        files = (first, made("it.onnx", answers["it.onnx"], **other))
        assert without_strangers(files, answers) == files


def test_slow_files_are_judged_by_a_fixed_draw_and_others_by_all() -> None:
    assert judging(5000, slow=False).tolist() == [*range(5000)]
    assert judging(700, slow=True).tolist() == [*range(700)]
    drawn = judging(5000, slow=True)
    assert len(set(drawn.tolist())) == len(drawn) == SLOW_PICTURES
    assert np.array_equal(drawn, np.sort(drawn))
    assert np.array_equal(drawn, judging(5000, slow=True))


class Moody:
    """Answers otherwise when it is asked about one picture."""

    spec = ModelSpec("it", tuple("abcd"), ImageInput(2, 2, "gray", (0.0,), (255.0,)), "logits")

    def scores(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.roll(REFERENCE[: len(pixels)], int(len(pixels) == 1), axis=1)


def test_a_file_that_answers_otherwise_about_a_picture_alone_is_refused() -> None:
    pixels = np.zeros((300, 2, 2, 1), np.uint8)
    with pytest.raises(ModelError, match="a picture alone gets other scores than among others"):
        ask(Moody(), pixels, None, REFERENCE)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_slow_file_says_by_how_many_pictures_it_was_judged(
    trained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main([str(trained), "--out", str(out), "--only", "int16x8"]) == 0
    (entry,) = json.loads((out / "export.json").read_text())["variants"]
    assert entry["parity"]["images"] == SLOW_PICTURES
    expected = f"Note: halves.int16x8.tflite is judged by {SLOW_PICTURES:,} of the 2,000 pictures"
    assert expected in capfd.readouterr().out
    assert main(["verify", str(out)]) == 0
    assert "as it was" in capfd.readouterr().out


@pytest.mark.slow
def test_a_model_that_magnifies_rounding_fails_the_check_across_formats(
    tmp_path: Path, pictures: Callable[..., Any]
) -> None:
    import keras

    # Engines add in different orders: the sine makes a large difference of the last digit.
    image = keras.Input((8, 8, 1))
    dense = keras.layers.Dense(4, use_bias=False)
    model = keras.Model(image, keras.ops.sin(1e5 * dense(keras.layers.Flatten()(image))))
    dense.set_weights([np.random.default_rng(0).normal(0, 1, (64, 4))])
    spec = ModelSpec("it", tuple("abcd"), ImageInput(8, 8, "gray", (0.0,), (255.0,)), "logits")
    report = export(
        model, spec, out=tmp_path / "out", evaluation=pictures(300, seed=1)[0],
        variants=select(["float32"]), limits=Limits(min_agreement=0),
    )  # fmt: skip
    kept, left_out = sorted(report.variants, key=lambda each: not each.published)
    assert kept.published
    (problem,) = left_out.problems
    assert problem.startswith("a probability differs by 0.")
    assert problem.endswith(f"from {kept.file}'s, more than 0.0001")
    assert [path.name for path in (tmp_path / "out").glob("it.*")] == [kept.file]
