"""What every command line of this project does the same way: errors, exit codes, interruption."""

from __future__ import annotations

import argparse
import codecs
import errno
import io
import json
import os
import sys
import warnings
from collections.abc import Callable
from typing import NoReturn

from edge_runtime.errors import EdgeError, OutputError, printable


class Parser(argparse.ArgumentParser):
    """One whose errors are one line as well; argparse prints the whole usage before its own."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is, and exit with 2."""
        self.exit(2, f"{self.prog}: error: {printable(message)}; see {self.prog} --help\n")


def run(program: str, command: Callable[[], int]) -> int:
    """Run `command` and turn the way it ends into an exit code.

    Expected errors become one line on stderr; bugs keep their traceback.

    Returns:
        The command's own code, the error's `exit_code`, or 130 when interrupted.
    """
    _replace_closed()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name may hold bytes that are no text; it is printed nevertheless.
        sys.stdout.reconfigure(errors="backslashreplace")
    hide_pillow_warnings()
    try:
        code = _run(program, command)
        sys.stdout.flush()  # now, while a reader that has gone can still be answered for
    except KeyboardInterrupt:
        say(program, "interrupted")
        return 130
    except BrokenPipeError:  # head, say, has read enough
        _abandon_stdout()
        return 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _abandon_stdout()
        say(program, f"error: cannot write the output: {error.strerror}; free some space")
        return OutputError.exit_code
    return code


def as_json(document: object, *, indent: int | None = None) -> str:
    """JSON for standard output, its text as it is where that can hold every character."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    whole = codecs.lookup(encoding).name == "utf-8"
    return json.dumps(document, indent=indent, ensure_ascii=not whole)


def hide_pillow_warnings() -> None:
    """For the rest of this process: what Pillow finds odd in a picture ends in a result or error."""
    warnings.filterwarnings("ignore", module=r"PIL\.")


def say(program: str, text: object) -> None:
    """Print one line on stderr, whatever `text` holds: names and engines' words may be anything."""
    print(f"{program}: {printable(str(text))}", file=sys.stderr)


def _run(program: str, command: Callable[[], int]) -> int:
    try:
        return command()
    except EdgeError as error:
        say(program, f"error: {error}")
        return error.exit_code


def _replace_closed() -> None:
    """Where a service was started without stdout or stderr, let there be one that goes nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123  for good


def _abandon_stdout() -> None:
    """Let Python close stdout without a complaint about what could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
