"""Pictures to pixels to numbers: the one implementation that training, export and devices share.

Uint8 pixels at the model's size are what travels between the parts; `pixel_table` holds all the
arithmetic behind them, because a pixel has only 256 values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image, ImageChops, ImageOps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_runtime.spec import ImageInput

    Pixels = NDArray[np.uint8]
    Floats = NDArray[np.float32]

Values = TypeVar("Values", bound=np.generic)

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
    image = image.convert("L" if wanted.color == "gray" else "RGB")
    warnings: tuple[str, ...] = ()
    if image.size != (wanted.width, wanted.height):
        background = _background(image)
        if wanted.trim:
            image = _trim(image, background)
        if _is_inverted(background, wanted):
            image, background = ImageOps.invert(image), 255 - background
            warnings = (f"polarity inverted: the model expects {_words(wanted)}",)
        if wanted.level:
            image, background = _level(image, background, wanted)
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


def _background(image: Image.Image) -> int:
    """The brightness that the four corners agree on: their median, 0..255."""
    grey = image.convert("L")
    right, bottom = grey.width - 1, grey.height - 1
    corners = [grey.getpixel(place) for place in ((0, 0), (right, 0), (0, bottom), (right, bottom))]
    return int(np.median(np.array(corners)))


def _trim(image: Image.Image, background: int) -> Image.Image:
    """Cut margins that keep near the background; a picture that is all margin stays whole."""
    grey = image.convert("L")
    distance = ImageChops.difference(grey, Image.new("L", grey.size, background))
    box = distance.point([255 * (value > _MARGIN_TOLERANCE) for value in range(256)]).getbbox()
    return image if box is None else image.crop(box)


def _is_inverted(background: int, wanted: ImageInput) -> bool:
    if wanted.polarity == "any":
        return False
    return (background > 127) == (wanted.polarity == "light-on-dark")


def _words(wanted: ImageInput) -> str:
    return f"a {wanted.polarity.replace('-on-', ' object on a ')} background"


def _level(image: Image.Image, background: int, wanted: ImageInput) -> tuple[Image.Image, int]:
    """Stretch the brightness so that the background is one end and the object reaches the other.

    A data set cut out of its background knows no grey paper behind a shirt and no dim lamp. The
    object's farthest hundredth is left out, so that a glint does not set the range.
    """
    light = wanted.polarity == "light-on-dark"
    # How far each brightness is from the background, on the object's side of it.
    distance = np.arange(256) - background if light else background - np.arange(256)
    distance = np.maximum(distance - _NOISE, 0)
    counts = np.where(distance > 0, image.histogram(), 0)
    order = np.argsort(distance, kind="stable")
    within = np.searchsorted(np.cumsum(counts[order]), _REACH * counts.sum())
    strength = np.minimum(255 * distance / max(1, distance[order[within]]), 255).astype(np.uint8)
    return image.point((strength if light else 255 - strength).tolist()), 0 if light else 255


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
