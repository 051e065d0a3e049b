"""The model that comes with the package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_runtime import Classifier, golden, modelfile
from edge_runtime.engines import installed_formats
from edge_runtime.errors import DamagedModelError
from edge_runtime.models import FOLDER, default_model

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(FOLDER.glob("fashion-mnist.*"))


def test_it_is_shipped_once_for_each_engine() -> None:
    assert [path.name for path in SHIPPED] == [
        "fashion-mnist.int8.onnx",
        "fashion-mnist.int8.tflite",
    ]


@pytest.mark.parametrize("form", installed_formats())
def test_it_passes_its_own_check_here(form: str) -> None:
    report = golden.check(modelfile.read(FOLDER / f"fashion-mnist.int8.{form}"))
    assert report.passed, report


@pytest.mark.parametrize("form", installed_formats())
def test_what_it_is_sure_of_in_real_pictures_of_clothes_is_right(form: str) -> None:
    classifier = Classifier.open(FOLDER / f"fashion-mnist.int8.{form}")
    pictures = sorted((ROOT / "docs/pictures").glob("*.png"))
    assert len(pictures) == 10
    results = {path.stem: classifier.classify(path) for path in pictures}
    sure = {name: result.best.label for name, result in results.items() if not result.unsure}
    looks = {name: name.replace("-", " ").capitalize() for name in sure}
    assert sure == looks | {"t-shirt": "T-shirt/top"}
    assert len(sure) >= 9, "one of the shirts could be a T-shirt"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_flipped_byte_in_it_is_noticed(path: Path, tmp_path: Path) -> None:
    data = bytearray(path.read_bytes())
    damaged = tmp_path / path.name
    for position in range(0, len(data), len(data) // 200):
        data[position] ^= 0x04
        damaged.write_bytes(data)
        with pytest.raises(DamagedModelError):
            modelfile.read(damaged)
        data[position] ^= 0x04


def test_it_is_the_default_from_any_folder(tmp_path: Path) -> None:
    boot = ROOT / "docs/pictures/ankle-boot.png"
    done = subprocess.run(
        [sys.executable, "-m", "edge_runtime", "classify", str(boot)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{boot}: Ankle boot ")


def test_the_default_is_one_that_an_engine_here_can_run() -> None:
    assert default_model() == FOLDER / f"fashion-mnist.int8.{installed_formats()[0]}"
    code = (
        "import sys; sys.modules['onnxruntime'] = None\n"
        "from edge_runtime.models import default_model; print(default_model().name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "fashion-mnist.int8.tflite\n", done.stderr
