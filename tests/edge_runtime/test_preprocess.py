from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image, ImageOps

from edge_runtime import preprocess
from edge_runtime.errors import SpecError
from edge_runtime.spec import Fit, ImageInput, Polarity, Resampling


def contract(height: int = 8, width: int = 8, channels: int = 1, **settings: Any) -> ImageInput:
    color: Any = "gray" if channels == 1 else "rgb"
    return ImageInput(height, width, color, (0.0,) * channels, (255.0,) * channels, **settings)


def drawn(height: int, width: int, background: int = 0) -> NDArray[np.uint8]:
    return np.full((height, width), background, np.uint8)


def pixels_of(picture: NDArray[np.uint8], wanted: ImageInput) -> NDArray[np.uint8]:
    return preprocess.to_pixels(Image.fromarray(picture), wanted)[0]


# --- pixels to numbers -------------------------------------------------------------------------

MEANS = st.floats(-300, 300)
STDS = st.floats(1e-3, 1e3)


@st.composite
def batches(draw: st.DrawFn) -> tuple[NDArray[np.uint8], ImageInput]:
    channels = draw(st.sampled_from((1, 3)))
    shape = (*draw(st.tuples(*[st.integers(1, 4)] * 3)), channels)
    wanted = ImageInput(
        shape[1],
        shape[2],
        "gray" if channels == 1 else "rgb",
        draw(st.tuples(*[MEANS] * channels)),
        draw(st.tuples(*[STDS] * channels)),
    )
    return draw(arrays(np.uint8, shape)), wanted


@given(batches())
def test_normalising_is_the_plain_formula(batch: tuple[NDArray[np.uint8], ImageInput]) -> None:
    pixels, wanted = batch
    plain = (pixels.astype(np.float64) - np.array(wanted.mean)) / np.array(wanted.std)
    normalised = preprocess.normalise(pixels, wanted)
    assert normalised.dtype == np.float32
    assert np.array_equal(normalised, plain.astype(np.float32))


@given(batches())
def test_the_table_holds_the_formula_for_every_pixel_value(
    batch: tuple[NDArray[np.uint8], ImageInput],
) -> None:
    _, wanted = batch
    table = preprocess.pixel_table(wanted)
    assert table.shape == (wanted.channels, 256)
    assert table.dtype == np.float32
    for channel in range(wanted.channels):
        for value in (0, 1, 128, 255):
            exact = (value - wanted.mean[channel]) / wanted.std[channel]
            assert table[channel, value] == np.float32(exact)


def test_channels_keep_their_own_mean_and_order() -> None:
    wanted = ImageInput(1, 1, "rgb", (10.0, 20.0, 30.0), (1.0, 2.0, 4.0))
    pixel = np.array([[[[11, 24, 42]]]], np.uint8)
    assert preprocess.normalise(pixel, wanted).ravel().tolist() == [1.0, 2.0, 3.0]


# --- a picture of the right size is left alone -------------------------------------------------


@pytest.mark.parametrize("polarity", get_args(Polarity))
@pytest.mark.parametrize("fit", get_args(Fit))
@pytest.mark.parametrize("background", [0, 255])
def test_a_picture_of_the_models_size_is_untouched(
    fit: Fit, polarity: Polarity, background: int
) -> None:
    picture = drawn(8, 8, background)
    picture[3, 4] = 128
    wanted = contract(fit=fit, polarity=polarity, trim=True)
    pixels, warnings = preprocess.to_pixels(Image.fromarray(picture), wanted)
    assert np.array_equal(pixels[..., 0], picture)
    assert warnings == ()


def test_colour_becomes_grey_by_luma_and_grey_becomes_colour_by_repeating() -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    assert (pixels_of(red, contract()) == 76).all(), "ITU-R 601: 0.299 x 255"
    grey = drawn(8, 8, 90)
    assert np.array_equal(pixels_of(grey, contract(channels=3)), np.full((8, 8, 3), 90, np.uint8))


# --- fit ---------------------------------------------------------------------------------------


def test_stretching_keeps_nothing_but_the_whole_picture() -> None:
    wide = drawn(4, 16)
    wide[:, 8:] = 200
    pixels = pixels_of(wide, contract(fit="stretch", resampling="box"))[..., 0]
    assert (pixels[:, :4] == 0).all()
    assert (pixels[:, 4:] == 200).all()


def test_cropping_keeps_the_middle() -> None:
    wide = drawn(8, 24, 50)
    wide[:, 8:16] = 200
    assert (pixels_of(wide, contract(fit="crop", resampling="box")) == 200).all()


@pytest.mark.parametrize("background", [0, 100, 255])
def test_padding_adds_background_above_and_below(background: int) -> None:
    wide = drawn(8, 16, background)
    wide[1:7, 1:15] = 150
    pixels = pixels_of(wide, contract(fit="pad", resampling="box"))[..., 0]
    assert (pixels[:2] == background).all()
    assert (pixels[6:] == background).all()
    assert (pixels[3:5, 1:7] == 150).all()


def test_padding_a_colour_picture_adds_the_backgrounds_brightness() -> None:
    tall = np.full((16, 8, 3), 180, np.uint8)
    pixels = pixels_of(tall, contract(channels=3, fit="pad"))
    assert (pixels == 180).all()


@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.integers(1, 12), st.booleans()
)
def test_padding_is_pillows_own(
    width: int, height: int, rows: int, columns: int, rgb: bool
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    picture = Image.fromarray(noise).convert("RGB" if rgb else "L")
    wanted = contract(rows, columns, 3 if rgb else 1, fit="pad")
    assume(round(width / height * rows) and round(height / width * columns))
    assume(picture.size != (columns, rows))
    edge = preprocess._background(picture)
    colour = (edge,) * 3 if rgb else edge
    pillows = ImageOps.pad(picture, (columns, rows), Image.Resampling.BILINEAR, color=colour)
    ours, _ = preprocess.to_pixels(picture, wanted)
    assert np.array_equal(ours.reshape(rows, columns, -1).squeeze(), np.asarray(pillows).squeeze())


@pytest.mark.parametrize("fit", get_args(Fit))
@pytest.mark.parametrize("shape", [(1, 1000), (1000, 1)])
def test_a_very_long_and_thin_picture_is_fitted_too(fit: Fit, shape: tuple[int, int]) -> None:
    line = drawn(*shape, 90)
    assert (pixels_of(line, contract(fit=fit)) == 90).all()


@pytest.mark.parametrize("resampling", get_args(Resampling))
def test_every_resampling_is_one_that_pillow_knows(resampling: Resampling) -> None:
    wanted = contract(resampling=resampling)
    assert (pixels_of(drawn(40, 30, 77), wanted) == 77).all()


@pytest.mark.parametrize("resampling", ["box", "bilinear", "bicubic", "lanczos"])
def test_shrinking_averages_instead_of_dropping_pixels(resampling: Resampling) -> None:
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    pixels = pixels_of(board, contract(resampling=resampling))
    assert np.abs(pixels.astype(int) - 128).max() <= 4


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    wanted=st.builds(
        contract,
        height=st.integers(1, 12),
        width=st.integers(1, 12),
        channels=st.sampled_from((1, 3)),
        fit=st.sampled_from(get_args(Fit)),
        polarity=st.sampled_from(get_args(Polarity)),
        trim=st.booleans(),
    ),
    mode=st.sampled_from(("L", "RGB")),
    seed=st.integers(0, 9),
)
def test_any_picture_becomes_pixels_of_the_models_shape(
    size: tuple[int, int], wanted: ImageInput, mode: str, seed: int
) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    pixels, _ = preprocess.to_pixels(Image.fromarray(noise).convert(mode), wanted)
    assert pixels.shape == (wanted.height, wanted.width, wanted.channels)
    assert pixels.dtype == np.uint8


# --- margins -----------------------------------------------------------------------------------


def test_margins_are_cut_to_the_object() -> None:
    picture = drawn(60, 90)
    picture[20:36, 40:56] = 200
    assert (pixels_of(picture, contract(trim=True)) == 200).all()


def test_margins_are_kept_unless_they_are_to_be_cut() -> None:
    picture = drawn(64, 64)
    picture[24:40, 24:40] = 200
    assert pixels_of(picture, contract(resampling="box"))[0, 0] == 0


def test_a_little_noise_is_still_margin() -> None:
    noise = np.random.default_rng(0).integers(100, 112, (60, 90), np.uint8)
    noise[20:36, 40:56] = 200
    assert (pixels_of(noise, contract(trim=True)) == 200).all()


def test_a_dark_object_on_light_ground_is_found_as_well() -> None:
    picture = drawn(50, 50, 250)
    picture[10:26, 30:46] = 20
    assert (pixels_of(picture, contract(trim=True)) == 20).all()


@pytest.mark.parametrize("value", [0, 127, 255])
def test_a_picture_that_is_all_margin_stays_whole(value: int) -> None:
    pixels, _ = preprocess.to_pixels(Image.fromarray(drawn(20, 30, value)), contract(trim=True))
    assert (pixels == value).all()


def test_an_object_of_one_pixel_fills_the_picture() -> None:
    picture = drawn(30, 30)
    picture[29, 0] = 255
    # Three other corners say what the background is.
    assert (pixels_of(picture, contract(trim=True)) == 255).all()


# --- polarity ----------------------------------------------------------------------------------


def framed(background: int, object_: int) -> NDArray[np.uint8]:
    picture = drawn(32, 32, background)
    picture[8:24, 8:24] = object_
    return picture


@pytest.mark.parametrize(
    ("polarity", "background", "warning"),
    [
        (
            "light-on-dark",
            255,
            "polarity inverted: the model expects a light object on a dark background",
        ),
        (
            "dark-on-light",
            0,
            "polarity inverted: the model expects a dark object on a light background",
        ),
    ],
)
def test_a_negative_is_inverted_and_says_so(
    polarity: Polarity, background: int, warning: str
) -> None:
    wanted = contract(polarity=polarity, resampling="box")
    picture = framed(background, 255 - background)
    pixels, warnings = preprocess.to_pixels(Image.fromarray(picture), wanted)
    assert warnings == (warning,)
    assert np.array_equal(pixels, pixels_of(255 - picture, wanted))
    assert pixels[0, 0] == 255 - background


@pytest.mark.parametrize(
    ("polarity", "background"),
    [
        ("light-on-dark", 0),
        ("light-on-dark", 127),
        ("dark-on-light", 255),
        ("dark-on-light", 128),
        ("any", 0),
        ("any", 255),
    ],
)
def test_the_right_polarity_is_left_as_it_is(polarity: Polarity, background: int) -> None:
    picture = framed(background, 255 - background)
    wanted = contract(polarity=polarity, resampling="box")
    pixels, warnings = preprocess.to_pixels(Image.fromarray(picture), wanted)
    assert warnings == ()
    assert pixels[0, 0] == background


def test_colours_are_inverted_channel_by_channel() -> None:
    picture = np.full((32, 32, 3), (250, 240, 230), np.uint8)
    wanted = contract(channels=3, polarity="light-on-dark")
    pixels, warnings = preprocess.to_pixels(Image.fromarray(picture), wanted)
    assert pixels[0, 0].tolist() == [5, 15, 25]
    assert warnings


def test_an_inverted_picture_is_padded_with_the_inverted_background() -> None:
    wide = drawn(16, 32, 255)
    wide[4:12, 8:24] = 0
    wanted = contract(polarity="light-on-dark", fit="pad", resampling="box")
    pixels = pixels_of(wide, wanted)[..., 0]
    assert (pixels[0] == 0).all()
    assert (pixels[-1] == 0).all()
    assert pixels.max() == 255


def test_one_odd_corner_does_not_change_the_background() -> None:
    picture = framed(255, 0)
    picture[:4, :4] = 0
    wanted = contract(polarity="dark-on-light")
    assert preprocess.to_pixels(Image.fromarray(picture), wanted)[1] == ()


@pytest.mark.parametrize(
    ("polarity", "ends"), [("light-on-dark", (0, 255)), ("dark-on-light", (255, 0))]
)
@pytest.mark.parametrize("paper", [40, 215])
def test_levelling_takes_the_paper_away_and_lets_the_object_reach_the_other_end(
    polarity: Polarity, ends: tuple[int, int], paper: int
) -> None:
    noise = np.random.default_rng(0).integers(-5, 6, (32, 32))
    picture = (framed(paper, 255 - paper) + noise).clip(0, 255).astype(np.uint8)
    wanted = contract(polarity=polarity, level=True, resampling="box")
    pixels = pixels_of(picture, wanted)[..., 0]
    assert pixels[0, 0] == ends[0]
    assert abs(int(pixels[4, 4]) - ends[1]) <= 10


def test_levelling_a_blank_sheet_leaves_a_blank_sheet() -> None:
    wanted = contract(polarity="light-on-dark", level=True)
    assert (pixels_of(drawn(20, 20, 230), wanted) == 0).all()


def test_levelling_without_a_polarity_is_no_contract() -> None:
    with pytest.raises(SpecError, match="needs a grey picture and a polarity"):
        contract(level=True)
