"""Render test pictures of Fashion-MNIST back into photographs, to measure what a camera costs.

Its authors made each picture from a product photograph: they cut the margins, shrank the longest
side to 28 pixels, sharpened, centred, inverted and took the grey. This goes the other way, with
what people's own pictures add: size, margins, aspect, colour, uneven light, JPEG and EXIF rotation.

With a folder's name it writes them there; without, it measures the reference models on them and on
the originals, and writes docs/reports/runtime/photographs.json.
"""

from __future__ import annotations

import argparse
import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_runtime import Classifier, console, modelfile, parity
from edge_runtime.files import new_directory, write_atomically
from export import reference
from train import datasets
from train.datasets import Dataset

Pixels = NDArray[np.uint8]

REPORT: Final = Path(__file__).parents[1] / "docs" / "reports" / "runtime" / "photographs.json"
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


class Photograph(NamedTuple):
    """One photograph, and what it was made of."""

    position: int  # among the data set's test pictures
    label: str
    jpeg: bytes


def main(argv: Sequence[str] | None = None) -> int:
    """Write a folder of photographs, with a sub-folder per class, or measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, nargs="?", help="write them there and measure nothing")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument("--model", type=Path, help="another model file, instead of theirs")
    parser.add_argument("--report", type=Path, default=REPORT)
    arguments = parser.parse_args(argv)
    if arguments.model and arguments.report == REPORT:
        parser.error("--model wants a --report of its own")
    return console.run("photographs", lambda: (_write if arguments.out else _measure)(arguments))


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
    tint = random.uniform(0, 110, 3).astype(np.float32)  # the darkest colour of the cloth
    photograph = light + (tint - light) * object_share
    photograph += 2 * random.standard_normal(photograph.shape, np.float32)  # the sensor's noise
    return Image.fromarray(np.clip(np.rint(photograph), 0, 255).astype(np.uint8))


def _light(height: int, width: int, random: np.random.Generator) -> NDArray[np.float32]:
    """A light background that falls off towards one side, RGB float32."""
    x = np.linspace(0, 1, width, dtype=np.float32)
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    toward = random.uniform(0, 1, 2).astype(np.float32)
    fall = np.float32(random.uniform(0, SHADE) / 2) * (x * toward[0] + y * toward[1])
    cast = random.uniform(-4, 4, 3)  # the lamp's colour
    lit = (random.uniform(*BACKGROUND) + cast).astype(np.float32)
    shaded: NDArray[np.float32] = lit - fall[..., None]
    return shaded


def photographs(dataset: Dataset, count: int, seed: int) -> Iterator[Photograph]:
    """Photographs of so many of the test pictures, drawn by chance; the same for the same seed."""
    random = np.random.default_rng(seed)
    chosen = np.sort(random.permutation(len(dataset.test))[:count])
    for index in chosen.tolist():
        picture = render(dataset.test.images[index, :, :, 0], random)
        orientation = int(random.choice(list(ROTATIONS), p=(0.7, 0.1, 0.1, 0.1)))
        turn = ROTATIONS[orientation]
        exif = Image.Exif()
        exif[_ORIENTATION] = orientation
        file = io.BytesIO()
        quality = int(random.integers(*QUALITY))
        (picture if turn is None else picture.transpose(turn)).save(
            file, "JPEG", quality=quality, exif=exif
        )
        label = dataset.labels[int(dataset.test.labels[index])]
        yield Photograph(index, label, file.getvalue())


def _write(arguments: argparse.Namespace) -> int:
    dataset = datasets.load("fashion-mnist")
    with new_directory(arguments.out, overwrite=arguments.overwrite) as folder:
        for index, label, jpeg in photographs(dataset, arguments.count, arguments.seed):
            # A label is no path: "T-shirt/top".
            place = folder / re.sub(r"[^a-z0-9]+", "-", label.lower())
            place.mkdir(exist_ok=True)
            (place / f"{index:05}.jpg").write_bytes(jpeg)
    print(f"{arguments.count:,} photographs are in {arguments.out}")
    return 0


def _measure(arguments: argparse.Namespace) -> int:
    dataset = datasets.load("fashion-mnist")
    files = {name: modelfile.read(reference.int8(name)) for name in reference.MODELS}
    if arguments.model:
        files = {arguments.model.stem: modelfile.read(arguments.model)}
    classifiers = [Classifier.from_file(each, top_k=len(dataset.labels)) for each in files.values()]
    indices, scores = [], []
    for index, _, jpeg in photographs(dataset, arguments.count, arguments.seed):
        indices.append(index)
        scores.append([_scores(classifier, jpeg) for classifier in classifiers])
    originals, labels = dataset.test.images[indices], dataset.test.labels[indices]
    measured = {}
    for classifier, seen, (name, file) in zip(
        classifiers, np.array(scores, np.float32).swapaxes(0, 1), files.items(), strict=True
    ):
        found = parity.compare(classifier.scores(originals), seen, labels)
        measured[name] = {
            "sha256": file.sha256,
            "accuracy_originals": found.reference_accuracy,
            "accuracy_photographs": found.accuracy,
            "difference_points": found.accuracy_difference_points,
            "interval_points": found.accuracy_difference_interval_points,
            "same_answer": found.agreement,
        }
    report = {"photographs": len(indices), "seed": arguments.seed, "models": measured}
    text = json.dumps(report, indent=2) + "\n"
    write_atomically(arguments.report, text.encode(), overwrite=True)
    print(text, end="")
    return 0


def _scores(classifier: Classifier, jpeg: bytes) -> list[float]:
    """The probability of every class, in the order of the labels."""
    predictions = classifier.classify(jpeg).predictions
    return [each.score for each in sorted(predictions, key=lambda one: one.index)]


if __name__ == "__main__":
    raise SystemExit(main())
