"""What a person says of a model that does not say it itself: the flags, as one value."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Literal

from edge_runtime.errors import UsageError
from edge_runtime.spec import Fit, Scores

Color = Literal["gray", "rgb", "bgr"]
InputRange = Literal["0..1", "-1..1", "0..255"]
Layout = Literal["nhwc", "nchw"]
Normalisation = tuple[tuple[float, ...], tuple[float, ...]]  # mean and std, one per channel

RANGES: Final[dict[InputRange, tuple[float, float]]] = {  # mean and std in pixel units 0..255
    "0..1": (0.0, 255.0),
    "-1..1": (127.5, 127.5),
    "0..255": (0.0, 1.0),
}


@dataclass(frozen=True)
class Description:
    """The flags that describe a model. None where a flag was not given."""

    labels: Path | tuple[str, ...] | None = None  # one per output; a file as in `labels.parse`
    color: Color | None = None  # the order of the model's own channels
    fit: Fit | None = None
    name: str | None = None
    size: tuple[int, int] | None = None  # height, width; for models that take any
    input_range: InputRange | None = None  # what the model was given while it was trained
    mean: tuple[float, ...] | None = None  # one, or one per channel (RGB), in pixel units 0..255
    std: tuple[float, ...] | None = None  # likewise, above 0
    layout: Layout | None = None  # of the input tensor, where its shape does not tell
    scores: Scores | None = None  # what the outputs are, where they do not tell

    def __post_init__(self) -> None:
        if (self.mean is None) != (self.std is None):
            raise UsageError("--mean and --std go together; give both, or --input-range")
        if self.mean is not None and self.input_range is not None:
            raise UsageError("--input-range says the same as --mean and --std; give one of them")
        if self.std is not None and min(self.std) <= 0:
            raise UsageError(f"--std is {min(self.std):g}, expected numbers above 0")
        if self.std is not None and self.input_range is None and max(self.std) < 1:
            raise UsageError(
                f"--std {self.std[0]:g} looks like a share of 1; "
                f"give --mean and --std in pixel units 0..255 ({self.std[0]:g} is "
                f"{255 * self.std[0]:g})"
            )

    @property
    def given(self) -> tuple[str, ...]:
        """The flags that were given, but for --name, which any model may be given."""
        return tuple(
            f"--{item.name.replace('_', '-')}"
            for item in fields(self)
            if item.name != "name" and getattr(self, item.name) is not None
        )

    def require_none(self, path: Path) -> None:
        """Refuse flags about a file that says this itself.

        Raises:
            UsageError: there are some.
        """
        if self.given:
            raise UsageError(f"{path} says this itself; leave out {' and '.join(self.given)}")

    def normalisation(self, channels: int) -> Normalisation | None:
        """Mean and std per channel, in pixel units 0..255; None where no flag says it.

        Raises:
            UsageError: --mean and --std are for another number of channels.
        """
        if self.mean is not None and self.std is not None:
            return _spread(self.mean, channels), _spread(self.std, channels)
        if self.input_range is not None:
            mean, std = RANGES[self.input_range]
            return (mean,) * channels, (std,) * channels
        return None


def model_name(path: Path) -> str:
    """The name of a model that has none: its file's, as a spec allows it."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", path.resolve().stem).strip("-._")[:100] or "model"


def _spread(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    if len(values) not in (1, channels):
        raise UsageError(f"--mean and --std have {len(values)} values for {channels} channel(s)")
    return values * channels if len(values) == 1 else values
