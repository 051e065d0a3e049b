"""Which layers of a float model 8-bit integers would harm most.

Rounding a tensor to 256 steps adds noise of the same strength to all its channels: a twelfth of a
step squared (Bennett 1948, "Spectra of quantized signals"). A channel whose own variance is of that
order is lost, however fine the tensor looks as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

PICTURES: Final = 64  # enough for a variance
_STEPS: Final = 255


@dataclass(frozen=True)
class Operation:
    """One operation of a converted model."""

    name: str  # what the quantizer knows it by
    inputs: tuple[str, ...]  # tensors that depend on the picture
    output: str
    weights: int  # numbers that are stored for it
    origin: str = ""  # the names that the converter gave its parts, with Keras layers' in them


@dataclass(frozen=True)
class Layer:
    """Operations around a tensor: where all of them compute in floats, it is not rounded."""

    title: str  # for a person
    operations: tuple[Operation, ...]
    noise: float  # mean share of a channel that rounding drowns, 0..1


class Spread:
    """How far each channel of a tensor spreads, learned from one batch after the other.

    Whole tensors are not kept: those of 64 photographs would fill gigabytes. The variances of two
    parts join as Chan, Golub and LeVeque (1979) say.
    """

    def __init__(self) -> None:
        self._count = 0
        self._mean = self._squares = np.zeros(1)  # squares: of the distances from the mean, summed
        self._lowest, self._highest = np.full(1, np.inf), np.full(1, -np.inf)

    def add(self, values: NDArray[np.float32]) -> None:
        """Take in what the tensor held, the last axis being the channels."""
        rows = values.reshape(-1, values.shape[-1] if values.ndim else 1).astype(np.float64)
        mean, total = rows.mean(axis=0), self._count + len(rows)
        apart = mean - self._mean
        self._squares = (
            self._squares
            + ((rows - mean) ** 2).sum(axis=0)
            + apart**2 * self._count * len(rows) / total
        )
        self._mean = self._mean + apart * len(rows) / total
        self._count = total
        self._lowest = np.minimum(self._lowest, rows.min(axis=0))
        self._highest = np.maximum(self._highest, rows.max(axis=0))

    @property
    def limits(self) -> tuple[float, float]:
        """The smallest and the largest value of all channels."""
        return float(self._lowest.min()), float(self._highest.max())

    def noise(self, low: float, high: float) -> float:
        """How much of the tensor's channels its rounding drowns.

        Args:
            low: smallest value that its steps must reach.
            high: largest value.

        Returns:
            The mean over all channels that vary of noise / (noise + signal), 0..1.
        """
        alive = self._highest > self._lowest
        signal = self._squares[alive] / max(1, self._count)
        noise = ((max(high, 0.0) - min(low, 0.0)) / _STEPS) ** 2 / 12
        return float(np.mean(noise / (noise + signal))) if alive.any() and noise else 0.0


def ranked(
    operations: Sequence[Operation], noise: Mapping[str, float], known: Iterable[str]
) -> tuple[Layer, ...]:
    """The layers, worst first.

    Args:
        operations: in the order they run.
        noise: tensor name → `Spread.noise`, for the tensors that are rounded.
        known: the Keras layers' names, for the titles.
    """
    names = tuple(known)
    layers = [
        Layer(
            title=_title(producer, names),
            operations=tuple(_around(producer, operations)),
            noise=noise[producer.output],
        )
        for producer in operations
        if producer.output in noise
    ]
    return tuple(sorted(layers, key=lambda layer: -layer.noise))


def _around(producer: Operation, operations: Sequence[Operation]) -> list[Operation]:
    """Where the tensor's values come from and who reads them, in the order they run.

    Operations without weights, such as pooling and reshaping, only pass values on: what is before
    and behind them counts too.
    """
    sources, wanted = set(), {producer.output}
    for operation in reversed(operations):
        if operation.output in wanted:
            sources.add(operation)
            if not operation.weights:
                wanted.update(operation.inputs)
    found, passed_on = [], {operation.output for operation in sources}
    for operation in operations:
        reads = not passed_on.isdisjoint(operation.inputs)
        if reads or operation in sources:
            found.append(operation)
        if reads and not operation.weights:
            passed_on.add(operation.output)
    return found


def _title(operation: Operation, known: Sequence[str]) -> str:
    """The Keras layer that an operation comes from."""
    parts = re.split("[/;]", operation.origin)
    # Inside one more model, Keras counts every name up: the layer `dense` becomes `dense_1`.
    bare = [part.rpartition("_")[0] for part in parts]
    return next((part for part in (*bare, *parts) if part in known), operation.name)


def weighted(model: Any) -> tuple[str, ...]:
    """The names of a Keras model's layers, inner models' too, that have weights of their own."""
    names: list[str] = []
    for layer in getattr(model, "layers", ()):
        if hasattr(layer, "layers"):
            names += weighted(layer)
        elif layer.weights and "Normalization" not in type(layer).__name__:
            names.append(layer.name)
    return tuple(names)
