"""Tiny real models with the pictures they were made for: which half of an 8 x 8 picture is bright."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.settings import Settings
from edge_runtime import Classifier

MODELS = Path(__file__).parents[1] / "models"
PICTURES = 200


def halves() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pictures (n, 8, 8, 1) with a bright top, bottom, left or right half, sorted by class."""
    labels = np.repeat(np.arange(4), PICTURES // 4)
    images = np.random.default_rng(0).integers(0, 90, (PICTURES, 8, 8, 1), np.uint8)
    bright = (np.s_[:4, :], np.s_[4:, :], np.s_[:, :4], np.s_[:, 4:])
    for image, label in zip(images, labels, strict=True):
        image[bright[label]] += 160
    return images, labels


@pytest.fixture
def quick() -> Settings:
    """Enough to see every figure, and over in a moment."""
    return Settings(rounds=2, blocks=1, seconds=0.01, processes=1, peak_seconds=0)


@pytest.fixture
def untimed() -> Settings:
    """Accuracy and size only."""
    return Settings(timing=False)


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """A function that makes a folder of model files and, unless told not to, an evaluation set."""

    def make(*variants: str, **arrays: NDArray[np.generic] | None) -> Path:
        home = tmp_path / "exported"
        home.mkdir()
        for variant in variants:
            shutil.copy(MODELS / f"halves.{variant}", home)
        images, labels = halves()
        scores = Classifier.open(MODELS / "halves.float32.onnx").scores(images)
        kept = {"images": images, "labels": labels, "scores": scores, **arrays}
        if kept["images"] is not None:
            known = {name: array for name, array in kept.items() if array is not None}
            np.savez(home / "evaluation.npz", **known)
        return home

    return make
