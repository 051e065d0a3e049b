"""Path, bytes, file, array or PIL image → an upright picture in grey or RGB, within limits."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from edge_runtime.errors import InputError

if TYPE_CHECKING:
    from edge_runtime.spec import ImageInput

ImageSource = str | os.PathLike[str] | bytes | IO[bytes] | Image.Image | NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
MAX_FILE_BYTES = 64 << 20
MAX_PIXELS = 25_000_000  # after the decoder's own downscaling: 75 MB as RGB
_DRAFT_MARGIN = 2  # a JPEG is decoded at no less than this many times the model's size

# Pillow's documented list of what a decoder may raise on bad bytes.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    OverflowError,
    NotImplementedError,
    MemoryError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def load(source: ImageSource, wanted: ImageInput) -> Image.Image:
    """Read a picture and turn it upright.

    Args:
        source: a path, the bytes of a JPEG, PNG, WebP, BMP or GIF file, a binary file, a PIL
            image, or a uint8 array 0..255 of shape (height, width), (height, width, 1),
            (height, width, 3) RGB or (height, width, 4) RGBA.
        wanted: the model's picture contract; JPEGs are decoded no larger than it needs.

    Returns:
        A PIL image in mode "L" or "RGB": the first frame, EXIF rotation applied.

    Raises:
        InputError: there is no such picture, or it is damaged, too large or of another kind.
    """
    if isinstance(source, np.ndarray):
        return _flatten(_from_array(source), wanted)
    if isinstance(source, Image.Image):
        return _flatten(ImageOps.exif_transpose(source), wanted)
    if isinstance(source, str | os.PathLike):
        name, file = os.fspath(source), _read(Path(source))
    elif isinstance(source, bytes):
        name, file = "picture", io.BytesIO(source)
    else:
        name, file = str(getattr(source, "name", "picture")), source
    return _flatten(_decode(name, file, wanted), wanted)


def _read(path: Path) -> IO[bytes]:
    """A whole file in memory: Pillow then never waits on a card, a share or a changing file."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise InputError(f"{path} is larger than {MAX_FILE_BYTES >> 20} MiB")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if not data:
        raise InputError(f"{path} is empty")
    return io.BytesIO(data)


def _decode(name: str, file: IO[bytes], wanted: ImageInput) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=FORMATS) as image:
                # The orientation may swap width and height, so ask for the larger side both ways.
                side = _DRAFT_MARGIN * max(wanted.width, wanted.height)
                image.draft("L" if wanted.color == "gray" else "RGB", (side, side))
                _require_size(image)
                return ImageOps.exif_transpose(image)
    except UnidentifiedImageError as error:
        raise InputError(f"{name} is not a picture; expected {', '.join(FORMATS)}") from error
    except _DECODER_ERRORS as error:
        raise InputError(f"{name} is damaged or too large: {error}") from error


def _require_size(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        limit = MAX_PIXELS // 1_000_000
        raise ValueError(f"{image.width} x {image.height} is more than {limit} megapixels")


def _from_array(array: NDArray[Any]) -> Image.Image:
    if array.dtype != np.uint8:
        raise InputError(
            f"an array of {array.dtype} was given, expected uint8 pixels 0..255; "
            "undo any scaling: the model file carries its own"
        )
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise InputError(
            f"an array of shape {array.shape} was given, expected "
            "(height, width), or (height, width, channels) with 1, 3 or 4 channels"
        )
    return Image.fromarray(array)


def _flatten(image: Image.Image, wanted: ImageInput) -> Image.Image:
    """Any mode to "L" or "RGB", without Pillow's silent clipping of 16 bits or lost transparency."""
    if image.mode.startswith("I"):
        return _from_16_bit(image)
    if image.mode == "F":
        raise InputError("a picture of floating-point pixels has no known range; save it as PNG")
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        image = image.convert("RGBA")
        # What is transparent is background, so it takes the background that the model knows.
        colour = "black" if wanted.polarity == "light-on-dark" else "white"
        flat = Image.new("RGBA", image.size, colour)
        image = Image.alpha_composite(flat, image).convert("RGB")
    return image.convert("L" if wanted.color == "gray" else "RGB")


def _from_16_bit(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 0xFFFF:
        raise InputError("a picture of 32-bit pixels has no known range; save it with 8 or 16 bits")
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))
