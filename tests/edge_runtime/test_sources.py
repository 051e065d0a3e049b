from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edge_runtime import Failure, sources
from edge_runtime.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: pictures and other files, some of them hidden, in two folders."""
    for name in (
        "b.JPG",
        "a.png",
        ".hidden.png",
        "notes.txt",
        "[1].png",
        "in/c.webp",
        ".git/d.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function: bytes → they are on standard input, which is no terminal unless told so."""

    def pipe(data: bytes, *, terminal: bool = False) -> None:
        stdin = SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: terminal)
        monkeypatch.setattr("sys.stdin", stdin)

    return pipe


def failure(outcome: Any) -> str:
    assert isinstance(outcome, Failure)
    assert outcome.code == "InputError"
    return outcome.message


@pytest.mark.usefixtures("folder")
def test_a_folder_means_the_pictures_in_it_and_below_sorted_but_for_hidden_ones() -> None:
    assert sources.expand(["."]) == ["./[1].png", "./a.png", "./b.JPG", "./in/c.webp"]


@pytest.mark.usefixtures("folder")
def test_a_file_that_is_named_is_taken_whatever_its_name_and_whether_it_is_there() -> None:
    named = ["notes.txt", ".hidden.png", "missing.png"]
    assert sources.expand(named) == named


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.png", ["[1].png", "a.png"]),
        ("**/*.webp", ["in/c.webp"]),
        ("?.*", ["a.png", "b.JPG"]),
        ("[1].png", ["[1].png"]),  # a file of this very name comes first
        ("[ab].*", ["a.png", "b.JPG"]),
    ],
)
def test_a_pattern_means_the_files_that_match(pattern: str, found: list[str]) -> None:
    assert sources.expand([pattern]) == found


def test_what_means_no_picture_keeps_its_place_as_a_failure(folder: Path) -> None:
    (folder / "empty").mkdir()
    first, second, third, fourth = sources.expand(["a.png", "*.gif", "empty", "b.JPG"])
    assert (first, fourth) == ("a.png", "b.JPG")
    assert failure(second) == "*.gif matches no file"
    assert failure(third).startswith("empty holds no pictures: no file ends in .jpg, .jpeg")


def test_a_name_that_no_file_can_have_is_left_to_whoever_opens_it() -> None:
    for name in ("x" * 5000, "two\0parts"):
        assert sources.expand([name]) == [name]


@pytest.mark.usefixtures("folder")
def test_a_link_to_a_folder_above_does_not_go_round_in_circles() -> None:
    Path("in/up").symlink_to("..")
    assert sources.expand(["in"]) == ["in/c.webp"]


@pytest.mark.usefixtures("folder")
def test_nor_does_a_pattern_and_it_finds_what_a_folder_does() -> None:
    Path("in/up").symlink_to("..")
    assert sources.expand(["**"]) == ["[1].png", "a.png", "b.JPG", "in/c.webp", "notes.txt"]
    assert sources.expand(["./in/**/*.webp"]) == ["in/c.webp"]


def test_a_link_that_leads_to_itself_costs_no_other_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to("a.png")
    (tmp_path / "b.png").touch()
    for named in (str(tmp_path), f"{tmp_path}/*.png", f"{tmp_path}/**/*.png"):
        assert sources.expand([named]) == [str(tmp_path / "b.png")]


def test_what_is_no_file_in_a_folder_is_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "b.png").touch()
    assert sources.expand([str(tmp_path)]) == [str(tmp_path / "b.png")]


def test_a_list_from_nowhere_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    for ask in (lambda: sources.named_in("-"), lambda: sources.only("-")):
        with pytest.raises(UsageError, match="there is none"):
            ask()


def test_long_lists_go_to_processes_and_short_ones_do_not() -> None:
    asked = []

    class Recording:
        def stream(self, some: list[str], *, workers: int | None, processes: bool) -> list[str]:
            asked.append((len(some), workers, processes))
            return some

    some: list[Any] = ["a.png"] * 999
    classifier: Any = Recording()
    list(sources.answers(classifier, [*some, Failure("x", "InputError", "no"), *some, "a.png"], 3))
    assert asked == [(999, 3, False), (1000, 3, True)]


def test_a_dash_is_a_picture_on_standard_input(piped: Callable[..., None]) -> None:
    piped(b"bytes of a picture")
    (picture,) = sources.expand(["-"])
    assert isinstance(picture, sources.Stdin)
    assert (picture.name, picture.read()) == ("-", b"bytes of a picture")


def test_nothing_or_too_much_on_standard_input_is_a_failure(
    piped: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(b"")
    assert failure(sources.expand(["-"])[0]) == "standard input is empty"
    monkeypatch.setattr("edge_runtime.image.MAX_FILE_BYTES", 3)
    piped(b"four")
    assert failure(sources.expand(["-"])[0]).startswith("standard input is larger than ")


def test_a_terminal_is_not_waited_for(piped: Callable[..., None]) -> None:
    piped(b"", terminal=True)
    with pytest.raises(UsageError, match="none is piped in"):
        sources.expand(["-"])


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"a.png\nb c.png\r\n\n  \nd.png", ["a.png", "b c.png", "d.png"]),
        (b"a\nb.png\0c.png\0", ["a\nb.png", "c.png"]),
        (b"\xef\xbb\xbfa.png\r\n", ["a.png"]),
        (b"caf\xe9.png\n", [os.fsdecode(b"caf\xe9.png")]),
        (b"", []),
    ],
)
def test_a_list_names_one_a_line_or_with_nul_bytes_between(
    data: bytes, names: list[str], tmp_path: Path, piped: Callable[..., None]
) -> None:
    (tmp_path / "list.txt").write_bytes(data)
    assert sources.named_in(str(tmp_path / "list.txt")) == names
    piped(data)
    assert sources.named_in("-") == names


def test_a_list_that_is_not_there_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"cannot read no\.txt: No such file"):
        sources.named_in("no.txt")
