"""A function over many items on several threads: results in order, few items in flight."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from queue import SimpleQueue
from time import monotonic
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

_AHEAD = 4  # items in flight for each thread: enough that a slow one does not starve the others
_PATIENCE_S = 2.0  # at the end, for threads that are still busy


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(function: Callable[[In], Out], items: Iterable[In], workers: int) -> Generator[Out]:
    """Yield `function(item)` for each item, in their order, computed on `workers` threads.

    `items` is read by the caller's thread, at most a few items ahead of what was yielded. An
    exception of `function` is raised where its result would have been. Closing the generator
    abandons what has not begun.
    """
    tasks: SimpleQueue[tuple[Future[Out], In] | None] = SimpleQueue()
    threads: list[threading.Thread] = []
    pending: deque[Future[Out]] = deque()
    try:
        for item in items:
            if len(threads) < workers:
                # As daemons, because one may be stuck for ever in a read from a pipe or a share.
                threads.append(threading.Thread(target=_work, args=(function, tasks), daemon=True))
                threads[-1].start()
            pending.append(Future())
            tasks.put((pending[-1], item))
            while pending and (len(pending) >= _AHEAD * workers or pending[0].done()):
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
        for _ in threads:
            tasks.put(None)
        deadline = monotonic() + _PATIENCE_S
        for thread in threads:
            thread.join(max(0.0, deadline - monotonic()))


def _work(function: Callable[[In], Out], tasks: SimpleQueue[tuple[Future[Out], In] | None]) -> None:
    while (task := tasks.get()) is not None:
        future, item = task
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(function(item))
            except BaseException as error:  # noqa: BLE001  it is raised where the result is awaited
                future.set_exception(error)
