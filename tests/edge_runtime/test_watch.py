from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_runtime import Classifier, Failure
from edge_runtime.errors import InputError, OutputError
from edge_runtime.sources import watch
from edge_runtime.sources.journal import Journal, Signature
from edge_runtime.sources.watch import Watch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "arriving"
    path.mkdir()
    return path


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A function that lets seconds go by."""
    now = 0.0

    def go_by(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(watch, "monotonic", lambda: now)
    monkeypatch.setattr(watch, "sleep", go_by)
    return go_by


def names(paths: list[str]) -> list[str]:
    return [Path(path).name for path in paths]


def complete(watched: Watch) -> list[str]:
    """What two polls in a row say."""
    watched.poll()
    return names(watched.poll())


# --- what is complete --------------------------------------------------------------------------


def test_a_picture_is_complete_when_two_polls_see_no_change(folder: Path) -> None:
    watched = Watch(folder, Journal(None))
    (folder / "a.png").write_bytes(b"half")
    assert watched.poll() == []
    (folder / "a.png").write_bytes(b"half and more")
    assert watched.poll() == []
    assert watched.poll() == [f"{folder}/a.png"]


def test_a_change_of_time_alone_is_a_change(folder: Path) -> None:
    watched = Watch(folder, Journal(None))
    (folder / "a.png").write_bytes(b"data")
    watched.poll()
    os.utime(folder / "a.png", ns=(5, 5))
    assert watched.poll() == []
    assert names(watched.poll()) == ["a.png"]


def test_an_empty_file_is_not_a_picture_yet(folder: Path) -> None:
    (folder / "a.png").touch()
    assert complete(Watch(folder, Journal(None))) == []


def test_temporary_and_other_files_are_left_alone(folder: Path) -> None:
    for name in (".a.png.Xy12", ".b.png", "c.png.part", "d.txt"):
        (folder / name).write_bytes(b"data")
    watched = Watch(folder, Journal(None))
    assert complete(watched) == []
    (folder / "c.png.part").rename(folder / "c.png")
    assert complete(watched) == ["c.png"]


def test_the_oldest_comes_first_and_folders_below_count(folder: Path) -> None:
    (folder / "day").mkdir()
    for name, age in (("new.png", 3), ("day/old.png", 1), ("middle.png", 2)):
        (folder / name).write_bytes(b"data")
        os.utime(folder / name, (age, age))
    assert complete(Watch(folder, Journal(None))) == ["old.png", "middle.png", "new.png"]


def test_what_was_done_comes_again_only_when_it_changes(folder: Path) -> None:
    watched = Watch(folder, Journal(None))
    path = folder / "latest.jpg"
    path.write_bytes(b"one")
    assert complete(watched) == ["latest.jpg"]
    watched.done(str(path))
    assert complete(watched) == []
    path.write_bytes(b"another")  # a camera that writes over its last picture
    assert complete(watched) == ["latest.jpg"]


def test_a_deleted_picture_is_passed_over_and_a_renamed_one_is_new(folder: Path) -> None:
    watched = Watch(folder, Journal(None))
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(b"data")
    watched.poll()
    (folder / "a.png").unlink()
    (folder / "b.png").rename(folder / "c.png")
    assert watched.poll() == []
    assert names(watched.poll()) == ["c.png"]


def test_the_more_files_the_rarer_the_polls(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watch(folder, Journal(None))
    watched.poll()
    assert watched.pause_s == watch.INTERVAL_S
    times = iter([0.0, 0.1])  # a scan that takes a tenth of a second
    monkeypatch.setattr(watch, "monotonic", lambda: next(times))
    watched.poll()
    assert watched.pause_s == pytest.approx(5.0), "a fiftieth of the time, 2 % of a core"


# --- over restarts -----------------------------------------------------------------------------


def test_a_restart_does_not_do_again_what_was_done(folder: Path, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(b"data")
    first = Watch(folder, Journal(tmp_path / "journal"))
    assert complete(first) == ["a.png", "b.png"]
    first.done(f"{folder}/a.png")
    assert complete(Watch(folder, Journal(tmp_path / "journal"))) == ["b.png"]


def test_one_that_may_not_be_read_is_done_for_this_run_only(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.png").write_bytes(b"data")
    first = Watch(folder, Journal(tmp_path / "journal"))
    complete(first)
    with monkeypatch.context() as locked:
        locked.setattr("edge_runtime.sources.watch.os.access", lambda *_: False)
        first.done(f"{folder}/a.png", failed=True)
    assert complete(first) == []
    assert complete(Watch(folder, Journal(tmp_path / "journal"))) == ["a.png"]


@pytest.mark.usefixtures("clock")
def test_one_that_was_read_is_not_asked_for_again(
    opened: Classifier, folder: Path, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.png").write_bytes(picture)
    asked: list[Any] = []
    for question in ("access", "path.lexists"):
        monkeypatch.setattr(f"edge_runtime.sources.watch.os.{question}", asked.append)
    answers = list(watch.answers(opened, Watch(folder, Journal(None)), once=True, tell=print))
    assert len(answers) == 1
    assert asked == []


def test_a_journal_that_goes_with_its_folder_ends_nothing(folder: Path) -> None:
    (folder / "a.png").write_bytes(b"data")
    watched = Watch(folder, Journal(folder / ".journal"))
    complete(watched)
    shutil.rmtree(folder)
    watched.done(f"{folder}/a.png")


def test_the_folder_may_have_moved_meanwhile(folder: Path, tmp_path: Path) -> None:
    (folder / "a.png").write_bytes(b"data")
    first = Watch(folder, Journal(folder / ".journal"))
    complete(first)
    first.done(f"{folder}/a.png")
    moved = folder.rename(tmp_path / "elsewhere")
    assert complete(Watch(moved, Journal(moved / ".journal"))) == []


def test_a_line_that_was_cut_off_costs_only_its_own_picture(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(path)
    journal.add("a.png", Signature(1, 2))
    journal.add("odd\udce9\n.png", Signature(3, 4))
    path.write_bytes(path.read_bytes()[:-5] + b'\n["c.png", 5, 6, ""]\nnull\n[1]\n')
    assert Journal(path).done == {"a.png": (1, 2), "c.png": (5, 6)}


def test_another_model_begins_anew_in_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    Journal(path, "old").add("a.png", Signature(1, 2))
    new = Journal(path, "new")
    assert new.done == {}
    new.add("a.png", Signature(1, 2))
    assert Journal(path, "new").done == Journal(path, "old").done == {"a.png": (1, 2)}


def test_writing_anew_keeps_what_other_models_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_runtime.sources.journal._SPARE_LINES", 3)
    path = tmp_path / "journal"
    old = Journal(path, "old")
    for number in range(50):
        old.add(f"{number}.png", Signature(1, 2))
    new = Journal(path, "new")
    for time_ns in range(20):
        new.add("latest.png", Signature(1, time_ns))
    assert len(Journal(path, "old").done) == 50
    assert Journal(path, "new").done == {"latest.png": (1, 19)}
    assert len(path.read_text().splitlines()) < 60


@pytest.mark.parametrize("content", [b"my notes\nin two lines\n", b"\xff\xfe\nPK\n"])
def test_a_file_of_something_else_is_no_journal(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(content)
    with pytest.raises(OutputError, match="holds something else; name another file"):
        Journal(path)
    assert path.read_bytes() == content


def test_bytes_that_are_no_text_cost_only_their_own_line(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    Journal(path).add("a.png", Signature(1, 2))
    path.write_bytes(path.read_bytes() + b'["\xff\xfe')
    assert Journal(path).done == {"a.png": (1, 2)}


def test_a_line_after_one_that_was_cut_off_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text('["a.png", 1')
    Journal(path).add("b.png", Signature(1, 2))
    assert Journal(path).done == {"b.png": (1, 2)}


def test_outdated_lines_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_runtime.sources.journal._SPARE_LINES", 10)
    path = tmp_path / "journal"
    journal = Journal(path)
    for time_ns in range(50):
        journal.add("latest.jpg", Signature(1, time_ns))
    assert len(path.read_text().splitlines()) < 15
    assert Journal(path).done == {"latest.jpg": (1, 49)}


def test_only_so_many_vanished_pictures_are_remembered(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_ABSENT", 2)
    journal = Journal(None)
    for name in ("a.png", "b.png"):
        journal.add(name, Signature(1, 1))
    Watch(folder, journal).poll()
    assert len(journal.done) == 2, "a share may come back"
    journal.add("c.png", Signature(1, 1))
    Watch(folder, journal).poll()
    assert list(journal.done) == ["b.png", "c.png"]


def test_a_journal_that_cannot_be_kept_is_told_once_and_does_without(tmp_path: Path) -> None:
    told: list[str] = []
    missing = tmp_path / "no/such/folder"
    journal = watch.journal_of(missing, "0" * 64, None, told.append)
    assert journal.path is None
    assert "after a restart all is done again, unless --state names another file" in told[0]
    with pytest.raises(OutputError, match="cannot keep in"):
        watch.journal_of(tmp_path, "0" * 64, missing / "state", told.append)


# --- with a model ------------------------------------------------------------------------------


@pytest.fixture
def opened(models: Path) -> Classifier:
    return Classifier.open(models / "halves.int8.tflite")


@pytest.fixture
def picture(half: Callable[..., Any], encoded: Callable[..., bytes]) -> bytes:
    return encoded(half("left", 20, 20))


def told_and_answered(
    opened: Classifier, folder: Path, count: int
) -> tuple[list[str], list[tuple[str, str]]]:
    told: list[str] = []
    answered = []
    answers = watch.answers(opened, Watch(folder, Journal(None)), once=False, tell=told.append)
    for _, (path, outcome) in zip(range(count), answers, strict=False):
        said = outcome.message if isinstance(outcome, Failure) else outcome.best.label
        answered.append((Path(str(path)).name, said))
    return told, answered


@pytest.mark.usefixtures("clock")
def test_a_picture_that_stands_half_written_is_tried_again_when_it_is_whole(
    opened: Classifier, folder: Path, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "slow.png"
    path.write_bytes(picture[:50])
    pauses = 0

    def sleep(_: float) -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 5:  # its sender goes on
            path.write_bytes(picture)

    monkeypatch.setattr(watch, "sleep", sleep)
    assert told_and_answered(opened, folder, 1) == ([], [("slow.png", "left")])
    assert pauses == 6


@pytest.mark.usefixtures("clock")
def test_one_that_stays_unreadable_is_a_failure_once(
    opened: Classifier, folder: Path, picture: bytes
) -> None:
    (folder / "broken.png").write_bytes(picture[:50])
    (folder / "good.png").write_bytes(picture)
    answers = watch.answers(opened, Watch(folder, Journal(None)), once=False, tell=print)
    assert next(answers)[0] == f"{folder}/good.png"
    path, outcome = next(answers)
    assert path == f"{folder}/broken.png"
    assert isinstance(outcome, Failure)
    (folder / "last.png").write_bytes(picture)
    assert next(answers)[0] == f"{folder}/last.png", "and not the broken one again"
    answers.close()  # type: ignore[attr-defined]


@pytest.mark.usefixtures("clock")
def test_once_ends_with_what_is_complete_and_leaves_the_rest_for_the_next_run(
    opened: Classifier, folder: Path, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "whole.png").write_bytes(picture)
    (folder / "growing.png").write_bytes(picture[:50])

    with monkeypatch.context() as meanwhile:
        grow = lambda _: (folder / "growing.png").write_bytes(picture)  # noqa: E731
        meanwhile.setattr(watch, "sleep", grow)
        journal = Journal(None)
        first = list(watch.answers(opened, Watch(folder, journal), once=True, tell=print))
    assert [path for path, _ in first] == [f"{folder}/whole.png"]
    second = list(watch.answers(opened, Watch(folder, journal), once=True, tell=print))
    assert [path for path, _ in second] == [f"{folder}/growing.png"]


def test_once_does_not_wait_the_longer_the_more_files_there_are(
    opened: Classifier, folder: Path, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.png").write_bytes(picture)
    times, pauses = itertools.count(), list[float]()
    monkeypatch.setattr(watch, "monotonic", lambda: 10.0 * next(times))  # a slow share
    monkeypatch.setattr(watch, "sleep", pauses.append)
    answers = watch.answers(opened, Watch(folder, Journal(None)), once=True, tell=print)
    assert len(list(answers)) == 1
    assert pauses == [watch.INTERVAL_S]


def test_once_in_a_folder_out_of_reach_is_an_error_and_no_silence(
    opened: Classifier, folder: Path
) -> None:
    folder.rmdir()
    answers = watch.answers(opened, Watch(folder, Journal(None)), once=True, tell=print)
    with pytest.raises(InputError, match=f"cannot read {folder}: No such file or directory"):
        next(answers)


@pytest.mark.usefixtures("clock")
def test_a_folder_that_goes_away_is_waited_for_and_told_once(
    opened: Classifier, folder: Path, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.png").write_bytes(picture)
    pauses = 0

    def sleep(_: float) -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 2:
            shutil.rmtree(folder)
        if pauses == 5:
            folder.mkdir()
            (folder / "b.png").write_bytes(picture)

    monkeypatch.setattr(watch, "sleep", sleep)
    told, answered = told_and_answered(opened, folder, 2)
    assert answered == [("a.png", "left"), ("b.png", "left")]
    assert told == [f"cannot read {folder}: No such file or directory; waiting for it"]
