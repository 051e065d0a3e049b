"""What every engine is to the rest of the runtime: pixels in, scores out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, get_args

import numpy as np

from edge_runtime import engines
from edge_runtime.engines import Engine
from edge_runtime.errors import ModelError
from edge_runtime.modelfile.tensors import EXPORTED, Arrangement
from edge_runtime.spec import Format, ImageInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The packages that can run each format, in order of preference, by the names they are imported by.
# TensorFlow is left out: who measures engines compares them with it.
ENGINES: Final[dict[Format, tuple[str, ...]]] = {
    form: tuple(
        package.module.partition(".")[0]
        for engine, package in engines.ENGINES.items()
        if package.format == form and engine != "tensorflow"
    )
    for form in get_args(Format)
}


class Backend(Protocol):
    """A loaded model. Normalisation and quantization stay inside."""

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Scores of a batch.

        Args:
            pixels: uint8 0..255, shape (n, height, width, channels), RGB or grey.

        Returns:
            float32 in real units, shape (n, classes).

        Raises:
            EngineError: the engine fails on it.
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


class LoadedModel(Backend, Protocol):
    """A model in an engine of this package."""

    engine: Engine
    classes: int | None  # scores a picture; None where only a run tells


def input_shape(image: ImageInput, arrangement: Arrangement, rank: int) -> tuple[int, ...]:
    """The shape of one picture in the input tensor; `rank` is the tensor's, with the batch."""
    if rank == 3 and image.channels == 1:
        return image.height, image.width
    if arrangement.layout == "nchw":
        return image.channels, image.height, image.width
    return image.height, image.width, image.channels


def require_shape(
    shape: Sequence[Any], image: ImageInput, arrangement: Arrangement = EXPORTED
) -> tuple[int, ...]:
    """Refuse a model whose input tensor is not what its spec says.

    Args:
        shape: the tensor's shape, with the batch; what is no number there is free.
        image: the spec's picture contract.
        arrangement: how pixels lie in it.

    Returns:
        The shape of one picture in it.
    """
    expected = input_shape(image, arrangement, len(shape))
    fitting = len(shape) == len(expected) + 1 and all(
        not isinstance(size, int) or size == wanted
        for size, wanted in zip(shape[1:], expected, strict=True)
    )
    if not fitting:
        raise ModelError(
            f"the model takes pictures of shape {tuple(shape[1:])}, its spec says {expected}; "
            "export it again"
        )
    return expected


def arranger(
    arrangement: Arrangement, shape: tuple[int, ...]
) -> Callable[[NDArray[Any]], NDArray[Any]] | None:
    """What lays values of shape (n, height, width, channels) out as the tensor wants them.

    None where they lie so already.
    """
    if arrangement == EXPORTED and len(shape) == 3:
        return None

    def arrange(values: NDArray[Any]) -> NDArray[Any]:
        if arrangement.bgr:
            values = values[..., ::-1]
        if arrangement.layout == "nchw":
            values = values.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(values).reshape(-1, *shape)

    return arrange
