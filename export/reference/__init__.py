"""The shipped reference models, smallest first: `nano`, `small` and `base`.

Each is a run directory like any other: a Fashion-MNIST classifier, its calibration pictures and
1,000 evaluation pictures, and beside them its int8 file, but for `small`, whose integer files are
inside `edge_runtime`. `python -m export.reference NAME RUN EXPORTED` fills one. `teacher`, which they
learn from, is a model and its `train.json` only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from edge_runtime import models

MODELS: Final = ("nano", "small", "base")
DEFAULT: Final = "small"
FILES: Final = "fashion-mnist"  # what the files of an export without a model are called


def folder(name: str) -> Path:
    """The run directory of a reference model."""
    return Path(__file__).parent / name


def int8(name: str) -> Path:
    """The int8 `.tflite` of a reference model."""
    return (models.FOLDER if name == DEFAULT else folder(name)) / f"{FILES}.int8.tflite"
