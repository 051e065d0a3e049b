"""Pictures to pixels to numbers: the one implementation that training, export and devices share.

Uint8 pixels at the model's size are what travels between the parts; `pixel_table` holds all the
arithmetic behind them, because a pixel has only 256 values.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_runtime.spec import ImageInput

    Pixels = NDArray[np.uint8]
    Floats = NDArray[np.float32]

Values = TypeVar("Values", bound=np.generic)

_AS_THEY_ARE = np.arange(256)
_INVERTED = 255 - _AS_THEY_ARE
_NOISE = 8  # how far, of 255, a background's pixels may be from their median
_REACH = 0.99  # share of the object's pixels that are stretched over the whole range
_MARGIN_TOLERANCE = 24  # how far, of 255, a margin's pixels may be from the corners' colour


def to_pixels(image: Image.Image, wanted: ImageInput) -> tuple[Pixels, tuple[str, ...]]:
    """Bring an upright picture to the model's size, colour and polarity.

    A picture that has the model's size already is taken as it is: it comes from a data set, and
    neither its margins nor its polarity may be touched.

    Args:
        image: any size, mode "L" or "RGB".
        wanted: the model's picture contract.

    Returns:
        uint8 pixels 0..255, shape (height, width, channels), and warnings for the reader.
    """
    image = _in(image, "L" if wanted.color == "gray" else "RGB")
    warnings: tuple[str, ...] = ()
    if image.size != (wanted.width, wanted.height):
        background = _background(image)
        if wanted.trim:
            image = _trim(image, background)
        tones = _AS_THEY_ARE
        if _is_inverted(background, wanted):
            tones, background = _INVERTED, 255 - background
            warnings = (f"polarity inverted: the model expects {_words(wanted)}",)
        if wanted.level:
            light = wanted.polarity == "light-on-dark"
            counts = np.array(image.histogram())[tones]
            tones = _levels(counts, background, light=light)[tones]
            background = 0 if light else 255
        if tones is not _AS_THEY_ARE:
            image = image.point(tones.tolist() * len(image.mode))
        image = _fit(image, wanted, background)
    return np.asarray(image).reshape(wanted.height, wanted.width, wanted.channels), warnings


def normalise(pixels: Pixels, wanted: ImageInput) -> Floats:
    """The model's input: `(pixel - mean) / std`, computed in float64 and rounded once.

    Args:
        pixels: uint8 0..255, shape (n, height, width, channels).
        wanted: the model's picture contract.

    Returns:
        float32, same shape.
    """
    return lookup(pixel_table(wanted), pixels)


def pixel_table(wanted: ImageInput) -> Floats:
    """`(pixel - mean) / std` for every pixel value: float32, shape (channels, 256)."""
    mean, std = (np.array(values)[:, None] for values in (wanted.mean, wanted.std))
    table: NDArray[np.float64] = (np.arange(256) - mean) / std
    return table.astype(np.float32)


def lookup(table: NDArray[Values], pixels: Pixels) -> NDArray[Values]:
    """Replace each pixel by its channel's entry of a (channels, 256) table."""
    if len(table) == 1:
        return np.take(table[0], pixels)
    channels = [table[index][pixels[..., index]] for index in range(len(table))]
    return np.stack(channels, axis=-1)


def _in(image: Image.Image, mode: str) -> Image.Image:
    """The picture in a mode; `convert` alone would copy one that is."""
    return image if image.mode == mode else image.convert(mode)


def _background(image: Image.Image) -> int:
    """The brightness that the four corners agree on: their median, 0..255."""
    grey = _in(image, "L")
    right, bottom = grey.width - 1, grey.height - 1
    corners: list[Any]  # of a grey picture, numbers
    corners = [grey.getpixel(place) for place in ((0, 0), (right, 0), (0, bottom), (right, bottom))]
    _, low, high, _ = sorted(corners)
    return int(low + high) // 2


def _trim(image: Image.Image, background: int) -> Image.Image:
    """Cut margins that keep near the background; a picture that is all margin stays whole."""
    box = _in(image, "L").point(_beyond_margin(background)).getbbox()
    return image if box is None else image.crop(box)


@cache
def _beyond_margin(background: int) -> list[int]:
    """255 for each brightness that no margin has, and 0 for the others."""
    return [255 * (abs(value - background) > _MARGIN_TOLERANCE) for value in range(256)]


def _is_inverted(background: int, wanted: ImageInput) -> bool:
    if wanted.polarity == "any":
        return False
    return (background > 127) == (wanted.polarity == "light-on-dark")


def _words(wanted: ImageInput) -> str:
    return f"a {wanted.polarity.replace('-on-', ' object on a ')} background"


def _levels(counts: NDArray[np.int_], background: int, *, light: bool) -> NDArray[np.int_]:
    """What stretches the brightness so that the background is one end and the object the other.

    A data set cut out of its background knows no grey paper behind a shirt and no dim lamp. The
    object's farthest hundredth is left out, so that a glint does not set the range.

    Args:
        counts: how many pixels have each brightness, shape (256,).
        background: its brightness, 0..255.
        light: the object is lighter.

    Returns:
        The new value of each brightness, 0..255, shape (256,).
    """
    # How far each is from the background on the object's side of it, and the way outwards.
    distance = _AS_THEY_ARE - background if light else background - _AS_THEY_ARE
    distance = np.maximum(distance - _NOISE, 0)
    outwards = slice(None) if light else slice(None, None, -1)
    reached = np.cumsum(np.where(distance > 0, counts, 0)[outwards])
    farthest = distance[outwards][np.searchsorted(reached, _REACH * reached[-1])]
    strength: NDArray[np.int_] = np.minimum(255 * distance // max(1, farthest), 255)
    return strength if light else 255 - strength


def _fit(image: Image.Image, wanted: ImageInput, background: int) -> Image.Image:
    size = (wanted.width, wanted.height)
    method = Image.Resampling[wanted.resampling.upper()]
    if wanted.fit == "stretch":
        return image.resize(size, method)
    if wanted.fit == "crop":
        return ImageOps.fit(image, size, method)
    return _pad(image, wanted, method, background)


def _pad(
    image: Image.Image, wanted: ImageInput, method: Image.Resampling, background: int
) -> Image.Image:
    """As `ImageOps.pad`, which in older Pillows fails on a picture that is very long and thin."""
    if image.width * wanted.height > image.height * wanted.width:
        width, height = wanted.width, round(image.height / image.width * wanted.width)
    else:
        width, height = round(image.width / image.height * wanted.height), wanted.height
    fitted = image.resize((max(width, 1), max(height, 1)), method)
    colour = background if image.mode == "L" else (background,) * 3
    padded = Image.new(image.mode, (wanted.width, wanted.height), colour)
    margins = wanted.width - fitted.width, wanted.height - fitted.height
    padded.paste(fitted, (round(margins[0] / 2), round(margins[1] / 2)))
    return padded
