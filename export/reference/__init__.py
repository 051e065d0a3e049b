"""The shipped reference model: what `python -m export` exports when no model is named.

A run directory like any other: a small Fashion-MNIST classifier, its calibration pictures and
1,000 evaluation pictures. `python -m export.reference RUN EXPORTED` fills it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
NAME: Final = "fashion-mnist"  # what its files are called
