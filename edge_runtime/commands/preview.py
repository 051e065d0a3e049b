"""`preview`: what the model sees of a picture."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime import flags
from edge_runtime.commands.common import add_model, positive, say
from edge_runtime.commands.loading import add_description
from edge_runtime.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge_runtime.commands.common import Commands


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Give the command its flags."""
    parser = commands.add_parser(
        "preview", parents=[common], help="show a picture as the model sees it"
    )
    parser.add_argument("picture", metavar="PICTURE", help="a file, or - for standard input")
    add_model(parser)
    parser.add_argument("--png", type=Path, metavar="FILE", help="save it instead of drawing it")
    parser.add_argument(
        "--scale", type=positive, default=1, help="enlarge the PNG so many times (default: 1)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the PNG")
    add_description(parser)
    parser.set_defaults(command=preview)


def preview(arguments: argparse.Namespace) -> int:
    """Draw the picture in the terminal, or save it; return 0. No engine is needed."""
    if arguments.png is None:
        if arguments.overwrite or arguments.scale != 1:
            raise UsageError("--scale and --overwrite are for a file; name it with --png")
        _draw(_pixels(arguments))
    else:
        _save(arguments)
    return 0


def _draw(pixels: NDArray[np.uint8]) -> None:
    import shutil

    from edge_runtime.show import blocks

    columns = shutil.get_terminal_size().columns
    encoding = sys.stdout.encoding or "ascii"
    print(blocks.draw(pixels, columns=columns, colour=_colour(), encoding=encoding))
    print(_size(pixels))


def _save(arguments: argparse.Namespace) -> None:
    from edge_runtime.files import refuse_existing, write_atomically

    refuse_existing(arguments.png, overwrite=arguments.overwrite)
    pixels = _pixels(arguments)
    data = _png(pixels, arguments.scale)
    write_atomically(arguments.png, data, overwrite=arguments.overwrite)
    print(f"{arguments.png}: {_size(pixels)}, as the model sees them")


def _size(pixels: NDArray[np.uint8]) -> str:
    height, width, channels = pixels.shape
    return f"{width} x {height} {'grey' if channels == 1 else 'RGB'} pixels"


def _pixels(arguments: argparse.Namespace) -> NDArray[np.uint8]:
    """Pixels of shape (height, width, channels); warnings are said."""
    from edge_runtime import foreign, image, modelfile, models, preprocess, sources

    file = modelfile.read(arguments.model or models.model_to_show())
    description = flags.description(arguments)
    if file.spec is not None:
        description.require_none(file.path)
    known = file.spec or foreign.describe(file, description)
    picture = sources.only(arguments.picture)
    pixels, warnings = preprocess.to_pixels(image.load(picture, known.image), known.image)
    for warning in warnings:
        say(f"{arguments.picture}: {warning}")
    return pixels


def _png(pixels: NDArray[np.uint8], scale: int) -> bytes:
    import io

    from PIL import Image

    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    size = picture.width * scale, picture.height * scale
    file = io.BytesIO()
    picture.resize(size, Image.Resampling.NEAREST).save(file, "PNG")
    return file.getvalue()


def _colour() -> bool:
    """Colours where a terminal shows them, and nobody has said no (https://no-color.org)."""
    unwanted = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not unwanted
