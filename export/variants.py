"""The one table of variants: what can be made of a model. Everything else reads it from here."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edge_runtime.errors import UsageError
from edge_runtime.spec import Format, Precision


@dataclass(frozen=True)
class Variant:
    """One kind of file that can be made of a model."""

    format: Format
    precision: Precision
    summary: str  # for a person who chooses

    @property
    def name(self) -> str:
        """What follows the model's name in the file's name, for example `int8.tflite`."""
        return f"{self.precision}.{self.format}"

    @property
    def needs_calibration(self) -> bool:
        """Integer activations need pictures that show their ranges."""
        return self.precision in ("int8", "int16x8")


VARIANTS: Final = (
    Variant("tflite", "float32", "as trained; the yardstick for the others"),
    Variant("tflite", "float16", "weights as 16-bit floats: half the size, the same answers"),
    Variant("tflite", "dynamic", "weights as 8-bit integers, arithmetic mixed: a quarter the size"),
    Variant("tflite", "int8", "all 8-bit integers; raw pixels go in: for small devices"),
    Variant("onnx", "float32", "as trained, for ONNX Runtime"),
    Variant("onnx", "int8", "8-bit integers, per channel, for ONNX Runtime"),
)


def select(terms: Sequence[str]) -> tuple[Variant, ...]:
    """The variants that any of the terms means, in the table's order; all where there are none.

    Args:
        terms: names (`int8.tflite`), precisions (`int8`) or formats (`tflite`).

    Raises:
        UsageError: a term means no variant.
    """
    meanings = {
        term: tuple(variant for variant in VARIANTS if term in _terms(variant)) for term in terms
    }
    for term, meant in meanings.items():
        if not meant:
            raise UsageError(f"there is no variant {term!r}; {_suggestion(term)}")
    chosen = {variant for meant in meanings.values() for variant in meant}
    return tuple(variant for variant in VARIANTS if variant in chosen or not terms)


def _terms(variant: Variant) -> tuple[str, str, str]:
    return variant.name, variant.precision, variant.format


def _suggestion(term: str) -> str:
    known = list(dict.fromkeys(word for variant in VARIANTS for word in _terms(variant)))
    close = difflib.get_close_matches(term, known, n=1)
    meant = f"did you mean {close[0]!r}? " if close else ""
    return f"{meant}Choose from {', '.join(variant.name for variant in VARIANTS)}"
