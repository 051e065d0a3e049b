"""What a person says of a model that does not say it itself: the flags, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge_runtime.errors import UsageError
from edge_runtime.spec import Fit

Color = Literal["gray", "rgb", "bgr"]
InputRange = Literal["0..1", "-1..1", "0..255"]


@dataclass(frozen=True)
class Description:
    """The flags that describe a model. None where a flag was not given."""

    labels: Path | None = None  # one label per output; see `export.source.labels.read`
    color: Color | None = None  # the order of the model's own channels
    fit: Fit | None = None
    name: str | None = None
    size: tuple[int, int] | None = None  # height, width; for models that take any
    input_range: InputRange | None = None  # what the model was given while it was trained
    mean: tuple[float, ...] | None = None  # one, or one per channel (RGB), in pixel units 0..255
    std: tuple[float, ...] | None = None  # likewise, above 0

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
        named = ("labels", "color", "fit", "size", "input_range", "mean", "std")
        return tuple(
            f"--{name.replace('_', '-')}" for name in named if getattr(self, name) is not None
        )
