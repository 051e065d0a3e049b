"""Folders of pictures: what they become, and what is wrong with some."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_runtime.errors import InputError, UsageError
from train.cli import main
from train.datasets import load

COLOURS = {"blue": (0, 0, 255), "green": (0, 255, 0), "red": (255, 0, 0)}


def paint(folder: Path, count: int = 15, size: tuple[int, int] = (12, 10), first: int = 0) -> Path:
    """PNGs of each colour, each with noise of its own."""
    for index, (label, colour) in enumerate(COLOURS.items()):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            random = np.random.default_rng([index, first + number])
            noise = random.integers(-40, 40, (size[1], size[0], 3))
            pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number}.png")
    return folder


@pytest.fixture
def painted(tmp_path: Path) -> Path:
    return paint(tmp_path / "My colours!")


def test_a_folder_of_folders_becomes_three_splits(painted: Path) -> None:
    dataset = load(str(painted))
    assert (dataset.name, dataset.labels) == ("My-colours", ("blue", "green", "red"))
    image = dataset.image
    assert (image.height, image.width, image.color) == (10, 12, "rgb")
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [29, 7, 9]
    assert dataset.test.counts(3) == [3, 3, 3]
    means = dataset.train.images[dataset.train.labels == 2].mean(axis=(0, 1, 2))
    assert means[0] > 200
    assert means[1] < 60
    assert dataset.sha256 == load(str(painted)).sha256


def test_splits_that_are_there_are_used(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "validation", "test")):
        paint(tmp_path / split, count=5 + number, first=100 * number)
    dataset = load(str(tmp_path))
    sizes = [len(part) for part in (dataset.train, dataset.validation, dataset.test)]
    assert sizes == [15, 18, 21]


@pytest.mark.parametrize(
    "names",
    [
        ("Train", "Val", "Test"),
        ("training", "valid", "testing"),
        ("training_set", "validation-images", "test_set"),
    ],
)
def test_splits_may_be_called_as_others_call_them(
    tmp_path: Path, names: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    for number, split in enumerate(names):
        paint(tmp_path / split, count=5 + number, first=100 * number)
    (tmp_path / names[0] / "red" / "0.png").rename(tmp_path / names[0] / "stray.png")
    dataset = load(str(tmp_path))
    assert dataset.labels == tuple(COLOURS)
    sizes = [len(part) for part in (dataset.train, dataset.validation, dataset.test)]
    assert sizes == [14, 18, 21]
    assert "left out: 1 pictures that are in no class's folder" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["extra", "TRAINING"])
def test_a_folder_beside_the_splits_is_refused(tmp_path: Path, name: str) -> None:
    for split in ("train", "test", name):
        paint(tmp_path / split, count=5)
    with pytest.raises(InputError, match="beside those of its splits; expected train, and perhaps"):
        load(str(tmp_path))


def test_a_test_split_without_a_training_split_is_no_class(painted: Path) -> None:
    paint(painted / "test", count=2, first=100)
    with pytest.raises(InputError, match="sub-folder test with the same classes in it, but none"):
        load(str(painted))


def test_a_class_may_be_called_like_a_split(tmp_path: Path) -> None:
    paint(tmp_path)
    (tmp_path / "red").rename(tmp_path / "valid")
    (tmp_path / "blue").rename(tmp_path / "train-station")
    (tmp_path / "valid" / "2026").mkdir()
    assert load(str(tmp_path)).labels == ("green", "train-station", "valid")


def test_folders_inside_a_class_count_as_the_class_and_that_is_said(
    painted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dark = painted / "red" / "dark"
    dark.mkdir()
    (painted / "red" / "0.png").rename(dark / "0.png")
    dataset = load(str(painted))
    assert dataset.labels == tuple(COLOURS)
    assert len(dataset.train) + len(dataset.validation) + len(dataset.test) == 45
    told = capsys.readouterr().err
    assert "are no classes (1): pictures in red/dark count as red" in told


def test_the_first_pictures_are_of_all_classes(painted: Path) -> None:
    dataset = load(str(painted))
    for part in (dataset.train, dataset.validation, dataset.test):
        assert set(part.labels[:7]) == {0, 1, 2}


def test_pictures_of_many_kinds_come_to_one_size_and_bad_ones_are_named(
    painted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    red = painted / "red"
    Image.new("RGBA", (300, 200), (255, 0, 0, 255)).save(red / "rgba.png")
    Image.fromarray(np.full((40, 50), 40_000, np.uint16)).save(red / "deep.png")
    (red / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much of a picture")
    (red / "empty.png").touch()
    (red / "notes.txt").write_text("no picture, and not meant to be one")
    (red / "phone.HEIC").write_bytes(b"nothing that Pillow reads")
    dataset = load(str(painted))
    sizes = [len(part) for part in (dataset.train, dataset.validation, dataset.test)]
    assert sum(sizes) == 47
    assert dataset.train.images.shape[1:] == (96, 96, 3)
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("left out, for pictures end in .jpg, .jpeg, .jfif, .png, ")
    assert told[0].endswith(": 1 .txt, 1 .heic")
    assert told[1] == "pictures become 96 x 96 RGB; --size and --color change that"
    assert "cut.jpg is" in told[2]
    assert "empty.png is empty" in told[3]
    assert len(told) == 4
    assert [line.partition(" is ")[0] for line in dataset.left_out] == [
        str(red / "cut.jpg"),
        str(red / "empty.png"),
    ]


def test_of_many_bad_pictures_some_are_named_and_all_are_kept_in_mind(
    painted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(12):
        (painted / "red" / f"bad-{number}.png").touch()
    assert len(load(str(painted)).left_out) == 12
    told = capsys.readouterr().err.splitlines()
    assert told[-1] == "left out: 2 more pictures; a run's train.json names them all"


def test_deep_and_transparent_pictures_become_the_pixels_that_a_device_sees(tmp_path: Path) -> None:
    for label in ("clear", "deep"):
        (tmp_path / label).mkdir()
    for number in range(5):
        clear = Image.new("RGBA", (8, 8), (250, number, 0, 255))
        clear.paste((0, 0, 0, 0), (0, 0, 8, 4))  # nothing there, whatever colour it says
        clear.save(tmp_path / "clear" / f"{number}.png")
        deep = np.full((8, 8), 40_000 + 256 * number, np.uint16)
        Image.fromarray(deep).save(tmp_path / "deep" / f"{number}.png")
    train = load(str(tmp_path)).train
    for picture, label in zip(train.images, train.labels, strict=True):
        if label:
            assert 155 <= picture.min() == picture.max() <= 161
        else:
            assert picture[:4].min() == 255  # as on white paper
            assert picture[4:, :, 0].min() == 250


def test_size_and_colour_can_be_given_for_folders_only(painted: Path, idx_folder: Path) -> None:
    assert load(str(painted), size=20, color="gray").train.images.shape[1:] == (20, 20, 1)
    with pytest.raises(UsageError, match="--size and --color are for folders of pictures"):
        load(str(idx_folder), size=20)


def test_grey_pictures_make_a_grey_data_set(painted: Path) -> None:
    for path in painted.rglob("*.png"):
        Image.open(path).convert("L").save(path)
    assert load(str(painted)).image.color == "gray"


def test_one_class_or_an_empty_class_is_an_error(painted: Path) -> None:
    (painted / "violet").mkdir()
    with pytest.raises(InputError, match="has no picture of 'violet' that can be used"):
        load(str(painted))
    with pytest.raises(InputError, match=r"has 1 class\(es\) \(only\); expected a sub-folder"):
        load(str(paint_one(painted.parent / "single")))


@pytest.mark.parametrize("below", ["", "train"])
def test_pictures_that_are_not_sorted_into_classes_are_counted(below: str, tmp_path: Path) -> None:
    photos = tmp_path / "photos" / below
    photos.mkdir(parents=True)
    for name in ("a.png", "b.JPG", "notes.txt"):
        (photos / name).touch()
    for size in (None, 32):
        with pytest.raises(
            InputError, match=f"{photos} has 2 pictures but no sub-folder for each class; sort them"
        ):
            load(str(tmp_path / "photos"), size=size)


def test_an_empty_folder_is_told_what_it_could_hold(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="has no pictures; name a folder that has a sub-folder of them for each"
    ):
        load(str(tmp_path))


def test_a_class_name_that_no_model_file_takes_is_refused_before_a_picture_is_decoded(
    painted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (painted / "red").rename(painted / ("red" * 70))
    with pytest.raises(InputError, match="must be 1 to 200 printable characters; choose other"):
        load(str(painted))
    assert not capsys.readouterr().err


def test_a_folder_that_may_not_be_read_is_one_line(
    painted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(folder: Path) -> None:  # as the system does, but for root, who may run this
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert main(["--dataset", str(painted), "--out", str(painted.parent / "run")]) == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert f"cannot read {painted}: Permission denied; change its permissions" in told


def paint_one(folder: Path) -> Path:
    (folder / "only").mkdir(parents=True)
    Image.new("L", (8, 8)).save(folder / "only" / "a.png")
    return folder


def test_training_pictures_that_are_in_the_test_split_too_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paint(tmp_path / "train", count=10)
    paint(tmp_path / "test", count=4)  # the same as the first four of each class
    original = tmp_path / "train" / "red" / "9.png"
    (tmp_path / "train" / "blue" / "wrong.png").write_bytes(original.read_bytes())
    dataset = load(str(tmp_path))
    assert len(dataset.test) == 12
    assert len(dataset.train) + len(dataset.validation) == 18
    told = capsys.readouterr().err
    assert "left out: 12 train pictures that are in test too" in told
    assert "left out: 1 train pictures that are in train too" in told
    assert "are the same picture in two classes" in told


@pytest.mark.slow
def test_a_folder_trains_and_rare_classes_can_be_made_to_count(
    painted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in sorted((painted / "red").iterdir())[6:]:
        path.unlink()
    for number in range(15, 25):
        noise = np.random.default_rng(number).integers(0, 90, (10, 12, 3), np.uint8)
        Image.fromarray(noise + np.array([0, 0, 160], np.uint8)).save(
            painted / "blue" / f"{number}.png"
        )
    out = tmp_path / "run"
    shape = ["--units", "16", "--batch-size", "8", "--epochs", "20"]
    given = ["--dataset", str(painted), *shape, "--learning-rate", "0.01", "--augment", "--mirror"]
    assert main([*given, "--out", str(out)]) == 0
    told = capsys.readouterr().err
    assert "training pictures, rarest first: 4 red, 10 green, 16 blue" in told
    assert "classes differ: " in told
    assert main(["evaluate", str(out), "--plot", str(tmp_path / "all.png")]) == 0  # of 11 pictures
    assert json.loads((out / "train.json").read_text())["test_accuracy"] > 0.8
    assert main([*given, "--class-weights", "--out", str(tmp_path / "even")]) == 0
    assert "classes differ: " not in capsys.readouterr().err
    uneven, even = ((run / "history.csv").read_text() for run in (out, tmp_path / "even"))
    assert uneven != even


@pytest.mark.slow
def test_three_commands_lead_from_a_folder_to_answers(painted: Path, tmp_path: Path) -> None:
    run, exported = tmp_path / "run", tmp_path / "exported"
    shape = ["--units", "16", "--batch-size", "8", "--epochs", "20", "--learning-rate", "0.01"]
    shown = [*sorted(painted.glob("red/1*.png")), "--format", "jsonl"]
    commands = (
        ["train", "--dataset", painted, *shape, "--out", run],
        ["export", run, "--out", exported, "--only", "float32"],
        ["edge_runtime", "classify", *shown, "--model", exported / "My-colours.float32.tflite"],
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-m", *map(str, words)], capture_output=True, text=True, check=True
        ).stdout
        for words in commands
    ]
    answers = [json.loads(line)["predictions"][0]["label"] for line in outputs[-1].splitlines()]
    assert len(answers) == 6
    assert answers.count("red") >= 5
