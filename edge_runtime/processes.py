"""A classifier at work in several processes, which do not wait for Python's lock.

Decoding and inference let go of the lock, so threads are enough where those take long. Where a
picture takes a millisecond, what is left holds it for a third of the time.
"""

from __future__ import annotations

import pickle
import signal
from collections.abc import Generator, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from edge_runtime import parallel
from edge_runtime.errors import EdgeError, EngineError, Failure

if TYPE_CHECKING:
    from edge_runtime.classifier import Classifier
    from edge_runtime.image import ImageSource
    from edge_runtime.result import Result

_BUNDLE: Final = 32  # pictures sent at a time: a message costs as much as a tenth of a picture

_opened: Classifier | EdgeError  # of a worker process: what it works with, or why it cannot


def outcomes(
    classifier: Classifier, pictures: Iterable[ImageSource], workers: int
) -> Generator[Result | Failure]:
    """Yield the outcome of each picture, in order, computed in so many processes.

    Args:
        classifier: one that was opened from a file.
        pictures: what can be sent to another process: paths, bytes, arrays, PIL images.
        workers: how many processes.

    Raises:
        EngineError: a process cannot be started, or dies.
        ModelError: the model cannot answer, or its file has become another.
        pickle.PicklingError: the classifier, or a picture, cannot be sent.
    """
    frozen = pickle.dumps(classifier)
    rest = iter(pictures)
    bundles = iter(lambda: list(islice(rest, _BUNDLE)), [])
    try:
        # Not forked, for engines and threads do not survive that.
        pool = ProcessPoolExecutor(workers, get_context("spawn"), _open, (frozen,))
    except (ImportError, OSError) as error:  # a system without shared semaphores
        raise EngineError(f"cannot start processes: {error}; use one worker") from error

    def answered(bundle: list[ImageSource]) -> list[Result | Failure]:
        _uninterrupted()  # the first calls start the processes
        return pool.submit(_answer, bundle).result()

    try:
        # Twice as many threads as processes, so that each finds its next bundle waiting.
        for some in parallel.in_order(answered, bundles, 2 * workers):
            yield from some
    except BrokenProcessPool as error:
        raise EngineError(
            "a process that classifies could not start, or died; use one worker"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _uninterrupted() -> None:
    """Let this thread start processes that Ctrl-C does not reach: it is for the one to end them."""
    if hasattr(signal, "pthread_sigmask"):  # a Unix
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _open(frozen: bytes) -> None:
    global _opened  # noqa: PLW0603  a worker has nothing else that lasts from bundle to bundle
    try:
        _opened = pickle.loads(frozen)  # noqa: S301  from the process that started this one
    except EdgeError as error:
        _opened = error


def _answer(pictures: list[ImageSource]) -> list[Result | Failure]:
    if isinstance(_opened, EdgeError):
        raise _opened
    return list(_opened.stream(pictures, workers=1))
