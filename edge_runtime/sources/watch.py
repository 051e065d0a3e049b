"""A folder that pictures arrive in: which of them are complete, and which were done already.

Polling needs no library, and works on network shares and memory cards too. It may take a fiftieth
of the time at most: the more files there are, the rarer the polls.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

from edge_runtime.errors import Failure, InputError, OutputError
from edge_runtime.sources import is_folder, pictures_below
from edge_runtime.sources.journal import Journal, Signature

if TYPE_CHECKING:
    from edge_runtime.classifier import Classifier
    from edge_runtime.sources import Answer

INTERVAL_S = 0.5  # between polls; a picture is complete when two in a row see no change
_SHARE = 50  # the time between polls, in times of what one takes
_PATIENCE_S = 5.0  # for a picture that keeps still and cannot be read: its sender may be slow
_ABSENT = 100_000  # names of vanished pictures that are remembered: a share may come back


@dataclass
class _Waiting:
    signature: Signature
    since: float  # seconds, of a clock that only goes forward
    tried: bool = False


class Watch:
    """Tells complete pictures from those that are still being written.

    Deleted pictures are passed over, renamed and changed ones are new, and where the whole folder
    goes, it is waited for.
    """

    def __init__(self, folder: Path, journal: Journal) -> None:
        self._folder = os.fspath(folder)
        self._prefix = os.path.join(self._folder, "")  # noqa: PTH118  a Path has no last slash
        self._journal = journal
        self._waiting: dict[str, _Waiting] = {}
        self.pause_s = INTERVAL_S

    def poll(self) -> list[str]:
        """The paths of pictures that are complete now and not done yet, oldest first.

        Raises:
            OSError: the folder is out of reach; ask again later.
        """
        started = monotonic()
        found = dict(self._scan())
        kept_still = {
            name: waiting
            for name, waiting in self._waiting.items()
            if found.get(name) == waiting.signature
        }
        ready = [name for name, waiting in kept_still.items() if _is_ready(waiting, started)]
        done = self._journal.done
        arrived = {
            name: _Waiting(signature, started)
            for name, signature in found.items()
            if name not in kept_still and done.get(name) != signature
        }
        self._waiting = kept_still | arrived
        self._forget_some(found)
        self.pause_s = max(INTERVAL_S, _SHARE * (monotonic() - started))
        ready.sort(key=lambda name: (found[name].mtime_ns, name))
        return [self._prefix + name for name in ready]

    def is_final(self, path: str) -> bool:
        """Whether to believe that a picture which cannot be read will stay so.

        If not, it is tried again when it changes, or once more when it has kept still for long.
        """
        waiting = self._waiting[self._name(path)]
        waiting.tried = True
        return monotonic() - waiting.since >= _PATIENCE_S

    def done(self, path: str, *, failed: bool = False) -> None:
        """Never hand out this picture again, unless it changes.

        Args:
            path: as from `poll`.
            failed: it could not be used; if it may not be read, it comes again after a restart.

        Raises:
            OutputError: that cannot be kept for after a restart, though the folder is there.
        """
        name = self._name(path)
        signature = self._waiting.pop(name).signature
        if failed and os.path.lexists(path) and not os.access(path, os.R_OK):
            self._journal.done[name] = signature
            return
        try:
            self._journal.add(name, signature)
        except OutputError:
            if is_folder(self._folder):  # if not, the journal may be in it: it is waited for
                raise

    def _scan(self) -> Iterator[tuple[str, Signature]]:
        for entry in pictures_below(self._folder):
            try:
                status = entry.stat()
            except OSError:  # deleted or renamed a moment ago
                continue
            yield self._name(entry.path), Signature(status.st_size, status.st_mtime_ns)

    def _forget_some(self, found: dict[str, Signature]) -> None:
        absent = [name for name in self._journal.done if name not in found]  # oldest first
        self._journal.forget(set(absent[:-_ABSENT]))

    def _name(self, path: str) -> str:
        return path.removeprefix(self._prefix)


def _is_ready(waiting: _Waiting, now: float) -> bool:
    if waiting.signature.size == 0:
        return False
    return not waiting.tried or now - waiting.since >= _PATIENCE_S


def journal_of(
    folder: Path, model: str, place: Path | None, tell: Callable[[str], None]
) -> Journal:
    """What a model has done in a folder; kept at `place`, or else hidden in the folder itself.

    Args:
        folder: the folder that is watched.
        model: the model file's digest: another model begins anew.
        place: the file to keep it in; None for the folder itself, or nowhere if that is read-only.
        tell: takes one line for the person who asked.

    Raises:
        OutputError: `place` cannot be written.
    """
    try:
        journal = Journal(place or folder / f".edge_runtime-{model[:12]}.jsonl", model)
    except OutputError as error:
        if place is not None:
            raise
        tell(f"{error}; after a restart all is done again, unless --state names another file")
        return Journal(None)
    if journal.done:
        tell(
            f"{len(journal.done):,} pictures were done before ({journal.path}); those are left out"
        )
    return journal


def answers(
    classifier: Classifier,
    watch: Watch,
    *,
    once: bool,
    tell: Callable[[str], None],
    workers: int | None = None,
) -> Iterator[Answer]:
    """Classify what arrives in a folder, for ever, or what is complete in it now.

    A picture counts as done when the next answer is asked for: after a power cut one may come
    twice, and none is lost.

    Raises:
        InputError: the folder is out of reach, and asked for once.
        OutputError: what was done cannot be kept for after a restart.
    """
    polls, out_of_reach = 0, False
    while True:
        try:
            ready = watch.poll()
        except OSError as error:
            if once:
                raise InputError(f"cannot read {error.filename}: {error.strerror}") from error
            if not out_of_reach:
                tell(f"cannot read {error.filename}: {error.strerror}; waiting for it")
            ready, out_of_reach = [], True
        else:
            out_of_reach = False
        for path, outcome in zip(ready, classifier.stream(ready, workers=workers), strict=True):
            failed = isinstance(outcome, Failure)
            # One that was deleted or renamed meanwhile is none; another may be whole later.
            if failed and not (os.path.lexists(path) and (watch.is_final(path) or once)):
                continue
            yield path, outcome
            watch.done(path, failed=failed)
        polls += 1
        if once and polls == 2:
            return
        sleep(INTERVAL_S if once else watch.pause_s)  # the share of the time is for those that stay
