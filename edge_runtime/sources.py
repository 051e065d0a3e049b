"""What a person names on the command line → the pictures that are meant."""

from __future__ import annotations

import glob
import io
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from edge_runtime.errors import Failure, InputError, UsageError

# A folder's files by their names; a file that is named itself may be called anything.
SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")
MAX_STDIN_BYTES: Final = 64 << 20


class Stdin(io.BytesIO):
    """One picture's bytes, from standard input."""

    name = "-"


Picture = str | Stdin


def expand(sources: Iterable[str]) -> list[Picture | Failure]:
    """Every picture that the sources mean, in their order; a source that means none is a failure.

    Args:
        sources: files, folders (with all below them, sorted, but for hidden ones), patterns with
            `*`, `?`, `[…]` and `**`, and `-` for one picture on standard input.
    """
    pictures: list[Picture | Failure] = []
    for source in sources:
        pictures += _expand(source)
    return pictures


def named_in(list_file: str) -> list[str]:
    """The sources that a file, or `-` for standard input, names, one a line.

    Names that a NUL byte ends, as by `find -print0`, may hold line breaks.

    Raises:
        UsageError: there is no such file.
    """
    try:
        data = sys.stdin.buffer.read() if list_file == "-" else Path(list_file).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {list_file}: {error.strerror}") from error
    names = data.split(b"\0") if b"\0" in data else data.splitlines()
    return [os.fsdecode(name) for name in names if name.strip()]


def pictures_below(folder: str) -> Iterator[os.DirEntry[str]]:
    """The files with a picture's name in a folder and all below it, but for hidden ones.

    Raises:
        OSError: the folder itself cannot be read; what cannot be read below it is left out.
    """
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.name.lower().endswith(SUFFIXES):
            yield entry
        elif entry.is_dir(follow_symlinks=False):
            try:
                yield from pictures_below(entry.path)
            except OSError:
                continue


def _expand(source: str) -> Iterable[Picture | Failure]:
    if source == "-":
        return [_stdin()]
    if os.path.isdir(source):
        return _in_folder(source)
    if glob.has_magic(source) and not os.path.lexists(source):
        found = sorted(name for name in glob.glob(source, recursive=True) if os.path.isfile(name))
        return found or [_failure(source, f"{source} matches no file")]
    return [source]


def _in_folder(folder: str) -> Iterable[Picture | Failure]:
    try:
        found = [entry.path for entry in pictures_below(folder)]
    except OSError as error:
        return [_failure(folder, f"cannot read {folder}: {error.strerror}")]
    endings = ", ".join(SUFFIXES)
    return found or [_failure(folder, f"{folder} holds no pictures: no file ends in {endings}")]


def _stdin() -> Stdin:
    if sys.stdin.isatty():
        raise UsageError(
            "`-` reads a picture from standard input, which is a terminal; pipe one in"
        )
    return Stdin(sys.stdin.buffer.read(MAX_STDIN_BYTES + 1))


def _failure(source: str, message: str) -> Failure:
    return Failure(source, InputError.__name__, message)
