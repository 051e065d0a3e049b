"""The picture that a model made elsewhere takes: size, channels and layout."""

from __future__ import annotations

from pathlib import Path
from typing import Final, get_args

from edge_runtime.description import Description, Layout
from edge_runtime.errors import ModelError, UsageError
from edge_runtime.modelfile.tensors import Tensor

_CHANNELS: Final = (1, 3)


def of_input(path: Path, tensor: Tensor, said: Description) -> tuple[int, int, int, Layout]:
    """Height, width, channels and layout of the input.

    Raises:
        ModelError: it takes no pictures.
        UsageError: a flag is missing, or contradicts the file.
    """
    sizes = tensor.shape[1:]
    if len(sizes) not in (2, 3):
        raise ModelError(
            f"{path} takes {tensor}, expected pictures: (batch, height, width, channels) or "
            "(batch, channels, height, width)"
        )
    layout: Layout = "nhwc"
    channels: int | None = 1
    if len(sizes) == 3:
        layout = _layout(path, tensor, said)
        channels = sizes[2] if layout == "nhwc" else sizes[0]
        sizes = sizes[:2] if layout == "nhwc" else sizes[1:]
    if channels is None and said.color is not None:
        channels = 1 if said.color == "gray" else 3
    if channels is None:
        raise UsageError(f"{path} takes any number of channels; add --color gray|rgb|bgr")
    if channels not in _CHANNELS:
        raise ModelError(f"{path} takes {tensor}, expected 1 channel or 3")
    if said.color is not None and (channels == 1) != (said.color == "gray"):
        raise UsageError(
            f"{path} takes {channels} channel(s), but --color is {said.color}; leave it out"
        )
    height, width = sizes
    if said.size is not None:
        if any(own not in (None, size) for own, size in zip(sizes, said.size, strict=True)):
            raise UsageError(f"{path} takes pictures of {height}x{width}; leave out --size")
        height, width = said.size
    if height is None or width is None:
        raise UsageError(f"{path} takes pictures of any size; add --size HEIGHTxWIDTH")
    return height, width, channels, layout


def _layout(path: Path, tensor: Tensor, said: Description) -> Layout:
    first, _, last = tensor.shape[1:]
    possible: dict[Layout, bool] = {"nhwc": last in (None, 1, 3), "nchw": first in (None, 1, 3)}
    if said.layout is not None:
        if not possible[said.layout]:
            raise UsageError(f"{path} takes {tensor}: --layout {said.layout} does not fit it")
        return said.layout
    # A size that is given says more than one that is free.
    sure = [name for name, size in (("nhwc", last), ("nchw", first)) if size in _CHANNELS]
    if len(sure) == 1:
        return "nhwc" if sure == ["nhwc"] else "nchw"
    if not any(possible.values()):
        raise ModelError(f"{path} takes {tensor}, expected 1 channel or 3")
    raise UsageError(f"{path} takes {tensor}: add --layout {'|'.join(get_args(Layout))}")
