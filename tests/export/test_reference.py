from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.measures.size import parts
from edge_runtime import golden, modelfile, models
from edge_runtime.errors import ModelError
from export import ExportReport, reference, source
from export.reference.__main__ import fill, first_of_each

LARGEST_KIB = {"nano": 32, "small": 125, "base": 380}  # without golden samples


def test_evaluation_pictures_come_from_every_class_alike() -> None:
    labels = np.array([2, 0, 0, 1, 2, 0, 1, 1, 2])
    assert first_of_each(labels, classes=3, count=6).tolist() == [0, 1, 2, 3, 4, 6]


@pytest.mark.parametrize("name", reference.MODELS)
def test_each_shipped_model_has_its_int8_file_of_the_size_that_was_asked_for(name: str) -> None:
    run = source.read(reference.folder(name), calibration=True)
    shipped = models.FOLDER if name == reference.DEFAULT else reference.folder(name)
    file = modelfile.read(shipped / "fashion-mnist.int8.tflite")
    assert file.spec is not None
    assert file.spec.provenance.source_sha256 == run.sha256
    assert len(file.data) - parts(file).golden_bytes <= LARGEST_KIB[name] * 1024
    assert golden.check(file).passed


@pytest.mark.slow
def test_filling_makes_a_run_directory_and_ships_the_integer_files(
    trained: Path, exported: tuple[Path, ExportReport], tmp_path: Path
) -> None:
    workstation, device = tmp_path / "reference", tmp_path / "models"
    fill(trained, exported[0], workstation=workstation, device=device)
    shipped = source.read(workstation, calibration=True)
    assert np.bincount(shipped.labels).tolist() == [250] * 4
    assert shipped.sha256 == exported[1].source_sha256
    assert {path.name for path in device.iterdir()} == {"halves.int8.tflite", "halves.int8.onnx"}


@pytest.mark.slow
def test_files_of_another_model_are_not_shipped(
    trained: Path, exported: tuple[Path, ExportReport], tmp_path: Path
) -> None:
    run = shutil.copytree(trained, tmp_path / "run")
    spec = modelfile.read_keras_spec(run / "model.keras")
    assert spec is not None
    another = modelfile.add_keras_spec((run / "bare.keras").read_bytes(), spec) + b"\0"
    (run / "model.keras").write_bytes(another)
    with pytest.raises(ModelError, match="is not made from"):
        fill(run, exported[0], workstation=tmp_path / "a", device=tmp_path / "b")
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()
