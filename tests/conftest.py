"""What all tests share: the tiny real models, and pictures that they know."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Generator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

import hypothesis
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge_runtime.spec import Format

MODELS = Path(__file__).parent / "models"

# tflite-runtime is tested in an environment of its own, without ONNX Runtime. Anywhere else an
# engine that is missing is a failure and not a test less.
RUNNABLE = ("tflite",) if find_spec("tflite_runtime") else get_args(Format)

# The machine that runs the tests may be busy, and a failure must come back when it is looked at.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--strict-skips", action="store_true", help="a skipped test is a failure")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything must be there, a test less may not look like a test passed."""
    report = yield
    if report.skipped and item.config.getoption("--strict-skips"):
        report.outcome, report.longrepr = "failed", f"skipped: {report.longrepr}"
    return report


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`sealed_path`: every tiny model file. `model_path`: every one that an engine here can run."""
    for fixture, formats in (("sealed_path", get_args(Format)), ("model_path", RUNNABLE)):
        if fixture in metafunc.fixturenames:
            paths = sorted(path for path in MODELS.iterdir() if path.suffix[1:] in formats)
            metafunc.parametrize(fixture, paths, ids=lambda path: path.name)


def pytest_collection_finish() -> None:
    """Nor does finding the tests."""
    if "tensorflow" in sys.modules:
        raise pytest.UsageError("a test module loads TensorFlow; import it inside its tests")


@pytest.fixture(autouse=True)
def without_tensorflow(request: pytest.FixtureRequest) -> Generator[None]:
    """A fast test does not load TensorFlow, which takes longer than a hundred of them."""
    before = "tensorflow" in sys.modules
    yield
    loaded = "tensorflow" in sys.modules and not before
    if loaded and request.node.get_closest_marker("slow") is None:
        pytest.fail("it loads TensorFlow: mark it as slow")


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of tiny real models.

    `halves.*` tell which half of an 8 x 8 grey picture is bright (top, bottom, left, right),
    `colours.*` whether an 8 x 8 RGB picture is red, green or blue; each as float32 and int8, as
    .tflite and .onnx, sealed, with sixteen golden samples.
    """
    return MODELS


@pytest.fixture(scope="session")
def half() -> Callable[..., NDArray[np.uint8]]:
    """A function: a side's name → grey pixels (height, width) whose half on that side is bright."""

    def make(side: str, height: int = 8, width: int = 8) -> NDArray[np.uint8]:
        pixels = np.full((height, width), 30, np.uint8)
        bright = {
            "top": np.s_[: height // 2, :],
            "bottom": np.s_[height // 2 :, :],
            "left": np.s_[:, : width // 2],
            "right": np.s_[:, width // 2 :],
        }
        pixels[bright[side]] = 220
        return pixels

    return make


@pytest.fixture(scope="session")
def encoded() -> Callable[..., bytes]:
    """A function: a PIL image or uint8 pixels → the bytes of a picture file; options as Pillow's."""

    def encode(picture: Image.Image | NDArray[Any], form: str = "PNG", **options: Any) -> bytes:
        file = io.BytesIO()
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        image.save(file, form, **options)
        return file.getvalue()

    return encode
