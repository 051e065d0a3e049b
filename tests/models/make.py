"""Make the tiny model files beside this one anew: `python tests/models/make.py`.

Their weights are set by hand, so that a test can say what they must answer: `halves` tell which
half of an 8 x 8 grey picture is bright, `colours` which colour an 8 x 8 RGB picture has.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.modelfile import add_keras_spec
from edge_runtime.spec import Color, ImageInput, ModelSpec
from export import export
from export.variants import select

SIDE = 8
SHARPNESS = 0.3  # of the answers: large enough to be sure of a clear picture
VARIANTS = ("float32.tflite", "int8.tflite", "float32.onnx", "int8.onnx")
HALVES = {
    "top": np.s_[: SIDE // 2, :],
    "bottom": np.s_[SIDE // 2 :, :],
    "left": np.s_[:, : SIDE // 2],
    "right": np.s_[:, SIDE // 2 :],
}
COLOURS = {name: np.s_[:, :, channel] for channel, name in enumerate(("red", "green", "blue"))}


def main() -> None:
    """Make all eight files."""
    for name, color, places in (("halves", "gray", HALVES), ("colours", "rgb", COLOURS)):
        with TemporaryDirectory() as folder:
            run, out = Path(folder) / "run", Path(folder) / "exported"
            write_run(run, name, color, places)
            report = export(run, out=out, variants=select(VARIANTS))
            assert report.passed, report
            for variant in VARIANTS:
                shutil.copy(out / f"{name}.{variant}", Path(__file__).parent)


def write_run(
    run: Path, name: str, color: Color, places: dict[str, tuple[slice | int, ...]]
) -> None:
    """A run directory as `python -m train` would leave it."""
    channels = 1 if color == "gray" else 3
    image = ImageInput(SIDE, SIDE, color, (0.0,) * channels, (255.0,) * channels)
    spec = ModelSpec(name=name, labels=tuple(places), image=image, scores="logits")
    run.mkdir()
    path = run / "model.keras"
    model(places, channels).save(path)
    path.write_bytes(add_keras_spec(path.read_bytes(), spec))
    for part, seed in (("calibration", 0), ("evaluation", 1)):
        images, labels = pictures(places, channels, np.random.default_rng(seed))
        np.savez_compressed(run / f"{part}.npz", images=images, labels=labels)


def model(places: dict[str, tuple[slice | int, ...]], channels: int) -> keras.Model:
    """One dense layer: a label's logit is how much brighter its place is than the rest."""
    weights = np.full((SIDE, SIDE, channels, len(places)), -1 / len(places), np.float32)
    for index, place in enumerate(places.values()):
        weights[..., index][place] += 1
    dense = keras.layers.Dense(len(places))
    inputs = keras.Input((SIDE, SIDE, channels), name="image")
    made = keras.Model(inputs, dense(keras.layers.Flatten()(inputs)))
    dense.set_weights(
        [SHARPNESS * weights.reshape(-1, len(places)), np.zeros(len(places), np.float32)]
    )
    return made


def pictures(
    places: dict[str, tuple[slice | int, ...]], channels: int, random: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Noisy dark pictures, each with one bright place, and which it is."""
    labels = np.arange(64) % len(places)
    images = random.integers(0, 60, (len(labels), SIDE, SIDE, channels))
    for picture, label in zip(images, labels, strict=True):
        picture[list(places.values())[label]] += random.integers(60, 180)
    return images.astype(np.uint8), labels


if __name__ == "__main__":
    main()
