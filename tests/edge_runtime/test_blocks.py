from __future__ import annotations

import numpy as np

from edge_runtime.show import blocks


def test_two_rows_share_a_line_of_shades() -> None:
    grey = np.array([[0, 255], [0, 255], [255, 0], [255, 0]], np.uint8)[..., None]
    assert blocks.draw(grey, columns=80, colour=False, encoding="utf-8") == " █\n█ "
    assert blocks.draw(grey, columns=80, colour=False, encoding="ascii") == " @\n@ "


def test_shades_follow_the_brightness() -> None:
    ramp = np.array([[50, 60, 110, 160, 250]] * 2, np.uint8)[..., None]
    assert blocks.draw(ramp, columns=80, colour=False, encoding="utf-8") == " ░▒▓█"


def test_in_colour_the_upper_row_is_in_front_and_the_lower_behind() -> None:
    red_over_green = np.array([[[255, 0, 0]], [[0, 255, 0]]], np.uint8)
    drawn = blocks.draw(red_over_green, columns=80, colour=True, encoding="utf-8")
    assert drawn == "\x1b[38;2;255;0;0;48;2;0;255;0m▀\x1b[0m"


def test_an_odd_last_row_is_drawn_too() -> None:
    grey = np.full((3, 1, 1), 255, np.uint8)
    assert blocks.draw(grey, columns=80, colour=False, encoding="utf-8") == "█\n█"
    coloured = blocks.draw(grey, columns=80, colour=True, encoding="utf-8")
    assert coloured.count("▀") == 2


def test_a_wide_picture_is_shrunk_to_the_terminal() -> None:
    lines = blocks.draw(
        np.zeros((224, 224, 3), np.uint8), columns=40, colour=False, encoding="utf-8"
    ).split("\n")
    assert len(lines) == 20
    assert {len(line) for line in lines} == {40}


def test_without_blocks_in_the_encoding_there_are_no_colours_either() -> None:
    grey = np.full((2, 2, 1), 255, np.uint8)
    for encoding in ("latin-1", "no such encoding"):
        assert blocks.draw(grey, columns=80, colour=True, encoding=encoding) == "@@"
