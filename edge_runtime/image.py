"""Path, bytes, file, array or PIL image → an upright picture in grey or RGB, within limits."""

from __future__ import annotations

import importlib
import io
import os
import re
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image, UnidentifiedImageError

from edge_runtime.errors import InputError

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

    from edge_runtime.spec import ImageInput

    ImageSource: TypeAlias = (
        str | os.PathLike[str] | bytes | IO[bytes] | Image.Image | NDArray[np.uint8]
    )

# The formats that are read: their first bytes, where a dot is any byte, and Pillow's modules.
_DECODERS: Final = {
    "JPEG": (rb"\xff\xd8\xff", "PIL.JpegImagePlugin"),
    "PNG": (rb"\x89PNG\r\n\x1a\n", "PIL.PngImagePlugin"),
    "WEBP": (rb"RIFF....WEBPVP8[ LX]", "PIL.WebPImagePlugin"),
    "BMP": (rb"BM", "PIL.BmpImagePlugin"),
    "GIF": (rb"GIF8[79]a", "PIL.GifImagePlugin"),
}
FORMATS: Final = tuple(_DECODERS)
MAX_FILE_BYTES = 64 << 20
MAX_PIXELS = 25_000_000  # after the decoder's own downscaling: Pillow takes 100 MB as RGB
_DRAFT_MARGIN = 2  # a JPEG is decoded at no less than this many times the model's size
_TRIM_MARGIN = 4  # and this many times more where the object may fill only a part of it

_ORIENTATION = 0x0112  # EXIF: 1..8, how the camera was held
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


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
        return _upright("the array", _from_array(source), wanted)
    if isinstance(source, Image.Image):
        return _upright("the picture", source, wanted)
    if isinstance(source, str | os.PathLike):
        return _decode(os.fspath(source), _read(Path(source)), wanted)
    if isinstance(source, bytes | bytearray | memoryview):
        return _decode("the data", io.BytesIO(source), wanted)
    if not hasattr(source, "read"):
        raise InputError(
            f"a {type(source).__name__} was given, expected a path, bytes, a binary file, "
            "a PIL image or a uint8 array"
        )
    return _decode(str(getattr(source, "name", "the data")), source, wanted)


def _read(path: Path) -> IO[bytes]:
    """A whole file in memory: Pillow then never waits on a card, a share or a changing file."""
    try:
        with path.open("rb") as file:
            # Asked for no more than there is: room for the largest file is mapped anew each time,
            # for which threads wait. A pipe does not say how much there is.
            size = os.fstat(file.fileno()).st_size or MAX_FILE_BYTES
            data = file.read(min(size, MAX_FILE_BYTES) + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # a NUL byte
        raise InputError(f"cannot read {str(path)!r}: {error}") from error
    if len(data) > MAX_FILE_BYTES:
        raise InputError(f"{path} is larger than {MAX_FILE_BYTES >> 20} MiB")
    if not data:
        raise InputError(f"{path} is empty")
    return io.BytesIO(data)


def _decode(name: str, file: IO[bytes], wanted: ImageInput) -> Image.Image:
    try:
        with _open(file) as image:
            if "progressive" in image.info:  # decoded whole before it can be shrunk
                _require_size(image)
            # The orientation may swap width and height, so ask for the larger side both ways.
            side = max(wanted.width, wanted.height) * _DRAFT_MARGIN
            side *= _TRIM_MARGIN if wanted.trim else 1
            image.draft("L" if wanted.color == "gray" else "RGB", (side, side))
            _require_size(image)
            image.load()
    except UnidentifiedImageError as error:
        raise InputError(
            f"{name} is not a picture that can be read; save it as one of {', '.join(FORMATS)}"
        ) from error
    # Pillow's decoders may raise nearly anything on bad bytes, and others may be fine.
    except Exception as error:
        raise InputError(f"{name} is damaged or too large: {error}") from error
    return _upright(name, image, wanted)


def _open(file: IO[bytes]) -> ImageFile:
    """As `Image.open`, which first loads the decoders of five formats: here only the one needed."""
    try:
        file.seek(0)
    except (AttributeError, OSError):  # an unbuffered pipe's is a plain OSError
        file = io.BytesIO(file.read(MAX_FILE_BYTES))
    start = file.read(16)
    for name, (first_bytes, module) in _DECODERS.items():
        if re.match(first_bytes, start, re.DOTALL):
            importlib.import_module(module)
            decoder, _ = Image.OPEN[name]
            file.seek(0)
            return decoder(file, "")
    raise UnidentifiedImageError


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


def _upright(name: str, image: Image.Image, wanted: ImageInput) -> Image.Image:
    if 0 in image.size:
        raise InputError(f"{name} has no pixels")
    try:
        turn = _TURNS.get(_orientation(image))
        return _flatten(image if turn is None else image.transpose(turn), wanted)
    # A PIL image may be one that is not decoded yet, or in a mode that has no colours.
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{name} cannot be turned into grey or RGB pixels: {error}") from error


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; 1, upright, where there is none that can be read.

    `ImageOps.exif_transpose` also writes the EXIF anew, which fails on what some cameras put there.
    """
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001  a strange note must not cost a good picture
        return 1


def _flatten(image: Image.Image, wanted: ImageInput) -> Image.Image:
    """Any mode to "L" or "RGB", without Pillow's silent clipping of 16 bits or lost transparency."""
    if image.mode.startswith("I"):
        return _from_16_bit(image)
    if image.mode == "F":
        raise InputError("a picture of floating-point pixels has no known range; save it as PNG")
    mode = "L" if wanted.color == "gray" else "RGB"
    if "transparency" not in image.info and image.mode not in ("RGBA", "LA", "PA", "RGBa", "La"):
        return image.convert(mode)
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    # What is transparent is background, so it takes the background that the model knows.
    flat = Image.new(mode, image.size, "black" if wanted.polarity == "light-on-dark" else "white")
    flat.paste(image, mask=image)
    return flat


def _from_16_bit(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 0xFFFF:
        raise InputError("a picture of 32-bit pixels has no known range; save it with 8 or 16 bits")
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))
