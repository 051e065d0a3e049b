"""What a person names on the command line → the pictures that are meant, and their answers."""

from __future__ import annotations

import codecs
import glob
import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from edge_runtime.errors import Failure, InputError, UsageError

if TYPE_CHECKING:
    from edge_runtime.classifier import Classifier
    from edge_runtime.image import ImageSource
    from edge_runtime.result import Result

    Answer = tuple[ImageSource | None, Result | Failure]

# A folder's files by their names; a file that is named itself may be called anything.
SUFFIXES: Final = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif")

_MANY: Final = 1000  # pictures from which processes are quicker than threads, start and all


class Stdin(io.BytesIO):
    """One picture's bytes, from standard input."""

    name = "-"


Picture = str | Stdin


def answers(
    classifier: Classifier, pictures: list[Picture | Failure], workers: int | None = None
) -> Iterator[Answer]:
    """Each picture with its result or failure, in order; failures from before keep their place.

    Args:
        classifier: one that was opened from a file.
        pictures: as from `expand`.
        workers: how many are classified at a time; as many as there are cores where None.
    """
    for failed, group in groupby(pictures, lambda picture: isinstance(picture, Failure)):
        if failed:
            yield from ((None, failure) for failure in group if isinstance(failure, Failure))
            continue
        some = [picture for picture in group if not isinstance(picture, Failure)]
        # One picture needs no threads, and starts sooner without them.
        at_a_time = 1 if len(some) == 1 else workers
        stream = classifier.stream(some, workers=at_a_time, processes=len(some) >= _MANY)
        yield from zip(some, stream, strict=True)


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


def only(source: str) -> Picture:
    """The one picture that a source is: a file, or `-`.

    Raises:
        InputError: there is nothing on standard input that could be one.
    """
    picture = _stdin() if source == Stdin.name else source
    if isinstance(picture, Failure):
        raise InputError(picture.message)
    return picture


def named_in(list_file: str) -> list[str]:
    """The sources that a file, or `-` for standard input, names, one a line.

    Names that a NUL byte ends, as by `find -print0`, may hold line breaks.

    Raises:
        UsageError: there is no such file.
    """
    try:
        data = _piped().read() if list_file == "-" else Path(list_file).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {list_file}: {error.strerror}") from error
    data = data.removeprefix(codecs.BOM_UTF8)  # as editors on Windows begin a text
    names = data.split(b"\0") if b"\0" in data else data.splitlines()
    return [os.fsdecode(name) for name in names if name.strip()]


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Unlike `Path.is_dir`, also where a name is too long or a folder above it is locked."""
    return os.path.isdir(path)  # noqa: PTH112


def named_as_picture(name: str) -> bool:
    """Whether a file of this name is taken for a picture where nobody names the file itself."""
    return name.lower().endswith(SUFFIXES)


def pictures_below(folder: str) -> Iterator[os.DirEntry[str]]:
    """The files with a picture's name in a folder and all below it, but for hidden ones.

    Raises:
        OSError: the folder itself cannot be read; what cannot be read below it is left out.
    """
    rest = _entries(folder)[::-1]  # the next one is the last: folders may be any number deep
    while rest:
        entry = rest.pop()
        if entry.is_dir(follow_symlinks=False):
            with suppress(OSError):
                rest += _entries(entry.path)[::-1]
        elif named_as_picture(entry.name) and _is_file(entry):
            yield entry


def _is_file(entry: os.DirEntry[str]) -> bool:
    """No pipe and socket, which may never come to an end, and no link that leads nowhere."""
    try:
        return entry.is_file()
    except OSError:  # in a circle, or to where this user may not look
        return False


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """What is in a folder and not hidden, by name."""
    with os.scandir(folder) as found:
        entries = [entry for entry in found if not entry.name.startswith(".")]
    return sorted(entries, key=lambda entry: entry.name)


def _expand(source: str) -> Iterable[Picture | Failure]:
    if source == Stdin.name:
        return [_stdin()]
    if is_folder(source):
        return _in_folder(source)
    if glob.has_magic(source) and not os.path.lexists(source):
        # Unlike Path.is_file, isfile takes it when a folder above is locked.
        found = sorted(filter(os.path.isfile, _matches(source)))
        return found or [_failure(source, f"{source} matches no file")]
    return [source]


def _matches(pattern: str) -> Iterable[str]:
    """What a pattern matches, but for hidden files."""
    parts = Path(pattern).parts
    if "**" not in parts:
        return glob.iglob(pattern)  # noqa: PTH207  takes a pattern from anywhere
    # glob would follow links to folders, round and round; Path.glob does not.
    first = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    root, rest = Path(*parts[:first]), parts[first:]
    below = (
        path.relative_to(root) for path in root.glob("/".join(rest) + "/*" * (rest[-1] == "**"))
    )
    return (str(root / path) for path in below if not any(p.startswith(".") for p in path.parts))


def _in_folder(folder: str) -> Iterable[Picture | Failure]:
    try:
        found = [entry.path for entry in pictures_below(folder)]
    except OSError as error:
        return [_failure(folder, f"cannot read {folder}: {error.strerror}")]
    endings = ", ".join(SUFFIXES)
    return found or [_failure(folder, f"{folder} holds no pictures: no file ends in {endings}")]


def _stdin() -> Picture | Failure:
    from edge_runtime.image import MAX_FILE_BYTES

    if sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("`-` means a picture on standard input, and none is piped in")
    data = _piped().read(MAX_FILE_BYTES + 1)
    if not data:
        return _failure(Stdin.name, "standard input is empty")
    if len(data) > MAX_FILE_BYTES:
        return _failure(Stdin.name, f"standard input is larger than {MAX_FILE_BYTES >> 20} MiB")
    return Stdin(data)


def _piped() -> BinaryIO:
    if sys.stdin is None:  # closed, as a service's may be
        raise UsageError("`-` means standard input, and there is none")
    return sys.stdin.buffer


def _failure(source: str, message: str) -> Failure:
    return Failure(source, InputError.__name__, message)
