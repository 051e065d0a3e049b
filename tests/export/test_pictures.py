"""Calibration and evaluation pictures from folders, archives and run directories."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_runtime.errors import InputError, UsageError
from edge_runtime.spec import ImageInput, ModelSpec
from export import Description, source
from export.calibration import manifest, refuse_another_range
from export.source import pictures

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


def test_a_data_sets_name_says_where_names_mean_something() -> None:
    with pytest.raises(UsageError, match=r"--evaluation fashion-mnist does not exist; give a run"):
        pictures.find(Path("fashion-mnist"), "evaluation")


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
