"""Writing files so that a reader sees the old content or the new, never half of either."""

from __future__ import annotations

import ctypes
import glob
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_runtime.errors import OutputError

_AT_FDCWD = -100  # <fcntl.h>: paths are relative to the working directory
_RENAME_EXCHANGE = 2  # <linux/fs.h>: swap two names in one step


def write_atomically(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write `data` to `path` in one step: a temporary sibling, flushed to disk, then renamed.

    Raises:
        OutputError: the file exists and `overwrite` is false, or the folder cannot be written.
    """
    refuse_existing(path, overwrite=overwrite)
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_hidden(path), suffix=".tmp")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


@contextmanager
def new_directory(
    path: Path, *, overwrite: bool = False, mark: str | None = None
) -> Iterator[Path]:
    """A temporary sibling folder to fill; it becomes `path` in one step when the block ends well.

    What a kill left of an earlier try is removed.

    Args:
        path: the folder to make.
        overwrite: replace a folder that is there already, and all that is in it.
        mark: replace only a folder that is empty or holds a file of this name.

    Raises:
        OutputError: `path` exists and may not be replaced, or its parent cannot be written.
    """
    refuse_existing(path, overwrite=overwrite, mark=mark)
    with _explained(path):
        if path.exists() and not path.is_dir():
            raise OutputError(f"{path} cannot be replaced by a folder; name another place")
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=_hidden(path), suffix=".tmp"))
        lock = _lock(temporary)
        try:
            temporary.chmod(0o777 & ~_umask())
            yield temporary
            if path.exists():
                _exchange(temporary, path)
            else:
                temporary.rename(path)
            _sync_folder(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            if lock is not None:
                os.close(lock)


def refuse_existing(path: Path, *, overwrite: bool, mark: str | None = None) -> None:
    """Raise OutputError when `path` may not be written, before any slow work is done for it.

    Args:
        path: the file or folder to write.
        overwrite: it may be there already.
        mark: but as a folder only when it is empty or holds a file of this name: whoever mistypes
            the name of a folder of pictures must not lose them.
    """
    if path.name in ("", ".."):
        raise OutputError(f"{path} cannot be replaced; name another place")
    if not os.path.lexists(path):
        return
    if not overwrite:
        raise OutputError(f"{path} exists already; name another place or add --overwrite")
    with _explained(path):
        if mark and path.is_dir() and not (path / mark).exists() and any(path.iterdir()):
            raise OutputError(
                f"{path} holds other things (no {mark}), so it is not replaced; name another place"
            )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"cannot write {path}: {reason}; free some space or name another place"
        ) from error


def _exchange(new: Path, old: Path) -> None:
    """Swap two folders. Only Linux can do it in one step; elsewhere there is a short gap."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    renameat2 = getattr(libc, "renameat2", None)
    names = (os.fsencode(new), os.fsencode(old))
    if renameat2 and renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return
    aside = old.with_name(f".{old.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    old.rename(aside)
    new.rename(old)
    aside.rename(new)


def _sweep(path: Path) -> None:
    """Remove what was to become this folder where whoever filled it was killed."""
    for folder in path.parent.glob(f"{glob.escape(_hidden(path))}{'?' * 8}.tmp"):
        lock = _lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """A handle whose lock on a folder ends with this process, however it ends.

    None where another process holds it, or where the file system has no such locks.
    """
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except (ImportError, OSError):  # Windows, or it is gone or no folder
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _sync_folder(folder: Path) -> None:
    """Make a rename itself survive a power cut."""
    if os.name == "nt":  # Windows cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _hidden(path: Path) -> str:
    """How a temporary sibling's name begins: like the file's, which may be as long as names can."""
    return f".{path.name[:32]}."


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
