"""The pictures of a training run: samples, predictions, learning curves, confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from train.evaluate import Evaluation

# The blue and the red differ in brightness too, for readers who cannot tell colours apart.
RIGHT, WRONG, OTHER, INK = "#1F66B0", "#D7263D", "#B5B5B5", "#333333"

_LARGEST: Final = 24  # inches to a side; of more classes, shades must do

_STYLE: Final[dict[Any, Any]] = {
    "axes.edgecolor": "#999999",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.titlesize": 11,
    "figure.constrained_layout.use": True,
    "figure.titlesize": 13,
    "font.size": 9,
    "savefig.bbox": "tight",
    "savefig.dpi": 120,
    "savefig.pad_inches": 0.15,
    "text.color": INK,
    "text.parse_math": False,  # a class may be called "$100"
    "xtick.color": INK,
    "ytick.color": INK,
}


def style() -> AbstractContextManager[None]:
    """How all figures here look; draw and save them inside."""
    return mpl.rc_context(_STYLE)


def samples(images: NDArray[np.uint8], actual: NDArray[np.int64], labels: Sequence[str]) -> Figure:
    """The first 25 pictures in a 5 x 5 grid, each with its class below.

    Args:
        images: uint8 0..255, shape (n, height, width, channels).
        actual: their classes, shape (n,).
        labels: the name of each class.
    """
    figure = Figure(figsize=(7.5, 8.2))
    figure.suptitle("Training pictures")
    for axes, image, index in zip(figure.subplots(5, 5).flat, images, actual, strict=False):
        _picture(axes, image)
        axes.set_xlabel(labels[index])
    _remove_empty(figure)
    return figure


def predictions(
    images: NDArray[np.uint8],
    scores: NDArray[np.float32],
    actual: NDArray[np.int64],
    labels: Sequence[str],
) -> Figure:
    """The first 15 pictures, each beside bars of what the model makes of it.

    Below each picture stand the predicted class, its probability and, in brackets, the true
    class: blue where they are the same, red where they are not.

    Args:
        images: uint8 0..255, shape (n, height, width, channels).
        scores: probabilities, shape (n, classes).
        actual: the true classes, shape (n,).
        labels: the name of each class.
    """
    figure = Figure(figsize=(12.5, 11))
    figure.suptitle("Predictions on test pictures: blue is right, red is wrong")
    grid = figure.subplots(5, 6, width_ratios=[1, 0.8] * 3).reshape(-1, 2)
    for (left, right), image, row, truth in zip(grid, images, scores, actual, strict=False):
        best = int(row.argmax())
        _picture(left, image)
        left.set_xlabel(
            f"{labels[best]} {row[best]:.0%} ({labels[truth]})",
            color=RIGHT if best == truth else WRONG,
            fontsize=10,
        )
        _bars(right, row, best, int(truth), labels)
    _remove_empty(figure)
    return figure


def learning_curves(curves: Mapping[str, Sequence[float]], kept_epoch: int) -> Figure:
    """Loss and accuracy by epoch, for training and validation.

    Args:
        curves: "loss", "accuracy" and, with "validation_" before them, those of validation.
        kept_epoch: the epoch whose weights were kept, from 1.
    """
    figure = Figure(figsize=(9, 3.8))
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        epochs = range(1, len(curves[name]) + 1)
        dots = {"marker": "o", "markersize": 4}
        axes.plot(epochs, curves[name], color=OTHER, label="training", **dots)
        axes.plot(epochs, curves[f"validation_{name}"], color=RIGHT, label="validation", **dots)
        axes.axvline(kept_epoch, color=WRONG, linewidth=1.2, linestyle=":", label="kept epoch")
        axes.set(title=name.capitalize(), xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(color="#EEEEEE")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    return figure


def confusion(evaluation: Evaluation) -> Figure:
    """Which class is taken for which: a row per true class, in per cent of its pictures."""
    matrix, labels = evaluation.matrix, evaluation.labels
    shares = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    wanted = 2.5 + 0.55 * len(labels)
    size = min(wanted, _LARGEST)
    figure = Figure(figsize=(size, size))
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 100))  # mistakes are small shares
    places = range(len(labels))
    points = 9 * size / wanted
    axes.set_xticks(
        places, labels, rotation=45, ha="right", rotation_mode="anchor", fontsize=points
    )
    axes.set_yticks(places, labels, fontsize=points)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.set_title(f"Test accuracy {evaluation.accuracy:.2%}; per cent of each true class")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for row, column in np.argwhere(matrix) if size == wanted else ():
        share = shares[row, column]
        colour = "white" if share > 40 else INK
        axes.text(column, row, f"{share:.1f}", ha="center", va="center", color=colour)
    return figure


def _picture(axes: Any, image: NDArray[np.uint8]) -> None:
    axes.imshow(image.squeeze(), cmap="gray_r", vmin=0, vmax=255)
    axes.set(xticks=[], yticks=[])


def _bars(
    axes: Any, row: NDArray[np.float32], best: int, truth: int, labels: Sequence[str]
) -> None:
    colours = [OTHER] * len(row)
    colours[best] = WRONG
    colours[truth] = RIGHT
    axes.barh(range(len(row)), row, color=colours)
    axes.set(xlim=(0, 1), xticks=[])
    axes.set_yticks(range(len(row)), labels, fontsize=7)
    axes.invert_yaxis()
    axes.tick_params(length=0)
    axes.spines[["top", "bottom", "right"]].set_visible(False)


def _remove_empty(figure: Figure) -> None:
    """Take away the cells of a grid for which there was no picture."""
    for axes in figure.axes:
        if not axes.has_data():
            axes.remove()
