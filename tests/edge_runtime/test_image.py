from __future__ import annotations

import contextlib
import io
import os
import random
import re
import struct
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from edge_runtime import image
from edge_runtime.errors import InputError
from edge_runtime.spec import Color, ImageInput, Polarity

Encode = Callable[..., bytes]
Transpose = Image.Transpose

GREY = ImageInput(8, 8, "gray", (0.0,), (255.0,))
RGB = ImageInput(8, 8, "rgb", (0.0,) * 3, (255.0,) * 3)


def wanted(color: Color = "gray", polarity: Polarity = "any", *, trim: bool = False) -> ImageInput:
    channels = 1 if color == "gray" else 3
    return ImageInput(
        8, 8, color, (0.0,) * channels, (255.0,) * channels, polarity=polarity, trim=trim
    )


def scene(width: int = 24, height: int = 16) -> Image.Image:
    """A picture that looks different from every side and in every mirror."""
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    channels = (columns * 255 // width, rows * 255 // height, (columns + rows) * 5 % 256)
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def same(one: Image.Image, other: Image.Image, tolerance: int = 0) -> bool:
    a, b = np.asarray(one).astype(int), np.asarray(other).astype(int)
    return one.mode == other.mode and a.shape == b.shape and bool(np.abs(a - b).max() <= tolerance)


def refusal(source: Any, contract: ImageInput = GREY) -> str:
    with pytest.raises(InputError) as caught:
        image.load(source, contract)
    message = str(caught.value)
    assert message.isprintable(), "one line"
    return message


# --- where a picture may come from -------------------------------------------------------------


def test_path_text_bytes_file_image_and_array_are_the_same_picture(
    encoded: Encode, tmp_path: Path
) -> None:
    png = encoded(scene())
    path = tmp_path / "scene.png"
    path.write_bytes(png)
    sources: list[Any] = [path, str(path), png, bytearray(png), memoryview(png), io.BytesIO(png)]
    sources += [scene(), np.asarray(scene()), Image.open(path)]
    for source in sources:
        assert same(image.load(source, RGB), scene())


def send(data: bytes, descriptor: int) -> None:
    with os.fdopen(descriptor, "wb") as pipe:
        pipe.write(data)


def test_a_pipe_that_cannot_go_back_is_read(encoded: Encode) -> None:
    reading, writing = os.pipe()
    sender = threading.Thread(target=send, args=(encoded(scene()), writing))
    sender.start()
    with os.fdopen(reading, "rb") as pipe:
        assert same(image.load(pipe, RGB), scene())
    sender.join()


@pytest.mark.parametrize("form", image.FORMATS)
def test_every_format_is_read_in_grey_and_in_colour(encoded: Encode, form: str) -> None:
    data = encoded(scene(), form)
    tolerance = {"JPEG": 40, "WEBP": 40, "GIF": 40}.get(form, 0)
    assert same(image.load(data, RGB), scene(), tolerance)
    assert same(image.load(data, GREY), scene().convert("L"), tolerance)


def test_arrays_of_every_shape_that_has_a_meaning_are_read() -> None:
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    rgb = np.stack([grey, grey + 1, grey + 2], axis=-1)
    opaque = np.concatenate([rgb, np.full((6, 8, 1), 255, np.uint8)], axis=-1)
    assert np.array_equal(image.load(grey, GREY), grey)
    assert np.array_equal(image.load(grey[:, :, None], GREY), grey)
    assert np.array_equal(image.load(rgb, RGB), rgb)
    assert np.array_equal(image.load(opaque, RGB), rgb)
    assert np.array_equal(image.load(rgb[::-1, ::2], RGB), rgb[::-1, ::2]), "strides are followed"


# --- upright -----------------------------------------------------------------------------------

# How the camera's sensor saw a scene that is upright when turned as the orientation says.
AS_STORED = {
    1: None,
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_90,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_270,
}


def exif(orientation: int) -> Image.Exif:
    note = Image.Exif()
    note[0x0112] = orientation
    return note


@pytest.mark.parametrize("orientation", AS_STORED)
@pytest.mark.parametrize(("form", "tolerance"), [("PNG", 0), ("WEBP", 40), ("JPEG", 40)])
def test_the_orientation_that_a_camera_notes_is_followed(
    encoded: Encode, form: str, tolerance: int, orientation: int
) -> None:
    turn = AS_STORED[orientation]
    stored = scene() if turn is None else scene().transpose(turn)
    data = encoded(stored, form, exif=exif(orientation))
    loaded = image.load(data, RGB)
    assert same(loaded, scene(), tolerance)
    assert same(loaded, ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    assert same(image.load(Image.open(io.BytesIO(data)), RGB), loaded)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_without_a_meaning_is_upright(encoded: Encode, orientation: int) -> None:
    assert same(image.load(encoded(scene(), exif=exif(orientation)), RGB), scene())


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_no_exif_however_broken_costs_more_than_its_own_picture(encoded: Encode) -> None:
    note = exif(6)
    note[0x010F] = "maker"
    note[0x8769] = {0x829A: (1, 30), 0x927C: b"note"}
    data = encoded(scene(), "JPEG", exif=note)
    start, end = data.index(b"Exif"), data.index(b"Exif") + len(note.tobytes())
    randomness = random.Random(0)  # noqa: S311
    read = 0
    for _ in range(600):
        damaged = bytearray(data)
        for _ in range(randomness.choice((1, 3, 8))):
            damaged[randomness.randrange(start, end)] = randomness.randrange(256)
        try:
            image.load(bytes(damaged), GREY)
            read += 1
        except InputError:
            continue
    assert read > 500, "the pixels were not touched"


# --- kinds of pixels ---------------------------------------------------------------------------


def test_sixteen_bits_are_scaled_and_not_clipped_to_white(encoded: Encode) -> None:
    deep = np.linspace(0, 65535, 16 * 24).astype(np.uint16).reshape(16, 24)
    expected = Image.fromarray(np.rint(deep / 257).astype(np.uint8))
    assert same(image.load(encoded(deep), GREY), expected)
    assert same(image.load(Image.fromarray(deep), GREY), expected)
    assert same(image.load(Image.fromarray(deep.astype(np.int32)), GREY), expected)


def test_a_palette_is_looked_up(encoded: Encode) -> None:
    flat = scene().quantize(16)
    assert same(image.load(encoded(flat), RGB), flat.convert("RGB"))
    assert same(image.load(encoded(flat), GREY), flat.convert("RGB").convert("L"), 1)


def test_one_bit_is_black_and_white(encoded: Encode) -> None:
    bits = scene().convert("1")
    assert same(image.load(encoded(bits), GREY), bits.convert("L"))


def test_a_cmyk_photo_keeps_its_colours(encoded: Encode) -> None:
    data = encoded(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG")
    red = np.asarray(image.load(data, RGB)).mean(axis=(0, 1))
    assert red[0] > 200
    assert red[1:].max() < 60


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P"])
@pytest.mark.parametrize(
    ("polarity", "background"), [("any", 255), ("dark-on-light", 255), ("light-on-dark", 0)]
)
@pytest.mark.parametrize("color", ["gray", "rgb"])
def test_what_is_transparent_becomes_the_background_that_the_model_knows(
    encoded: Encode, mode: str, polarity: Polarity, background: int, color: Color
) -> None:
    picture = Image.new("RGBA", (9, 9), (90, 90, 90, 0))
    picture.paste((128, 128, 128, 255), (3, 3, 6, 6))
    if mode == "P":  # as a GIF or a small PNG keeps it: one colour stands for nothing
        source: Any = encoded(picture, "GIF")
        assert Image.open(io.BytesIO(source)).mode == "P"
    elif mode == "PA":  # no file format has it
        source = picture.convert("P")
        source.putalpha(picture.getchannel("A"))
        assert source.mode == "PA"
    else:
        source = encoded(picture.convert(mode))
    pixels = np.asarray(image.load(source, wanted(color, polarity))).reshape(9, 9, -1)
    assert (pixels[0, 0] == background).all()
    assert (pixels[4, 4] == 128).all()


def test_half_transparent_pixels_are_mixed() -> None:
    picture = Image.new("RGBA", (2, 2), (255, 255, 255, 128))
    assert np.asarray(image.load(picture, wanted("gray", "light-on-dark"))).max() == 128


def test_a_transparent_colour_without_an_alpha_channel_is_transparent_too(encoded: Encode) -> None:
    grey = Image.new("L", (4, 4), 77)
    grey.putpixel((0, 0), 200)
    loaded = image.load(encoded(grey, transparency=77), wanted("gray", "light-on-dark"))
    assert loaded.getpixel((1, 1)) == 0
    assert loaded.getpixel((0, 0)) == 200


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_an_animation_is_its_first_frame(encoded: Encode, form: str) -> None:
    frames = [Image.new("L", (8, 8), value) for value in (200, 100, 0)]
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=50)
    assert np.abs(np.asarray(image.load(data, GREY)).astype(int) - 200).max() <= 2


@pytest.mark.parametrize("mode", ["I;16B", "YCbCr", "HSV", "RGBX", "CMYK"])
def test_other_modes_of_pil_images_are_converted(mode: str) -> None:
    picture = Image.new(mode, (4, 4))
    assert image.load(picture, GREY).mode == "L"
    assert image.load(picture, RGB).mode in ("L", "RGB")


# --- large photos ------------------------------------------------------------------------------


def photo(width: int, height: int) -> Image.Image:
    return scene(64, 48).resize((width, height), Image.Resampling.BICUBIC)


def test_a_large_photo_is_decoded_no_larger_than_needed(encoded: Encode) -> None:
    data = encoded(photo(2000, 1500), "JPEG", quality=85)
    small = image.load(data, RGB)
    assert small.size == (250, 188)
    difference = np.asarray(small).astype(int) - photo(2000, 1500).resize(small.size)
    assert np.abs(difference).mean() < 2


def test_a_large_photo_on_its_side_is_decoded_large_enough(encoded: Encode) -> None:
    tall = ImageInput(100, 10, "gray", (0.0,), (255.0,))
    data = encoded(photo(1600, 1200), "JPEG", exif=exif(6))
    loaded = image.load(data, tall)
    assert loaded.width >= 2 * 10
    assert loaded.height >= 2 * 100


def test_a_photo_whose_margins_are_cut_keeps_the_detail_of_a_small_object(encoded: Encode) -> None:
    data = encoded(photo(512, 512), "JPEG")
    assert image.load(data, wanted()).size == (64, 64)
    assert image.load(data, wanted(trim=True)).size == (64, 64)
    small = encoded(photo(128, 128), "JPEG")
    assert image.load(small, wanted()).size == (16, 16)
    assert image.load(small, wanted(trim=True)).size == (64, 64)


def test_a_photo_larger_than_the_limit_is_read_when_the_decoder_shrinks_it(encoded: Encode) -> None:
    data = encoded(Image.new("L", (7000, 5000), 128), "JPEG")
    assert image.load(data, GREY).size == (875, 625)
    assert "more than 25 megapixels" in refusal(encoded(Image.new("L", (7000, 5000)), "PNG"))


# --- bombs -------------------------------------------------------------------------------------


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises much and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def jpeg_header(encode: Encode, width: int, height: int) -> bytes:
    data = bytearray(encode(Image.new("RGB", (16, 16)), "JPEG", progressive=True))
    frame = data.index(b"\xff\xc2")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def gif_header(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b"," + bytes(11) + b";"


@pytest.mark.filterwarnings("ignore")  # as outside of these tests, where a warning is no error
@pytest.mark.parametrize("side", [5001, 10_000, 14_000, 65_000])
def test_a_header_that_promises_too_much_is_refused_at_once(encoded: Encode, side: int) -> None:
    bombs = [png_header(side, side), gif_header(side, side), jpeg_header(encoded, side, side)]
    for bomb in bombs:
        assert re.search("more than 25 megapixels|decompression bomb", refusal(bomb))


def test_a_picture_of_too_many_pixels_is_refused_before_they_are_unpacked(encoded: Encode) -> None:
    bomb = encoded(Image.new("1", (12_000, 12_000)), "PNG")
    assert len(bomb) < 100_000
    assert re.search("more than 25 megapixels|decompression bomb", refusal(bomb))


def test_a_text_chunk_that_unpacks_to_much_is_refused(encoded: Encode) -> None:
    text = b"Comment\0\0" + zlib.compress(bytes(50 << 20))
    chunk = (
        struct.pack(">I", len(text))
        + b"zTXt"
        + text
        + struct.pack(">I", zlib.crc32(b"zTXt" + text))
    )
    png = encoded(scene())
    refusal(png[:33] + chunk + png[33:])


def test_a_file_without_an_end_is_refused(tmp_path: Path) -> None:
    assert refusal("/dev/zero") == "/dev/zero is larger than 64 MiB"
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.truncate(image.MAX_FILE_BYTES + 1)
    assert "is larger than 64 MiB" in refusal(huge)


# --- what is no picture ------------------------------------------------------------------------


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    assert (
        refusal(tmp_path / "no.png") == f"cannot read {tmp_path}/no.png: No such file or directory"
    )


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"cannot read {tmp_path}: Is a directory"


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    assert refusal(tmp_path / "empty.png") == f"{tmp_path}/empty.png is empty"


def test_a_text_file_says_what_is_expected(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("milk, bread")
    assert refusal(notes) == (
        f"{notes} is not a picture that can be read; save it as one of JPEG, PNG, WEBP, BMP, GIF"
    )


@pytest.mark.parametrize("form", ["TIFF", "PPM", "ICO", "TGA", "EPS", "PDF"])
def test_a_format_that_is_not_supported_is_not_tried(encoded: Encode, form: str) -> None:
    assert "is not a picture that can be read" in refusal(encoded(scene(), form))


def test_postscript_is_never_run() -> None:
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(hello) print\n"
    assert "is not a picture that can be read" in refusal(script)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_a_picture_cut_short_is_refused(encoded: Encode, form: str) -> None:
    data = encoded(photo(200, 150), form)
    for length in (1, 8, 20, len(data) // 4, len(data) // 2):
        refusal(data[:length])


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "MPO"])
def test_a_damaged_picture_is_read_or_refused_and_nothing_else(encoded: Encode, form: str) -> None:
    data = encoded(scene(), form, **({"save_all": True} if form == "MPO" else {}))
    randomness = random.Random(1)  # noqa: S311
    for _ in range(150):
        damaged = bytearray(data)
        for _ in range(randomness.choice((1, 2, 8))):
            damaged[randomness.randrange(len(damaged))] = randomness.randrange(256)
        with contextlib.suppress(InputError):
            assert image.load(bytes(damaged), GREY).mode == "L"


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (
            np.zeros((8, 8), np.float32),
            "an array of float32 was given, expected uint8 pixels 0..255",
        ),
        (np.zeros((8, 8)), "an array of float64"),
        (np.zeros((8, 8), ">f4"), "an array of >f4"),
        (np.zeros((8, 8), ">u2"), "an array of >u2"),
        (np.zeros((8, 8), np.int8), "an array of int8"),
        (np.zeros((8, 8), bool), "an array of bool"),
        (np.zeros((8, 8), object), "an array of object"),
        (np.zeros((8, 8), "U1"), "an array of <U1"),
        (np.zeros((), np.uint8), "an array of shape () was given"),
        (np.zeros(64, np.uint8), "an array of shape (64,) was given"),
        (np.zeros((0, 8), np.uint8), "an array of shape (0, 8) was given"),
        (np.zeros((8, 0, 3), np.uint8), "an array of shape (8, 0, 3) was given"),
        (np.zeros((8, 8, 2), np.uint8), "an array of shape (8, 8, 2) was given"),
        (np.zeros((3, 8, 8), np.uint8), "an array of shape (3, 8, 8) was given"),
        (np.zeros((1, 8, 8, 3), np.uint8), "an array of shape (1, 8, 8, 3) was given"),
    ],
)
def test_an_array_that_is_no_picture_says_what_is_expected(array: Any, complaint: str) -> None:
    message = refusal(array)
    assert complaint in message
    assert "expected" in message


@pytest.mark.parametrize("source", [None, 3, 2.5, [[0]], {}, object])
def test_what_is_no_source_at_all_says_what_is_expected(source: Any) -> None:
    assert "expected a path, bytes, a binary file, a PIL image or a uint8 array" in refusal(source)


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"GIF89a", b"\xff\xd8\xff", b"BM"])
def test_bytes_that_are_no_picture_are_refused(data: bytes) -> None:
    assert refusal(data).startswith("the data is ")


@pytest.mark.parametrize(
    ("picture", "complaint"),
    [
        (Image.new("F", (4, 4)), "floating-point pixels has no known range"),
        (Image.new("I", (4, 4), 70_000), "32-bit pixels has no known range"),
        (Image.new("I", (4, 4), -1), "32-bit pixels has no known range"),
        (Image.new("LAB", (4, 4)), "cannot be turned into grey or RGB"),
        (Image.new("L", (0, 4)), "the picture has no pixels"),
    ],
)
def test_a_pil_image_without_known_colours_is_refused(picture: Image.Image, complaint: str) -> None:
    assert complaint in refusal(picture)


def test_a_pil_image_that_turns_out_to_be_damaged_is_refused(encoded: Encode) -> None:
    data = encoded(photo(300, 200), "PNG")
    lazy = Image.open(io.BytesIO(data[: len(data) // 2]))
    assert "the picture cannot be turned into grey or RGB pixels" in refusal(lazy)


def test_a_name_with_a_nul_byte_is_refused() -> None:
    assert refusal("a\0b.png").startswith("cannot read 'a\\x00b.png': ")
