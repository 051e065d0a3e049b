from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edge_runtime.quiet import native_output_hidden


def shout() -> None:
    """As native code does: past Python."""
    os.write(2, b"INFO: Created delegate\n")


def test_what_native_code_prints_is_hidden_and_only_inside(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with native_output_hidden():
        shout()
    assert capfd.readouterr().err == ""
    shout()
    assert capfd.readouterr().err == "INFO: Created delegate\n"


def test_an_error_inside_brings_stderr_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="inside"), native_output_hidden():
        raise ValueError("inside")
    shout()
    assert "delegate" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("value", "shown"), [("1", True), ("yes", True), ("0", False), ("", False)]
)
def test_a_variable_lets_it_through(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, value: str, shown: bool
) -> None:
    monkeypatch.setenv("EDGE_RUNTIME_VERBOSE", value)
    with native_output_hidden():
        shout()
    assert ("delegate" in capfd.readouterr().err) == shown


def test_many_threads_leave_stderr_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    def hide(_: int) -> None:
        with native_output_hidden():
            time.sleep(0.0005)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(hide, range(200)))
    shout()
    assert capfd.readouterr().err == "INFO: Created delegate\n"


def test_it_may_be_used_inside_itself(capfd: pytest.CaptureFixture[str]) -> None:
    with native_output_hidden():
        with native_output_hidden():
            shout()
        shout()
    assert capfd.readouterr().err == ""


def test_a_service_started_without_stderr_can_open_a_model(models: Path) -> None:
    command = (
        f"{sys.executable} -c 'from edge_runtime import Classifier;"
        f'print(Classifier.open("{models}/halves.int8.tflite").spec.name)\' 2>&-'
    )
    done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "halves\n")
