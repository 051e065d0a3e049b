"""What a model file shows of its tensors: names, shapes, types, and how pixels lie in the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from edge_runtime.description import Description, Layout

TensorType = Literal["float32", "float16", "uint8", "int8", "int16", "other"]
Operation = Literal["softmax", "log-softmax", "sigmoid", "linear"]


@dataclass(frozen=True)
class Tensor:
    """One input or output of a model."""

    name: str
    shape: tuple[int | None, ...]  # None is free
    type: TensorType
    quantization: tuple[float, int] | None = None  # scale, zero point of an integer tensor

    def __str__(self) -> str:
        sizes = " x ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name} ({sizes} {self.type})"


@dataclass(frozen=True)
class Graph:
    """What a model takes and gives, read from its bytes without an engine."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    last: Operation | None  # what the scores come from; None is any other
    said: Description  # by standard metadata, in the words of the flags


@dataclass(frozen=True)
class Arrangement:
    """How pixels lie in a model's input."""

    layout: Layout = "nhwc"
    bgr: bool = False


EXPORTED: Final = Arrangement()  # what `python -m export` makes takes NHWC and RGB
