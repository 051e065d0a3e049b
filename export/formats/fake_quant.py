"""Models that were trained with rounding in them: they bring their own ranges.

docs/decisions/0005 says what `python -m train --quantize` saves; any Keras model with the same
operations is understood.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from export.formats.layers import Layer

_OPERATION: Final = "FakeQuantWithMinMaxVars"


def is_fake_quantized(model: Any) -> bool:
    """Whether a Keras model, or one inside it, rounds its values by operations of its own."""
    return any(
        type(operation).__name__ == _OPERATION or is_fake_quantized(operation)
        for parts in ("operations", "layers")  # of functional models, and of all others
        for operation in getattr(model, parts, ())
    )


@dataclass(frozen=True, eq=False)
class Trained:
    """An int8 model whose ranges training chose: nothing may move them afterwards."""

    model: bytes
    calibrated = False

    def quantize(self, kept_float: Collection[str] = ()) -> bytes:  # noqa: ARG002
        """See `export.formats.Quantizer.quantize`."""
        return self.model

    def layers(self) -> tuple[Layer, ...]:
        """See `export.formats.Quantizer.layers`; training has seen to all of them."""
        return ()
