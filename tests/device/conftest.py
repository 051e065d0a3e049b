"""The emulated Pis, the model files and pictures that they are tried with, and what the desktop says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from edge_runtime import models as shipped
from tests.device import lab
from tests.device.lab import Pi

# A folder of exported model files to try instead of the six made from the reference model.
MODELS_VARIABLE = "DEVICE_LAB_MODELS"
PICTURES = 200
PHOTOGRAPHS = 40

_ORIENTATION = 0x0112  # EXIF
_figures = pytest.StashKey[list[str]]()


@dataclass(frozen=True)
class Answer:
    """The best label of one picture."""

    index: int
    score: float  # 0..1


Answers = Sequence[Answer]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_figures] = []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The figures are the proof, so they are shown where the tests pass, too."""
    if figures := config.stash[_figures]:
        terminalreporter.section("device lab")
        for figure in figures:
            terminalreporter.write_line(figure)


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """A function: a line to show when all tests have run."""
    return pytestconfig.stash[_figures].append


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This package as people get it."""
    folder = tmp_path_factory.mktemp("wheel")
    # By way of a source distribution, so that nothing left over in build/ gets into it.
    command = [sys.executable, "-m", "build", "--outdir", folder, lab.REPOSITORY]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session", params=lab.USERLANDS, ids=lambda userland: userland.name)
def pi(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Pi:
    """An emulated Raspberry Pi with this package installed."""
    home = tmp_path_factory.mktemp("home")
    pi = Pi(request.param, lab.build(request.param), home)
    pi.install(wheel)
    return pi


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every variant of the reference model, or the one that the variable names."""
    if named := os.environ.get(MODELS_VARIABLE):
        return Path(named).resolve()
    folder = tmp_path_factory.mktemp("exported") / "reference"
    command = [sys.executable, "-m", "export", "--out", folder]
    subprocess.run(command, check=True, capture_output=True, cwd=lab.REPOSITORY)
    return folder


@pytest.fixture(scope="session")
def models(pi: Pi, models: Path, exported: Path) -> Mapping[str, Path]:
    """Every model file that the Pi's engines can run, in its home: name → file, no bytes twice."""
    found: dict[bytes, Path] = {}
    for folder in (models, shipped.FOLDER, exported):
        for path in sorted(folder.iterdir()):
            if path.suffix[1:] in pi.userland.formats:
                found.setdefault(path.read_bytes(), path)
    home = pi.home / "models"
    copies = {f"{path.parent.name}/{path.name}": path for path in found.values()}
    for name, path in copies.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, home / name)
    return {name: home / name for name in copies}


@pytest.fixture(scope="session")
def clothes() -> Sequence[Image.Image]:
    """Pictures of Fashion-MNIST's test set, grey, 28 x 28, light on dark."""
    with np.load(lab.REPOSITORY / "export/reference/evaluation.npz") as evaluation:
        images = evaluation["images"][:PICTURES, :, :, 0]
    return [Image.fromarray(image) for image in images]


@pytest.fixture(scope="session")
def pictures(pi: Pi, clothes: Sequence[Image.Image]) -> Sequence[Path]:
    """200 pictures as they are, in the Pi's home."""
    return _save(clothes, pi.home / "pictures", ".png")


@pytest.fixture(scope="session")
def photographs(pi: Pi, clothes: Sequence[Image.Image]) -> Sequence[Path]:
    """40 of them as a camera has them: large, in colour, dark on light, some on their side."""
    random = np.random.default_rng(0)
    taken, turned = [], Image.Exif()
    turned[_ORIENTATION] = 6
    for number, picture in enumerate(clothes[:PHOTOGRAPHS]):
        side = int(random.integers(300, 600))
        light = ImageOps.invert(picture).resize((side, side), Image.Resampling.BICUBIC)
        colour = [(140, 20, 20), (20, 120, 20), (20, 20, 140)][number % 3]
        photograph = ImageOps.colorize(light, colour, "white")
        taken.append(photograph.rotate(90) if number % 4 == 0 else photograph)
        taken[-1].getexif().update(turned if number % 4 == 0 else {})
    return _save(taken, pi.home / "photographs", ".jpg")


@pytest.fixture(scope="session")
def on_desktop() -> Callable[[Path, Sequence[Path]], Answers]:
    """A function: model file, pictures → what this machine says of them."""

    def classify(model: Path, pictures: Sequence[Path]) -> Answers:
        return answers(
            subprocess.run(
                [sys.executable, "-m", "edge_runtime", *classification(model, pictures)],
                capture_output=True,
                text=True,
                check=False,
            )
        )

    return classify


@pytest.fixture(scope="session")
def on_pi(pi: Pi) -> Callable[[Path, Sequence[Path]], Answers]:
    """A function: model file, pictures → what the Pi says of them."""

    def classify(model: Path, pictures: Sequence[Path]) -> Answers:
        return answers(pi.python("-m", "edge_runtime", *classification(model, pictures)))

    return classify
