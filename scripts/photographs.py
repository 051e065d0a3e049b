"""Render test pictures of Fashion-MNIST back into photographs, to measure what a camera costs.

Its authors made each picture from a product photograph: they cut the margins, shrank the longest
side to 28 pixels, sharpened, centred, inverted and took the grey. This goes the other way, with
what people's own pictures add: size, margins, aspect, colour, uneven light, JPEG and EXIF rotation.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_runtime import console
from edge_runtime.files import new_directory
from train import datasets

Pixels = NDArray[np.uint8]

LONGEST_SIDE: Final = (300, 1200)  # pixels of the photograph
MARGIN: Final = (0.03, 0.3)  # of the object's size, on each side by itself
BACKGROUND: Final = (225, 255)  # brightness behind the object
SHADE: Final = 12  # how much darker a far corner may be
QUALITY: Final = (60, 95)  # of the JPEG
# EXIF orientations, and what must be done to the pixels so that they are put upright by them.
ROTATIONS: Final = {
    1: None,
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}
_ORIENTATION: Final = 0x0112  # the EXIF tag


def main(argv: Sequence[str] | None = None) -> int:
    """Write a folder of photographs, with a sub-folder per class."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--overwrite", action="store_true")
    arguments = parser.parse_args(argv)
    return console.run("photographs", lambda: _write(arguments))


def render(pixels: Pixels, random: np.random.Generator) -> Image.Image:
    """One photograph.

    Args:
        pixels: uint8 0..255, shape (28, 28), a light object on black.
        random: decides size, margins, colour and light.

    Returns:
        An RGB photograph of a dark object on a light background.
    """
    side = int(random.integers(*LONGEST_SIDE))
    left, top, right, bottom = random.uniform(*MARGIN, 4)
    scale = side / (1 + max(left + right, top + bottom))
    size = round(scale)
    cover = Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC)
    canvas = Image.new("L", (round(scale * (1 + left + right)), round(scale * (1 + top + bottom))))
    canvas.paste(cover, (round(scale * left), round(scale * top)))
    object_share = np.asarray(canvas, np.float32)[..., None] / 255
    light = _light(canvas.height, canvas.width, random)
    tint = random.uniform(0, 110, 3)  # the darkest colour of the cloth
    photograph = light * (1 - object_share) + tint * object_share
    photograph += random.normal(0, 2, photograph.shape)  # the sensor's noise
    return Image.fromarray(np.clip(np.rint(photograph), 0, 255).astype(np.uint8))


def _light(height: int, width: int, random: np.random.Generator) -> NDArray[np.float32]:
    """A light background that falls off towards one side, RGB float32."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    toward = random.uniform(0, 1, 2)
    fall = random.uniform(0, SHADE) * (x * toward[0] + y * toward[1]) / 2
    cast = random.uniform(-4, 4, 3)  # the lamp's colour
    lit = random.uniform(*BACKGROUND) - fall[..., None] + cast
    return lit.astype(np.float32)


def _photographs(count: int, seed: int) -> Iterator[tuple[str, Image.Image, dict[str, object]]]:
    """Names, pictures and how to save them."""
    dataset = datasets.load("fashion-mnist")
    random = np.random.default_rng(seed)
    chosen = np.sort(random.permutation(len(dataset.test))[:count])
    for index in chosen.tolist():
        picture = render(dataset.test.images[index, :, :, 0], random)
        label = dataset.labels[int(dataset.test.labels[index])]
        orientation = int(random.choice(list(ROTATIONS), p=(0.7, 0.1, 0.1, 0.1)))
        turn = ROTATIONS[orientation]
        exif = Image.Exif()
        exif[_ORIENTATION] = orientation
        settings = {"quality": int(random.integers(*QUALITY)), "exif": exif}
        folder = re.sub(r"[^a-z0-9]+", "-", label.lower())  # a label is no path: "T-shirt/top"
        name = f"{folder}/{index:05}.jpg"
        yield name, picture if turn is None else picture.transpose(turn), settings


def _write(arguments: argparse.Namespace) -> int:
    with new_directory(arguments.out, overwrite=arguments.overwrite) as folder:
        for name, picture, settings in _photographs(arguments.count, arguments.seed):
            (folder / name).parent.mkdir(exist_ok=True)
            picture.save(folder / name, "JPEG", **settings)
    print(f"{arguments.count:,} photographs are in {arguments.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
