"""The model files do on a Pi what they do on a desktop."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.device.answers import agreements
from tests.device.boards import Board
from tests.device.lab import Pi

pytestmark = [pytest.mark.slow, pytest.mark.device]

# tflite-runtime 2.14 reads from address 0 on 32-bit ARM where a dense layer is int8 and has two
# or three outputs and no bias. `python -m export` cannot know that a file is meant for it.
CRASHING = {"armhf": ("tiny/colours.int8.tflite",)}
SIGSEGV = -11

# A grey model for each engine, and one in colour.
PHOTOGRAPHED = ("shipped/", "tiny/colours.float32.tflite")


@pytest.fixture(scope="session")
def usable(pi: Pi, model_files: Mapping[str, Path]) -> Mapping[str, Path]:
    """The model files that the engines of this Pi can run."""
    crashing = CRASHING.get(pi.userland.name, ())
    return {name: path for name, path in model_files.items() if name not in crashing}


def test_golden_samples_agree_on_every_board(
    pi: Pi, usable: Mapping[str, Path], report: Callable[[str], None]
) -> None:
    def check(board: Board) -> CompletedProcess[str]:
        return pi.python("-m", "edge_runtime", "check", *usable.values(), board=board)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for board, checked in zip(pi.boards, pool.map(check, pi.boards), strict=True):
            lines = checked.stdout.splitlines()
            assert checked.returncode == 0, checked.stdout + checked.stderr
            assert checked.stderr == ""
            assert [line.split(":")[0] for line in lines] == [path.name for path in usable.values()]
            report(f"{pi}, {board.name}: {len(lines)} model files repeat their golden samples")


def test_200_pictures_are_named_as_on_the_desktop(
    pi: Pi, usable: Mapping[str, Path], pictures: Sequence[Path], report: Callable[[str], None]
) -> None:
    large = {name: path for name, path in usable.items() if not name.startswith("tiny/")}
    found = agreements(pi, large, pictures)
    for name, agreement in found.items():
        report(f"{pi}, {name}: {agreement}")
    assert {name: str(each) for name, each in found.items() if each.share < 0.995} == {}


def test_photographs_are_named_as_on_the_desktop_on_every_board(
    pi: Pi, usable: Mapping[str, Path], photographs: Sequence[Path], report: Callable[[str], None]
) -> None:
    few = {name: path for name, path in usable.items() if name.startswith(PHOTOGRAPHED)}
    for board in pi.boards:
        found = agreements(pi, few, photographs, board)
        for name, agreement in found.items():
            report(f"{pi}, {board.name}, {name}, photographs: {agreement}")
        assert {name: str(each) for name, each in found.items() if each.share < 0.95} == {}


def test_what_is_left_out_because_it_crashes_still_crashes(
    pi: Pi, model_files: Mapping[str, Path]
) -> None:
    for name in CRASHING.get(pi.userland.name, ()):
        assert pi.python("-m", "edge_runtime", "check", model_files[name]).returncode == SIGSEGV
