"""How pixels become the numbers that a model made elsewhere was trained with."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from edge_runtime.description import RANGES, Description, InputRange, Normalisation
from edge_runtime.errors import ModelError, UsageError
from edge_runtime.modelfile.tensors import Tensor

# Shares of what an integer input can hold: how far pixels may reach over it, how much of it they
# use at least, and how far it may be from a usual range.
_REACH, _USE, _NEAR = 0.1, 0.05, 0.02


def of_input(
    path: Path, tensor: Tensor, said: Description, given: Description, channels: int
) -> tuple[tuple[float, ...], tuple[float, ...], str]:
    """Mean and std per channel in pixel units, and a note where only convention says them.

    Args:
        path: the model file, for messages.
        tensor: its input.
        said: what flags and metadata say.
        given: what flags alone say.
        channels: 1 or 3.

    Raises:
        ModelError: the input takes no numbers that pixels can become.
        UsageError: a flag is missing, or contradicts the file.
    """
    if tensor.type == "other":
        raise ModelError(f"{path} takes {tensor}, expected float32, float16, uint8 or int8 values")
    normalisation = said.normalisation(channels)
    if normalisation is not None:
        if tensor.type.startswith("float") or _fits(normalisation, tensor):
            return *normalisation, ""
        if given.normalisation(channels) is not None:
            low, high = _span(tensor)
            raise UsageError(
                f"{path} takes values from {low:.3g} to {high:.3g}, which pixels scaled by "
                f"{'--mean and --std' if given.std else '--input-range'} leave, or hardly use; "
                "say it otherwise"
            )
    usual = _usual(tensor, channels)
    if usual is None:
        raise UsageError(
            f"{path} does not say what its input was scaled to; add --input-range "
            f"{'|'.join(get_args(InputRange))}, or --mean and --std"
        )
    return usual


def _span(tensor: Tensor) -> tuple[float, float]:
    """Smallest and largest value that an integer input can hold, in real units."""
    scale, zero_point = tensor.quantization or (1.0, 0)
    low, high = {"uint8": (0, 255), "int8": (-128, 127)}.get(tensor.type, (-(1 << 15), 1 << 15))
    return scale * (low - zero_point), scale * (high - zero_point)


def _fits(normalisation: Normalisation, tensor: Tensor) -> bool:
    low, high = _span(tensor)
    slack = _REACH * (high - low)
    return all(
        low - slack <= -mean / std
        and (255 - mean) / std <= high + slack
        and 255 / std >= _USE * (high - low)
        for mean, std in zip(*normalisation, strict=True)
    )


def _usual(
    tensor: Tensor, channels: int
) -> tuple[tuple[float, ...], tuple[float, ...], str] | None:
    """The normalisation that an integer input has by convention; None where there is none."""
    scale, zero_point = tensor.quantization or (1.0, 0)
    if tensor.type == "uint8":  # as TensorFlow Lite's own Task Library has it
        mean, std = (float(zero_point),) * channels, (1 / scale,) * channels
        return mean, std, "pixels 0..255 as they are, as its input is uint8"
    if tensor.type != "int8" or tensor.quantization is None:
        return None
    low, high = _span(tensor)
    for name, (centre, spread) in RANGES.items():
        wanted = (-centre / spread, (255 - centre) / spread)
        if max(abs(wanted[0] - low), abs(wanted[1] - high)) <= _NEAR * (high - low):
            note = f"pixels scaled to {name}, as its input holds {low:.3g} to {high:.3g}"
            return (centre,) * channels, (spread,) * channels, note
    return None
