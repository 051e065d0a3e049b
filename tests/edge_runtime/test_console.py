from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from edge_runtime import console, errors


def failing(error: BaseException) -> Callable[[], int]:
    def command() -> int:
        raise error

    return command


def test_a_commands_own_code_is_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert console.run("tool", lambda: 7) == 7
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.EdgeError, 1),
        (errors.InputError, 1),
        (errors.ToleranceError, 1),
        (errors.UsageError, 2),
        (errors.OutputError, 2),
        (errors.ModelError, 3),
        (errors.DamagedModelError, 3),
        (errors.SpecError, 3),
        (errors.EngineError, 3),
        (errors.DeviceError, 4),
    ],
)
def test_an_expected_error_is_one_line_and_its_documented_code(
    error: type[errors.EdgeError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console.run("tool", failing(error("what happened; what to do"))) == code
    assert capsys.readouterr() == ("", "tool: error: what happened; what to do\n")


def test_the_drawing_in_errors_says_the_same_codes() -> None:
    drawn = dict(re.findall(r"(\w+Error) +(\d)", errors.__doc__ or ""))
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    expected = [kind for kind in classes if issubclass(kind, errors.EdgeError)]
    real = {kind.__name__: str(kind.exit_code) for kind in expected if kind is not errors.EdgeError}
    assert drawn == real


def test_a_program_without_stdout_and_stderr_has_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)

    def command() -> int:
        print("answer", sys.stdout.isatty())
        raise errors.ModelError("told to nobody")

    assert console.run("tool", command) == 3
    for stream in (sys.stdout, sys.stderr):
        stream.close()


def test_an_interruption_is_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert console.run("tool", failing(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "tool: interrupted\n"


@pytest.mark.parametrize("bug", [ZeroDivisionError("x"), OSError(5, "x"), ValueError("x")])
def test_a_bug_keeps_its_traceback(bug: Exception) -> None:
    with pytest.raises(type(bug)):
        console.run("tool", failing(bug))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("first\nsecond\r\nthird\n", "first second third"),
        ("\x1b[2Jcleared", "\\x1b[2Jcleared"),
        ("caf\udce9.png", "caf\\udce9.png"),
        ("Čižma 靴", "Čižma 靴"),
    ],
)
def test_whatever_a_message_holds_it_is_one_harmless_line(
    text: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    console.say("tool", text)
    assert capsys.readouterr().err == f"tool: {line}\n"
    assert console.run("tool", failing(errors.ModelError(text))) == 3
    assert capsys.readouterr().err == f"tool: error: {line}\n"


def run_python(code: str, shell: str) -> subprocess.CompletedProcess[str]:
    """Run `{python}` in a shell line, where {python} prints what `code` prints under `run`."""
    body = f"import sys\nfrom edge_runtime import console\ndef command():\n{code}\n"
    body += "sys.exit(console.run('tool', command))"
    return subprocess.run(
        ["bash", "-c", shell, "bash", sys.executable, body],
        env=os.environ | {"PYTHONUNBUFFERED": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_that_has_had_enough_is_no_error(lines: int) -> None:
    code = f"  for n in range({lines}): print(n)\n  return 0"
    done = run_python(code, '"$1" -c "$2" | true; echo "${PIPESTATUS[0]}"')
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_full_disk_behind_stdout_is_one_line(lines: int) -> None:
    code = f"  for n in range({lines}): print(n)\n  return 0"
    done = run_python(code, '"$1" -c "$2" > /dev/full')
    assert done.returncode == 2
    assert done.stderr == (
        "tool: error: cannot write the output: No space left on device; free some space\n"
    )


def test_a_name_that_is_no_text_can_be_printed() -> None:
    done = run_python("  print('caf\\udce9.png')\n  return 0", '"$1" -c "$2"')
    assert (done.returncode, done.stdout, done.stderr) == (0, "caf\\udce9.png\n", "")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_json_is_json_whatever_standard_output_can_hold(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdout = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")
    monkeypatch.setattr("sys.stdout", stdout)
    text = console.as_json({"source": "é👟.png"})
    stdout.write(text)
    stdout.flush()
    assert json.loads(stdout.buffer.getvalue().decode(encoding)) == {"source": "é👟.png"}  # type: ignore[attr-defined]
