"""A folder made earlier against its report, on the small models."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime import Classifier, modelfile
from edge_runtime.parity import compare
from export.cli import main

FILE = "halves.int8.tflite"


@pytest.fixture
def folder(models: Path, pictures: Callable[..., Any], tmp_path: Path) -> Path:
    """What an export of one file leaves, judged by 300 pictures."""
    images, labels = pictures(300, seed=4)
    shutil.copy(models / FILE, tmp_path)
    reference = Classifier.open(models / "halves.float32.tflite").scores(images)
    file = modelfile.read(models / FILE)
    scores = Classifier.from_file(file).scores(images)
    np.savez(tmp_path / "evaluation.npz", images=images, labels=labels, scores=reference)
    made = {"file": FILE, "sha256": file.sha256, "precision": "int8", "published": True}
    made["parity"] = asdict(compare(reference, scores, labels))
    limits = {"max_accuracy_drop_points": 100, "min_agreement": 0}
    said = {"schema": 1, "labels": ["a", "b", "c", "d"], "limits": limits, "variants": [made]}
    (tmp_path / "export.json").write_text(json.dumps(said))
    return tmp_path


def change(folder: Path, **arrays: Any) -> None:
    with np.load(folder / "evaluation.npz") as archive:
        known = dict(archive)
    np.savez(folder / "evaluation.npz", **(known | arrays))


def test_a_file_that_does_as_it_did_is_said_to_measure_as_it_did(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(folder)]) == 0
    line, last = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{FILE}  agrees on ")
    assert ", right on " in line
    assert line.endswith("% (as export measured), as it was")
    assert last == "1 of 1 files are as they were"


def test_figures_that_rounding_does_not_explain_are_a_problem(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(folder / "evaluation.npz") as archive:
        labels = archive["labels"]
    change(
        folder, labels=(labels + 1) % 4
    )  # the original is as wrong as the file: no limit sees it
    assert main(["verify", str(folder)]) == 1
    said = capsys.readouterr().out
    assert "(at export: agrees on " in said
    assert "; it agrees on" not in said
    assert "it is right on " in said
    assert "evaluation.npz or export.json was changed, or the engine here is at fault" in said


def test_a_picture_that_rounding_may_turn_is_no_problem(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads((folder / "export.json").read_text())
    document["variants"][0]["parity"]["agreement"] -= 1 / 300
    (folder / "export.json").write_text(json.dumps(document))
    assert main(["verify", str(folder)]) == 0
    assert "(at export: agrees on " in capsys.readouterr().out


def test_figures_of_another_number_of_pictures_are_not_compared(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(folder / "evaluation.npz") as archive:
        fewer = {name: array[:200] for name, array in archive.items()}
    change(folder, **fewer | {"labels": (fewer["labels"] + 1) % 4})
    assert main(["verify", str(folder)]) == 0
    assert "% (export measured other pictures), as it was" in capsys.readouterr().out
