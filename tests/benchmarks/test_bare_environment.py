"""What a device has is enough: numpy, Pillow and one engine, and truly nothing else."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from benchmarks.report import read

pytestmark = pytest.mark.slow

Folder = Callable[..., Path]

ROOT = Path(__file__).parents[2]
QUICK = ["--blocks", "1", "--rounds", "2", "--seconds", "0.01", "--peak-seconds", "0.02"]


def bare(folder: Path, *packages: str) -> Path:
    """A Python of its own that has these packages, by links to this one's, and no pip."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    for package in packages:
        distribution = metadata.distribution(package)
        tops = {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}
        for top in tops - {"__pycache__"}:
            (site / top).symlink_to(str(distribution.locate_file(top)))
    return folder / "bin" / "python"


@pytest.mark.parametrize(
    ("engine", "kind"), [("ai-edge-litert", "tflite"), ("onnxruntime", "onnx")]
)
def test_a_benchmark_needs_numpy_pillow_and_one_engine(
    engine: str, kind: str, folder: Folder, tmp_path: Path
) -> None:
    pytest.importorskip(engine.replace("-", "_"))
    python = bare(tmp_path / "bare", "numpy", "pillow", engine)
    listed = subprocess.run(
        [python, "-m", "pip"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert "No module named pip" in listed.stderr, "the environment is bare"
    report = tmp_path / "report.json"
    done = subprocess.run(
        [python, "-m", "benchmarks", folder(f"int8.{kind}"), "--report", report, *QUICK],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "1 of 1 file within tolerance." in done.stdout
    for suffix in (".json", ".md", ".csv", ".html"):
        assert report.with_suffix(suffix).stat().st_size > 500
    found = read(report)
    assert not {"rich", "tensorflow"} & found.machine.versions.keys()
    assert {one.arithmetic for one in found.peaks} == {"float32", "int8"}
    assert found.share_of_limit(found.measurements[0])
    assert sys.prefix != str(python.parents[1])
