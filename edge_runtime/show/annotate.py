"""Copies of pictures with their answer drawn on."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw, ImageFont

from edge_runtime import image
from edge_runtime.errors import OutputError
from edge_runtime.files import write_atomically
from edge_runtime.spec import ImageInput

if TYPE_CHECKING:
    from edge_runtime.image import ImageSource
    from edge_runtime.result import Result

# As a person wants it: in colour, and no smaller than it is unless it is very large. Large JPEGs are
# decoded at twice this side or more.
_VIEW: Final = ImageInput(1024, 1024, "rgb", mean=(0.0,) * 3, std=(1.0,) * 3)
_LARGEST: Final = 4096  # pixels to a side
_TALLEST: Final = 2048  # pixels, that a small picture may become
_LONGEST_NAME: Final = 180  # bytes: file systems take 255, with a number and an ending
_SMALLEST: Final = 320  # pixels of width; smaller pictures are enlarged, for the writing to fit


class Annotated:
    """A folder of such copies. Names come from the picture alone, and nothing is overwritten."""

    def __init__(self, folder: Path) -> None:
        """Make the folder.

        Raises:
            OutputError: it cannot be made.
        """
        self._folder = folder
        self._used: dict[str, int] = {}  # name → how many have it
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make {folder}: {error.strerror}") from error

    def save(self, picture: ImageSource, result: Result, text: str) -> Path:
        """Write a copy as a JPEG, with `text` below the picture.

        Raises:
            OutputError: the folder cannot be written.
            InputError: the picture is gone or has changed since it was classified.
        """
        if isinstance(picture, io.IOBase):
            picture.seek(0)
        data = io.BytesIO()
        draw(image.load(picture, _VIEW), text).save(data, "JPEG", quality=90)
        path = self._free(result.source or "picture")
        write_atomically(path, data.getvalue())
        return path

    def _free(self, source: str) -> Path:
        plain = re.sub(r"[^\w.-]", "-", Path(source).stem)
        stem = plain.encode()[:_LONGEST_NAME].decode(errors="ignore")
        while True:
            count = self._used[stem] = self._used.get(stem, 0) + 1
            path = self._folder / (f"{stem}.jpg" if count == 1 else f"{stem}-{count}.jpg")
            if not os.path.lexists(path):
                return path


def draw(picture: Image.Image, text: str) -> Image.Image:
    """An RGB picture with a band of text below it."""
    picture = picture.convert("RGB")
    picture.thumbnail((_LARGEST, _LARGEST))
    times = min(-(-_SMALLEST // picture.width), _TALLEST // picture.height)
    if times > 1:
        picture = picture.resize(
            (picture.width * times, picture.height * times), Image.Resampling.NEAREST
        )
    width = max(picture.width, _SMALLEST)  # a sliver gets black beside it
    size = max(12, width // 24)
    band = Image.new("RGB", (width, 2 * size), "black")
    _write(ImageDraw.Draw(band), text, size, width - size)
    whole = Image.new("RGB", (width, picture.height + band.height))
    whole.paste(picture)
    whole.paste(band, (0, picture.height))
    return whole


def _write(canvas: ImageDraw.ImageDraw, text: str, size: int, room: int) -> None:
    place = (size // 2, size // 2)
    try:
        font = ImageFont.load_default(size)
        if (length := font.getlength(text)) > room:
            font = ImageFont.load_default(max(8, int(size * room / length)))
        canvas.text(place, text, fill="white", font=font)
    # Before Pillow 10.1, or without FreeType, its font has one size and Latin letters only.
    except (TypeError, OSError, UnicodeEncodeError):
        plain = text.encode("latin-1", "replace").decode("latin-1")
        canvas.text(place, plain, fill="white", font=ImageFont.load_default())
