"""What a camera shows, without flicker: k of the last n pictures agree before a label changes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING

from edge_runtime.errors import Failure, InputError, UsageError

if TYPE_CHECKING:
    from edge_runtime.classifier import Classifier
    from edge_runtime.result import Result
    from edge_runtime.sources import Answer
    from edge_runtime.sources.cameras import Camera

_LOW = 0.5  # of the threshold: what a label that is shown may fall to


class Steady:
    """Follows results and says when what they show has changed.

    A picture votes for its best label, or for none where the classifier is not sure of it. What
    gets `needed` of the last `of` votes is shown until something else gets them. The label that is
    shown keeps a picture's vote down to half the score that a new one needs.
    """

    def __init__(self, needed: int, of: int, threshold: float) -> None:
        """Start with nothing shown.

        Args:
            needed: votes, more than half of `of`, so that only one label can have them.
            of: pictures that have a vote.
            threshold: probability 0..1 from which a picture votes for a label.
        """
        if not of / 2 < needed <= of:
            raise UsageError(f"{needed} of {of} cannot steady a label: ask for more than half")
        self._needed = needed
        self._threshold = threshold
        self._votes: deque[str | None] = deque(maxlen=of)
        self._shown: str | None = None
        self._silent = True  # until the first label, or the first "not sure"

    def changes(self, result: Result) -> bool:
        """Count a result's vote; True where what is shown becomes what it says."""
        vote = self._vote(result)
        self._votes.append(vote)
        if self._votes.count(vote) < self._needed:
            return False
        if vote == self._shown and not self._silent:
            return False
        self._shown, self._silent = vote, False
        return True

    def _vote(self, result: Result) -> str | None:
        best = result.best
        share = _LOW if best.label == self._shown else 1.0
        return best.label if best.score >= share * self._threshold else None


def answers(classifier: Classifier, camera: Camera, steady: Steady, fps: float) -> Iterator[Answer]:
    """Classify what a camera sees, `fps` times a second, and yield what is new.

    Raises:
        DeviceError: the camera stops answering.
    """
    due = monotonic()
    while (picture := camera.picture()) is not None:
        now = datetime.now().astimezone().isoformat(timespec="milliseconds")
        try:
            result = classifier.classify(picture)
        except InputError as error:
            source = camera.name or str(picture)
            yield picture, Failure(source, type(error).__name__, str(error))
        else:
            if steady.changes(result):
                yield picture, replace(result, source=camera.name or result.source, time=now)
        due = max(due + 1 / fps, monotonic() - 1 / fps)  # after a pause, do not catch up
        sleep(max(0.0, due - monotonic()))
