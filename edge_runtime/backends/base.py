"""What every engine is to the rest of the runtime: pixels in, scores out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from edge_runtime.errors import ModelError
from edge_runtime.spec import Format, ImageInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The packages that can run each format, in order of preference.
ENGINES: Final[dict[Format, tuple[str, ...]]] = {
    "tflite": ("ai_edge_litert", "tflite_runtime"),
    "onnx": ("onnxruntime",),
}


class Backend(Protocol):
    """A loaded model. Normalisation and quantization stay inside."""

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Scores of a batch.

        Args:
            pixels: uint8 0..255, shape (n, height, width, channels), RGB or grey.

        Returns:
            float32 in real units, shape (n, classes).
        """
        ...


class IntegerBackend(Backend, Protocol):
    """A loaded model that may have integers to give, which are quicker to name than real scores."""

    unit: float | None  # what a step of the 8-bit output is worth; None where it has another type

    def raw(self, pixels: NDArray[np.uint8]) -> NDArray[np.int8 | np.uint8]:
        """The output tensor's values for a batch.

        Args:
            pixels: as for `run`.

        Returns:
            Shape (n, classes): scores in steps of `unit`, shifted by a zero point.
        """
        ...


def require_shape(shape: tuple[int, ...], image: ImageInput) -> None:
    """Refuse a model whose input tensor is not what its spec says.

    Args:
        shape: the tensor's shape without the batch, (height, width, channels).
        image: the spec's picture contract.
    """
    expected = (image.height, image.width, image.channels)
    if shape != expected:
        raise ModelError(
            f"the model takes (height, width, channels) = {shape}, its spec says {expected}; "
            "export it again"
        )
