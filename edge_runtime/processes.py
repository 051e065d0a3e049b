"""A classifier at work in several processes, which do not wait for Python's lock.

Decoding and engines let go of the lock, so threads are enough where these take long. Where a picture
takes a millisecond, what is left holds the lock for a third of the time.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Generator, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Final

from edge_runtime import console, parallel
from edge_runtime.errors import EdgeError, Failure

if TYPE_CHECKING:
    from edge_runtime.classifier import Classifier
    from edge_runtime.image import ImageSource
    from edge_runtime.result import Result

# Pictures sent at a time, where so many wait: a message takes as long as a third of a small one.
_BUNDLE: Final = 16
_MOST: Final = 61  # processes; Windows cannot wait for more

_opened: Classifier | EdgeError  # of a worker process: what it works with, or why it cannot


def outcomes(
    classifier: Classifier, pictures: Iterable[ImageSource], workers: int
) -> Generator[Result | Failure]:
    """Yield the outcome of each picture, in order, computed in so many processes.

    What they cannot do, this process does: pictures that cannot be sent, such as open files, and
    all of them where processes do not start, or one has died. They end with the generator, and
    with this process, whatever ends it.

    Args:
        classifier: one that was opened from a file.
        pictures: as for `Classifier.classify`.
        workers: how many processes.

    Raises:
        ModelError: the model cannot answer, or its file has become another.
        UsageError: the classifier is closed.
        pickle.PicklingError: the classifier was not opened from a file.
    """
    frozen = pickle.dumps(classifier)
    # Not forked, for engines and threads do not survive that.
    context = get_context("spawn")
    # Nothing is ever sent through it. The workers see it close, and end at once.
    watched, lifeline = context.Pipe(duplex=False)
    try:
        pool = ProcessPoolExecutor(min(workers, _MOST), context, _open, (frozen, watched))
    except (ImportError, OSError):  # a system without shared semaphores
        yield from classifier.stream(pictures, workers=workers)
        return

    def answered(bundle: list[ImageSource]) -> list[Result | Failure]:
        _uninterrupted()  # the first calls start the processes
        try:
            return pool.submit(_answer, bundle).result()
        except EdgeError:
            raise
        except Exception:
            if lifeline.closed:
                raise
            return list(classifier.stream(bundle, workers=1))

    # Twice as many threads as processes, so that each finds its next bundle waiting.
    results = parallel.in_bundles(answered, pictures, 2 * workers, most=_BUNDLE, ahead=2 * _BUNDLE)
    try:
        for outcome in results:  # noqa: UP028  which would close them first, stuck as they may be
            yield outcome
    finally:
        lifeline.close()
        results.close()
        pool.shutdown(cancel_futures=True)
        watched.close()


def _uninterrupted() -> None:
    """Let this thread start processes that Ctrl-C does not reach: it is for the one to end them."""
    if hasattr(signal, "pthread_sigmask"):  # a Unix
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _open(frozen: bytes, watched: Connection) -> None:
    global _opened  # noqa: PLW0603  a worker has nothing else that lasts from bundle to bundle
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()
    console.hide_pillow_warnings()
    try:
        _opened = pickle.loads(frozen)  # noqa: S301  from the process that started this one
    except EdgeError as error:
        _opened = error


def _end_with(watched: Connection) -> None:
    """End this process, whatever it is doing, when the one that started it lets go of it."""
    watched.poll(None)
    os._exit(0)


def _answer(pictures: list[ImageSource]) -> list[Result | Failure]:
    if isinstance(_opened, EdgeError):
        raise _opened
    return list(_opened.stream(pictures, workers=1))
