"""Sends what TensorFlow and the converters print, from Python and past it, to a log file."""

from __future__ import annotations

import io
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import TextIO

from edge_runtime.errors import EdgeError

_STREAMS = (1, 2)  # stdout and stderr, as native code knows them


@contextmanager
def sent_to(log: Path, *, kept: Path, verbose: bool = False) -> Iterator[None]:
    """Send everything that is printed inside the block to `log`; with `verbose`, leave it be.

    Concerns the whole process: native code writes to file descriptors, which threads share.

    Args:
        log: the file to write.
        kept: where a copy of the log goes when the block ends in an unexpected error, since the
            folder it is written in may go with it.
        verbose: let everything through to the terminal, and write no log.
    """
    with warnings.catch_warnings():
        # The converters warn about themselves; a caller's `-W error` is about the caller's code.
        warnings.simplefilter("default")
        if verbose:
            yield
            return
        with _descriptors_on(log), _python_on_descriptors():
            try:
                yield
            except (EdgeError, OSError):  # both become one line that says what to do
                raise
            except Exception as error:
                _flush()
                shutil.copyfile(log, kept)
                error.add_note(f"What TensorFlow and the converters printed is in {kept}")
                raise


@contextmanager
def terminal() -> Iterator[TextIO]:
    """The stderr of this moment, out of the reach of `sent_to`: for our own words."""
    try:
        descriptor = os.dup(sys.stderr.fileno())
    except (OSError, io.UnsupportedOperation):  # a notebook's or a test's stream: no descriptor
        yield sys.stderr
        return
    with os.fdopen(descriptor, "w", buffering=1, encoding=sys.stderr.encoding) as stream:
        yield stream


@contextmanager
def _descriptors_on(log: Path) -> Iterator[None]:
    _flush()
    saved = [os.dup(descriptor) for descriptor in _STREAMS]
    try:
        with log.open("wb") as file:
            for descriptor in _STREAMS:
                os.dup2(file.fileno(), descriptor)
        yield
    finally:
        _flush()
        for descriptor, original in zip(_STREAMS, saved, strict=True):
            os.dup2(original, descriptor)
            os.close(original)


@contextmanager
def _python_on_descriptors() -> Iterator[None]:
    """Python's own streams may have been replaced (notebooks, pytest): bring them back to 1 and 2.

    They are never closed: a logging handler made inside the block holds its stream for good, and
    descriptors 1 and 2 are the terminal again by then.
    """
    out, err = (
        io.TextIOWrapper(
            io.FileIO(descriptor, "w", closefd=False),
            encoding="utf-8",
            errors="replace",
            write_through=True,
        )
        for descriptor in _STREAMS
    )
    with redirect_stdout(out), redirect_stderr(err):
        yield


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError, OSError):  # closed already
            stream.flush()
