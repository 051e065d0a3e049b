from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from export import chatter


def shout() -> None:
    """Print in every way a library does."""
    print("python stdout")
    print("python stderr", file=sys.stderr)
    os.write(1, b"native stdout\n")
    os.write(2, b"native stderr\n")
    subprocess.run(["/bin/echo", "a child"], check=True)
    warnings.warn("a warning", DeprecationWarning, stacklevel=1)


WORDS = ("python stdout", "python stderr", "native stdout", "native stderr", "a child", "a warning")


def test_everything_printed_goes_to_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    log = tmp_path / "log"
    with chatter.sent_to(log, kept=tmp_path / "kept"):
        shout()
    written = log.read_text()
    assert all(word in written for word in WORDS[:-1])
    assert capfd.readouterr() == ("", "")
    assert "a warning" in written or len(recwarn) == 1  # pytest takes warnings before they print
    assert not (tmp_path / "kept").exists()


def test_afterwards_the_streams_are_what_they_were(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = sys.stdout, sys.stderr
    with chatter.sent_to(tmp_path / "log", kept=tmp_path / "kept"):
        handler = logging.StreamHandler()  # holds the stderr of this moment for good
    assert (sys.stdout, sys.stderr) == before
    os.write(1, b"back\n")
    handler.emit(logging.makeLogRecord({"msg": "late"}))
    assert capfd.readouterr() == ("back\n", "late\n")


def test_verbose_lets_everything_through_and_writes_no_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with chatter.sent_to(tmp_path / "log", kept=tmp_path / "kept", verbose=True):
        os.write(1, b"native\n")
        print("python")
    assert capfd.readouterr().out == "native\npython\n"
    assert not (tmp_path / "log").exists()


def test_a_bug_keeps_its_log_and_says_where(tmp_path: Path) -> None:
    def fail() -> None:
        with chatter.sent_to(tmp_path / "log", kept=tmp_path / "kept"):
            print("last words")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        fail()
    assert (tmp_path / "kept").read_text() == "last words\n"
    assert str(tmp_path / "kept") in caught.value.__notes__[0]


def test_our_own_words_reach_the_terminal_meanwhile(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        chatter.terminal() as terminal,
        chatter.sent_to(tmp_path / "log", kept=tmp_path / "kept"),
    ):
        print("theirs")
        print("ours", file=terminal, flush=True)
    assert capfd.readouterr().err == "ours\n"
    assert (tmp_path / "log").read_text() == "theirs\n"
