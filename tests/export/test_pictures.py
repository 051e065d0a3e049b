"""Calibration and evaluation pictures from folders, archives and run directories."""

from __future__ import annotations

import gzip
from contextlib import suppress
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from edge_runtime.errors import InputError, UsageError
from edge_runtime.spec import ImageInput, ModelSpec
from export import Description, source
from export.calibration import manifest, refuse_another_range
from export.source import pictures

GREY = ModelSpec("it", ("even", "odd"), ImageInput(8, 8, "gray", (0.0,), (255.0,)), "logits")
SPEC = ModelSpec("it", ("cat", "dog"), ImageInput(8, 8, "rgb", (0.0,) * 3, (255.0,) * 3), "logits")


def save(path: Path, red: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 10), (red, 0, 0)).save(path)


def test_a_folder_with_a_sub_folder_per_class_says_what_its_pictures_show(tmp_path: Path) -> None:
    for number, label in enumerate(("dog", "cat", "dog")):
        save(tmp_path / label / f"{number}.PNG", red=number)
    (tmp_path / "cat" / "notes.txt").touch()
    read = pictures.read(pictures.find(tmp_path, "evaluation"), "evaluation", SPEC)
    assert read.pixels.shape == (3, 8, 8, 3)
    assert read.labels is not None
    assert read.labels.tolist() == [0, 1, 1]
    assert read.pixels[:, 0, 0, 0].tolist() == [1, 0, 2]


def test_pictures_deeper_in_a_classs_folder_count_as_they_do_in_training(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "2026" / "a.png", red=1)
    save(tmp_path / "dog" / "b.png", red=2)
    save(tmp_path / "dog" / "._b.png", red=3)  # as macOS leaves them
    read = pictures.read(tmp_path, "evaluation", SPEC)
    assert read.labels is not None
    assert read.labels.tolist() == [0, 1]


def test_pictures_beside_the_classes_are_counted_and_judge_nothing(tmp_path: Path) -> None:
    for place in ("cat/a.png", "dog/b.png"):
        save(tmp_path / place, red=1)
    assert pictures.read(tmp_path, "evaluation", SPEC).remarks == ()
    for place in ("c.png", "d.jpg", "._c.png"):
        save(tmp_path / place, red=2)
    read = pictures.read(tmp_path, "evaluation", SPEC)
    assert len(read.pixels) == 2
    (remark,) = read.remarks
    assert remark.startswith(f"2 picture(s) directly in {tmp_path} are of no class and judge")
    assert remark.endswith("; move them into the folders of their classes")
    assert pictures.read(tmp_path, "calibration", SPEC).remarks == ()  # they are taken as well


def test_a_plain_folder_gives_pictures_without_classes(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", red=200)
    assert pictures.read(tmp_path, "calibration", SPEC).labels is None


def test_a_sub_folder_that_is_no_label_is_named(tmp_path: Path) -> None:
    save(tmp_path / "cats" / "a.png", red=1)
    with pytest.raises(InputError, match="a sub-folder 'cats', which is no label of the model"):
        pictures.read(tmp_path, "evaluation", SPEC)


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG and no more")
    with pytest.raises(InputError, match=r"broken\.png"):
        pictures.read(tmp_path, "evaluation", SPEC)


def test_no_more_pictures_calibrate_than_are_of_use_and_the_draw_is_known(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (700, 8, 8, 3), np.uint8)
    np.savez(tmp_path / "many.npz", images=images)
    read = pictures.read(tmp_path / "many.npz", "calibration", SPEC)
    again = pictures.read(tmp_path / "many.npz", "calibration", SPEC)
    assert len(read.pixels) == pictures.CALIBRATION_IMAGES
    assert manifest(read) == manifest(again)
    assert manifest(read).seed == 0
    assert manifest(read).pixel_range == (0, 255)
    assert len(pictures.read(tmp_path / "many.npz", "evaluation", SPEC).pixels) == 700


def write_idx(folder: Path, part: str, count: int, *, zipped: bool = False) -> None:
    """Pictures whose pixels are their number, and labels that are 0 and 1 in turns."""
    folder.mkdir(parents=True, exist_ok=True)
    images = np.arange(count, dtype=np.uint8).repeat(64).tobytes()
    labels = (np.arange(count, dtype=np.uint8) % 2).tobytes()
    for name, shape, values in (
        ("images-idx3", (count, 8, 8), images),
        ("labels-idx1", (count,), labels),
    ):
        content = bytes((0, 0, 8, len(shape))) + np.array(shape, ">u4").tobytes() + values
        path = folder / f"{part}-{name}-ubyte"
        if zipped:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(content))
        else:
            path.write_bytes(content)


@pytest.fixture
def numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set called `numbers`, where Keras keeps such."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    folder = tmp_path / "datasets" / "numbers"
    write_idx(folder, "train", 90)
    write_idx(folder, "t10k", 30, zipped=True)
    return folder


def test_a_data_set_is_found_by_its_name_and_lends_the_pictures_that_fit(numbers: Path) -> None:
    calibration, evaluation = (
        pictures.read(pictures.find(Path("numbers"), role), role, GREY)
        for role in get_args(pictures.Role)
    )
    assert calibration.pixels.shape == (90, 8, 8, 1)  # those to train with
    assert calibration.labels is None
    assert evaluation.pixels[:, 0, 0, 0].tolist() == [*range(30)]
    assert evaluation.labels is not None
    assert evaluation.labels.tolist() == [0, 1] * 15
    assert evaluation.source == "datasets/numbers"
    assert pictures.find(numbers, "evaluation") == numbers


def test_an_archive_of_keras_is_a_data_set_too(numbers: Path) -> None:
    images = np.arange(10, dtype=np.uint8).repeat(64).reshape(10, 8, 8)
    labels = np.arange(10)[:, None] % 2
    archive = numbers.with_name("letters.npz")
    np.savez(archive, x_train=images, y_train=labels, x_test=images[5:], y_test=labels[5:])
    read = pictures.read(pictures.find(Path("letters"), "evaluation"), "evaluation", GREY)
    assert read.pixels.shape == (5, 8, 8, 1)
    assert read.labels is not None
    assert read.labels.tolist() == [1, 0, 1, 0, 1]


def test_wherever_an_archive_is_damaged_it_is_one_line(tmp_path: Path) -> None:
    # Of an array this large NumPy reads the header before zipfile has seen all for its checksum.
    path = tmp_path / "many.npz"
    np.savez(path, images=np.zeros((30, 20, 20, 1), np.uint8))
    whole = path.read_bytes()
    for place in range(200):
        path.write_bytes(whole[:place] + b"(" + whole[place + 1 :])
        with suppress(InputError):
            pictures.read(path, "evaluation", GREY)


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b cut", bytes((0, 0, 8, 3)), bytes(20)])
def test_a_damaged_data_set_is_named(numbers: Path, content: bytes) -> None:
    (numbers / "t10k-images-idx3-ubyte.gz").unlink()
    (numbers / "t10k-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(InputError, match="t10k-images-idx3-ubyte"):
        pictures.read(numbers, "evaluation", GREY)


@pytest.mark.usefixtures("numbers")
@pytest.mark.parametrize("name", ["nothing", "datasets/numbers", ".."])
def test_an_unknown_data_set_says_where_they_are_looked_for(name: str, tmp_path: Path) -> None:
    with pytest.raises((UsageError, InputError), match=rf"{name} |no pictures"):
        pictures.read(pictures.find(Path(name), "evaluation"), "evaluation", GREY)
    with pytest.raises(UsageError, match=rf"nothing does not exist; .*{tmp_path}/datasets or /usr"):
        pictures.find(Path("nothing"), "evaluation")


def test_arrays_are_read_like_files() -> None:
    images = np.arange(30, dtype=np.uint8).repeat(64).reshape(30, 8, 8)
    read = pictures.read((images, np.arange(30) % 2), "evaluation", GREY)
    assert (read.source, read.pixels.shape) == ("arrays", (30, 8, 8, 1))
    assert read.labels is not None
    with pytest.raises(InputError, match=r"evaluation pictures: `images` holds float64 0..0.1"):
        pictures.read(images / 255, "evaluation", GREY)
    with pytest.raises(InputError, match=r"expected 30 whole numbers"):
        pictures.read((images, np.arange(29) % 2), "evaluation", GREY)
    with pytest.raises(InputError, match=r"evaluation pictures: expected an array"):
        pictures.read([1, 2], "evaluation", GREY)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("role", get_args(pictures.Role))
def test_a_tuple_that_is_no_pair_is_told_how_many_it_holds(role: pictures.Role, count: int) -> None:
    given = (np.zeros((2, 8, 8), np.uint8),) * count
    words = rf"{role} pictures: got a tuple of {count}, expected the pictures, or a pair"
    with pytest.raises(InputError, match=words):
        pictures.read(given, role, GREY)  # type: ignore[arg-type]


def test_pictures_that_calibrate_may_not_judge(shell: Path) -> None:
    origin = source.find(shell, Description())
    assert origin.spec is not None
    where = source.places(
        origin, evaluation=None, calibration=shell / "evaluation.npz", calibrate=True
    )
    with pytest.raises(InputError, match="500 of the 500 calibration pictures are evaluation"):
        source.gather(origin, origin.spec, where)


@pytest.mark.parametrize("factor", [1 / 255, 0.2])
def test_calibration_pictures_of_another_range_are_refused(factor: float) -> None:
    images = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 1), np.uint8)
    refuse_another_range(images[:10], images[10:])
    for pair in ((images, images * factor), (images * factor, images)):
        with pytest.raises(InputError, match="one of them was scaled"):
            refuse_another_range(*(each.astype(np.uint8) for each in pair))


def test_flags_about_a_model_that_says_it_itself_are_refused(shell: Path) -> None:
    with pytest.raises(UsageError, match="says this itself; leave out --color and --fit"):
        source.find(shell, Description(color="gray", fit="crop"))
    named = source.find(shell, Description(name="other")).spec
    assert named is not None
    assert named.name == "other"
