"""A person's own pictures, in a folder for each class: three commands to an answer on a device."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scripts import photographs
from train import datasets

pytestmark = pytest.mark.slow

COUNT = int(os.environ.get("EDGEPROOF_PICTURES", "1000"))  # 5000 for the whole way


@pytest.fixture
def pictures(fashion_mnist: Path, tmp_path: Path) -> Path:
    """PNGs of clothes in ten folders; among them some that are large, deep, see-through or broken."""
    folder = tmp_path / "clothes"
    split = datasets.load("fashion-mnist", data_dir=fashion_mnist).train.sample(COUNT)
    for number, (pixels, label) in enumerate(zip(split.images[..., 0], split.labels, strict=True)):
        place = folder / f"class-{label}"
        place.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(pixels)
        match number % 50:
            case 0:
                picture = picture.resize((90, 70))
            case 1:
                picture = Image.fromarray(pixels.astype(np.uint16) * 257)
            case 2:
                picture = picture.convert("RGBA")
        picture.save(place / f"{number:05}.png")
    (folder / "class-0" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    return folder


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)], capture_output=True, text=True, check=True
    )


def answer(line: str) -> Any:
    return json.loads(line)["predictions"][0]["label"]


def test_three_commands_lead_from_a_folder_of_ten_classes_to_answers(
    pictures: Path, tmp_path: Path
) -> None:
    trained, exported = tmp_path / "run", tmp_path / "exported"
    shape = ["--model", "cnn", "--epochs", 6, "--size", 28, "--color", "gray"]
    told = run("train", "--dataset", pictures, *shape, "--out", trained).stderr
    assert "broken.png is" in told
    summary = json.loads((trained / "train.json").read_text())
    assert summary["test_accuracy"] > 0.6

    run("export", trained, "--out", exported)
    report = json.loads((exported / "export.json").read_text())
    assert report["passed"]
    assert len(report["variants"]) == 6

    shown = [
        place for folder in sorted(pictures.iterdir()) for place in sorted(folder.glob("*5.png"))
    ]
    model = exported / "clothes.int8.tflite"
    lines = run("edge_runtime", "classify", *shown, "--model", model, "--format", "jsonl").stdout
    right = [
        answer(line) == place.parent.name
        for line, place in zip(lines.splitlines(), shown, strict=True)
    ]
    assert np.mean(right) > summary["test_accuracy"] - 0.1


def test_colour_photographs_are_learnt_as_they_come_by_the_recipe_for_them(
    fashion_mnist: Path, tmp_path: Path
) -> None:
    assert fashion_mnist  # where the script looks for it too
    photos, trained, exported = (tmp_path / name for name in ("photos", "run", "exported"))
    assert photographs.main([str(photos), "--count", "400"]) == 0
    for folder in photos.iterdir():
        if folder.name not in ("bag", "dress", "sandal", "trouser"):
            shutil.rmtree(folder)

    told = run(
        "train", "--config", "pictures", "--dataset", photos, "--epochs", 20, "--out", trained
    )
    assert "pictures become 96 x 96 RGB" in told.stderr
    accuracy = json.loads((trained / "train.json").read_text())["test_accuracy"]
    assert accuracy > 0.5  # a quarter is chance

    run("export", trained, "--out", exported, "--only", "float32.tflite")
    shown = sorted(photos.glob("bag/*.jpg"))
    model = exported / "photos.float32.tflite"
    lines = run("edge_runtime", "classify", *shown, "--model", model, "--format", "jsonl").stdout
    assert len(lines.splitlines()) == len(shown) > 20
