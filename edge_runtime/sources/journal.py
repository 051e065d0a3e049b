"""Which files of a folder were done, kept over restarts: one line of JSON appended for each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple, TextIO, cast

from edge_runtime.errors import OutputError
from edge_runtime.files import write_atomically

_SPARE_LINES = 1000  # outdated lines that are tolerated before the file is written anew


class Signature(NamedTuple):
    """What changes when a file's content does."""

    size: int  # bytes
    mtime_ns: int


class Journal:
    """Names, as text relative to the folder, and the signature each was done with.

    Lines of other models count for nothing, and stay. A line that a power cut left half-written is
    passed over: its file is then done again.
    """

    def __init__(self, path: Path | None, model: str = "") -> None:
        """Read the journal at `path`, where there is one; None remembers for this run only.

        Args:
            path: the file, made where there is none.
            model: digest of the model file that does them.

        Raises:
            OutputError: it cannot be read or added to.
        """
        self.path = path
        self._model = model[:12]
        self._lines = 0
        self.done: dict[str, Signature] = {}
        if path is None:
            return
        try:
            with _opened(path, "a+") as file:
                file.seek(0)
                lines = file.readlines()
                entries = [_entry(line) for line in lines]
                if len(lines) > 1 and not any(entries):
                    raise OutputError(f"{path} holds something else; name another file")
                if lines and not lines[-1].endswith("\n"):  # a power cut came between
                    file.write("\n")
        except OSError as error:
            raise _unwritable(path, error) from error
        own = [entry for entry in entries if entry and entry.model == self._model]
        self._lines = len(own)
        self.done = {entry.name: entry.signature for entry in own}

    def add(self, name: str, signature: Signature) -> None:
        """Note that a file was done.

        Raises:
            OutputError: the disk is full, or the journal is out of reach.
        """
        self.done.pop(name, None)  # so that the order is that of doing
        self.done[name] = signature
        if self.path is None:
            return
        if self._lines > 2 * len(self.done) + _SPARE_LINES:
            self._write_anew(self.path)
            return
        try:
            with _opened(self.path, "a") as file:
                file.write(self._line(name, signature))
        except OSError as error:
            raise _unwritable(self.path, error) from error
        self._lines += 1

    def _write_anew(self, path: Path) -> None:
        """Without outdated lines of this model, with all of the others'."""
        try:
            with _opened(path, "r") as file:
                entries = [(line, _entry(line)) for line in file]
        except OSError as error:
            raise _unwritable(path, error) from error
        others = [line for line, entry in entries if entry and entry.model != self._model]
        own = [self._line(*entry) for entry in self.done.items()]
        text = "".join([*others, *own])
        write_atomically(path, text.encode(errors="surrogateescape"), overwrite=True)
        self._lines = len(own)

    def forget(self, names: set[str]) -> None:
        """Drop files that are gone; the lines go when the journal is next written anew."""
        for name in names:
            self.done.pop(name, None)

    def _line(self, name: str, signature: Signature) -> str:
        return json.dumps([name, *signature, self._model]) + "\n"


class _Entry(NamedTuple):
    """One line."""

    name: str
    signature: Signature
    model: str


def _entry(line: str) -> _Entry | None:
    """What a line says; None where it was cut off, or is no line of a journal."""
    try:
        name, size, mtime_ns, model = json.loads(line)
        return _Entry(str(name), Signature(int(size), int(mtime_ns)), str(model))
    except (ValueError, TypeError):
        return None


def _opened(path: Path, mode: str) -> TextIO:
    # What a power cut left may be no text.
    return cast(TextIO, path.open(mode, encoding="utf-8", errors="surrogateescape"))


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot keep in {path} what was done: {error.strerror}")
