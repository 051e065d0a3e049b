from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFont

from edge_runtime import Prediction, Result
from edge_runtime.errors import InputError, OutputError
from edge_runtime.show import annotate
from edge_runtime.show.annotate import Annotated
from edge_runtime.sources import Stdin

Half = Callable[..., NDArray[np.uint8]]


def result(source: str | None, label: str = "T-shirt/top") -> Result:
    return Result((Prediction(label, 0, 0.9),), unsure=False, source=source)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "boot.png"
    path.parent.mkdir()
    Image.new("RGB", (400, 300), (0, 90, 200)).save(path)
    return path


def test_a_copy_has_the_picture_and_below_it_a_band_with_the_words(
    photo: Path, tmp_path: Path
) -> None:
    saved = Annotated(tmp_path / "out").save(str(photo), result(str(photo)), "Bag 90.0 %")
    assert saved == tmp_path / "out" / "boot.jpg"
    pixels = np.asarray(Image.open(saved))
    assert pixels.shape == (332, 400, 3)
    assert np.abs(pixels[:280].astype(int) - (0, 90, 200)).max() < 12
    band = pixels[304:]
    assert band.max() > 200, "white letters"
    assert np.median(band) < 20, "on black"


def test_other_words_look_otherwise() -> None:
    blank, first, second = (
        np.asarray(annotate.draw(Image.new("L", (400, 300)), text)) for text in ("", "Bag", "Coat")
    )
    assert not np.array_equal(first, blank)
    assert not np.array_equal(first, second)


def test_a_tiny_picture_is_enlarged_for_the_words_to_fit() -> None:
    drawn = annotate.draw(Image.new("L", (28, 28), 255), "Ankle boot")
    assert drawn.width == 336
    assert drawn.height > 336


def test_a_sliver_is_not_enlarged_beyond_what_a_jpeg_can_hold(tmp_path: Path) -> None:
    sliver = tmp_path / "sliver.png"
    Image.new("L", (1, 3000), 255).save(sliver)
    saved = Annotated(tmp_path / "out").save(str(sliver), result(str(sliver)), "Bag")
    with Image.open(saved) as copy:
        assert copy.width == 320
        assert copy.height < 3100


@pytest.mark.parametrize("size", [(70_000, 10), (10, 70_000), (30_000, 400)])
def test_a_very_long_picture_gets_a_copy_of_reasonable_size(
    size: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "long.png"
    Image.new("L", size, 255).save(path)
    with Image.open(Annotated(tmp_path).save(str(path), result(str(path)), "Bag")) as copy:
        assert max(copy.size) < 5000


def test_a_photograph_of_many_megapixels_is_copied_smaller(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    Image.new("RGB", (8064, 6048), "white").save(path)
    with Image.open(Annotated(tmp_path / "out").save(str(path), result(str(path)), "Bag")) as copy:
        assert copy.width == 4032


def test_long_words_become_smaller_and_are_not_cut_off() -> None:
    drawn = np.asarray(annotate.draw(Image.new("L", (400, 300)), "Ankle boot 95.4 %, " * 4))
    assert drawn[304:, 395:].max() < 20
    assert drawn[304:].max() > 200


def test_names_never_come_from_labels_and_nothing_is_overwritten(
    photo: Path, tmp_path: Path
) -> None:
    original = photo.read_bytes()
    there = photo.parent / "boot.jpg"
    there.write_bytes(b"somebody's")
    copies = Annotated(photo.parent)  # beside the originals, of all places
    hostile = result(str(photo), "../../etc/passwd")
    saved = [copies.save(str(photo), hostile, "words").name for _ in range(2)]
    assert saved == ["boot-2.jpg", "boot-3.jpg"]
    assert Annotated(photo.parent).save(str(photo), hostile, "words").name == "boot-4.jpg"
    assert photo.read_bytes() == original
    assert there.read_bytes() == b"somebody's"
    assert not (tmp_path / "etc").exists()


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("a/b/boot.png", "boot.jpg"),
        ("camera 0", "camera-0.jpg"),
        ("-", "-.jpg"),
        (None, "picture.jpg"),
        ("line\nbreak;*.png", "line-break--.jpg"),
        (os.fsdecode(b"caf\xe9.png"), "caf-.jpg"),
        ("x" * 300 + ".png", "x" * 180 + ".jpg"),
        ("写" * 83 + ".png", "写" * 60 + ".jpg"),  # as long as file systems take
    ],
)
def test_any_source_gives_a_plain_name(
    source: str | None, name: str, half: Half, tmp_path: Path
) -> None:
    saved = Annotated(tmp_path).save(half("top"), result(source), "words")
    assert saved.name == name


def test_what_was_read_once_from_standard_input_can_be_drawn(
    half: Half, encoded: Callable[..., bytes], tmp_path: Path
) -> None:
    picture = Stdin(encoded(half("top", 30, 30)))
    picture.read()
    assert Annotated(tmp_path).save(picture, result("-"), "words").exists()


def test_a_photograph_is_upright_and_keeps_its_size(
    half: Half, encoded: Callable[..., bytes], tmp_path: Path
) -> None:
    note = Image.Exif()
    note[0x0112] = 6
    data = encoded(half("left", 600, 900), "JPEG", exif=note)
    drawn = Image.open(Annotated(tmp_path).save(data, result("a.jpg"), "words"))
    assert drawn.width == 600
    upper, lower = (drawn.convert("L").getpixel((300, y)) for y in (100, 800))
    assert (upper > 200, lower < 60) == (True, True)  # type: ignore[operator]


def test_where_pillow_has_no_scalable_font_its_latin_one_will_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = ImageFont.load_default_imagefont()

    def old(*arguments: Any) -> Any:
        if arguments:
            raise TypeError("load_default() takes 0 positional arguments but 1 was given")
        return plain

    monkeypatch.setattr(ImageFont, "load_default", old)
    drawn = annotate.draw(Image.new("L", (400, 300)), "à gauche 右")
    assert np.asarray(drawn)[304:].max() > 200


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot make"):
        Annotated(tmp_path / "file")


def test_a_picture_that_is_gone_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        Annotated(tmp_path).save("gone.png", result("gone.png"), "words")
    assert isinstance(Stdin(b""), io.IOBase)
