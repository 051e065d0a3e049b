"""Pixels as text: two rows to a line in colour, or shades where there is none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SHADES = " ░▒▓█"
_PLAIN_SHADES = " .:oO@"  # where the output's encoding has no blocks


def draw(pixels: NDArray[np.uint8], *, columns: int, colour: bool, encoding: str) -> str:
    """Draw pixels with characters; bright is bright on a dark terminal.

    Args:
        pixels: uint8 0..255, shape (height, width, 1 | 3 RGB).
        columns: the most characters a line may have; larger pictures are shrunk.
        colour: use 24-bit colours.
        encoding: of the output.
    """
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    if picture.width > columns:
        height = max(1, round(picture.height * columns / picture.width))
        picture = picture.resize((columns, height), Image.Resampling.BOX)
    blocks = _can_encode("▀" + _SHADES, encoding)
    if colour and blocks:
        return _coloured(np.asarray(picture.convert("RGB")))
    return _shaded(np.asarray(picture.convert("L")), _SHADES if blocks else _PLAIN_SHADES)


def _coloured(pixels: NDArray[np.uint8]) -> str:
    """The upper half of a character has one colour, what is behind it another."""
    if len(pixels) % 2:
        pixels = np.concatenate([pixels, np.zeros_like(pixels[:1])])
    lines = []
    for upper, lower in zip(pixels[::2].tolist(), pixels[1::2].tolist(), strict=True):
        cells = (
            f"\x1b[38;2;{';'.join(map(str, above))};48;2;{';'.join(map(str, below))}m▀"
            for above, below in zip(upper, lower, strict=True)
        )
        lines.append("".join(cells) + "\x1b[0m")
    return "\n".join(lines)


def _shaded(grey: NDArray[np.uint8], shades: str) -> str:
    """A character is about twice as high as wide, so it stands for the mean of two rows."""
    if len(grey) % 2:
        grey = np.concatenate([grey, grey[-1:]])
    means = grey.reshape(-1, 2, grey.shape[1]).mean(axis=1)
    steps = np.minimum(means * len(shades) / 256, len(shades) - 1).astype(int)
    return "\n".join("".join(shades[step] for step in row) for row in steps.tolist())


def _can_encode(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
