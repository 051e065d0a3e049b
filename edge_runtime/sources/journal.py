"""Which files of a folder were done, kept over restarts: one line of JSON appended for each."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from edge_runtime.errors import OutputError
from edge_runtime.files import write_atomically

_SPARE_LINES = 1000  # outdated lines that are tolerated before the file is written anew


class Signature(NamedTuple):
    """What changes when a file's content does."""

    size: int  # bytes
    mtime_ns: int


class Journal:
    """Names, as text relative to the folder, and the signature each was done with.

    A line of another model counts for nothing, and goes when the journal is written anew.
    A line that a power cut left half-written is passed over: its file is then done again.
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
            with path.open("a+", encoding="utf-8") as file:
                file.seek(0)
                line = "\n"
                for line in file:
                    self._read(line)
                if not line.endswith("\n"):  # a power cut came between
                    file.write("\n")
        except OSError as error:
            raise _unwritable(path, error) from error

    def _read(self, line: str) -> None:
        self._lines += 1
        with suppress(ValueError, TypeError):  # cut off, or no line of ours
            name, size, mtime_ns, model = json.loads(line)
            if model == self._model:
                self.done[str(name)] = Signature(int(size), int(mtime_ns))

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
            lines = [self._line(*entry) for entry in self.done.items()]
            write_atomically(self.path, "".join(lines).encode(), overwrite=True)
            self._lines = len(lines)
            return
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(self._line(name, signature))
        except OSError as error:
            raise _unwritable(self.path, error) from error
        self._lines += 1

    def forget(self, names: set[str]) -> None:
        """Drop files that are gone; the lines go when the journal is next written anew."""
        for name in names:
            self.done.pop(name, None)

    def _line(self, name: str, signature: Signature) -> str:
        return json.dumps([name, *signature, self._model]) + "\n"


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot keep in {path} what was done: {error.strerror}")
