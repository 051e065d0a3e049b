"""The emulated Pis, and the model files and pictures that they are tried with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from edge_runtime import models as shipped
from export import reference
from tests.device import lab
from tests.device.lab import Pi
from tests.device.userlands import REPOSITORY, USERLANDS

MODELS = "DEVICE_LAB_MODELS"  # environment: a folder of files to try, not the reference's variants
PICTURES = 200
PHOTOGRAPHS = 40
# All that decides what the exported files are: they are made anew when any of it changes.
EXPORTING = [
    *(path for package in ("edge_runtime", "export") for path in (REPOSITORY / package).rglob("*")),
    REPOSITORY / "constraints.txt",
]

_ORIENTATION = 0x0112  # EXIF: how the camera was held
_ON_ITS_SIDE = 6  # a viewer has to turn it by 90 degrees, clockwise
_figures = pytest.StashKey[list[str]]()


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
    _python("-m", "build", "--outdir", folder, REPOSITORY)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session", params=USERLANDS, ids=lambda userland: userland.name)
def pi(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Pi:
    """An emulated Raspberry Pi with this package installed."""
    pi = Pi(request.param, lab.build(request.param), tmp_path_factory.mktemp("home"))
    pi.install(wheel)
    return pi


@pytest.fixture(scope="session")
def exported() -> Path:
    """A folder with every variant of the reference model, or the one that is named."""
    if named := os.environ.get(MODELS):
        return Path(named)
    folder = lab.cached("exported", EXPORTING)
    if not folder.is_dir():
        _python("-m", "export", "--out", folder)
    return folder


@pytest.fixture(scope="session")
def model_files(pi: Pi, models: Path, exported: Path) -> Mapping[str, Path]:
    """Every model file for the Pi's engines, in its home, by name; none twice."""
    found: dict[bytes, str] = {}
    for kind, folder in (
        ("tiny", models),
        ("shipped", shipped.FOLDER),
        *((name, reference.folder(name)) for name in reference.MODELS),
        ("exported", exported),
    ):
        for path in sorted(folder.iterdir()):
            if path.suffix[1:] in pi.userland.formats:
                found.setdefault(path.read_bytes(), f"{kind}/{path.name}")
    places = {name: pi.home / "models" / name for name in found.values()}
    for data, name in found.items():
        places[name].parent.mkdir(parents=True, exist_ok=True)
        places[name].write_bytes(data)
    return places


@pytest.fixture(scope="session")
def clothes() -> Sequence[Image.Image]:
    """200 pictures of Fashion-MNIST's test set: grey, 28 x 28, light on dark."""
    with np.load(REPOSITORY / "export/reference/small/evaluation.npz") as evaluation:
        images = evaluation["images"][:PICTURES, :, :, 0]
    return [Image.fromarray(image) for image in images]


@pytest.fixture(scope="session")
def pictures(pi: Pi, clothes: Sequence[Image.Image]) -> Sequence[Path]:
    """The 200 pictures as they are, in the Pi's home."""
    folder = pi.home / "pictures"
    folder.mkdir()
    paths = [folder / f"{number:03}.png" for number in range(len(clothes))]
    for path, picture in zip(paths, clothes, strict=True):
        picture.save(path)
    return paths


@pytest.fixture(scope="session")
def photographs(pi: Pi, clothes: Sequence[Image.Image]) -> Sequence[Path]:
    """40 of them as a camera has them: large, red, green or blue on white, some on their side."""
    folder = pi.home / "photographs"
    folder.mkdir()
    random = np.random.default_rng(0)
    paths = [folder / f"{number:03}.jpg" for number in range(PHOTOGRAPHS)]
    for number, path in enumerate(paths):
        side = int(random.integers(300, 600))
        large = ImageOps.invert(clothes[number]).resize((side, side), Image.Resampling.BICUBIC)
        photograph = ImageOps.colorize(
            large, ["darkred", "darkgreen", "darkblue"][number % 3], "white"
        )
        exif = Image.Exif()
        if number % 4 == 0:
            photograph, exif[_ORIENTATION] = photograph.rotate(90), _ON_ITS_SIDE
        photograph.save(path, quality=85, exif=exif)
    return paths


def _python(*arguments: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
