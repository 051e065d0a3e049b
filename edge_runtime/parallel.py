"""A function over many items on several threads: results in order, few items in flight.

Lighter than futures: what the threads share is two queues, since at a millisecond an item every
lock that Python code takes is felt.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Generic, NamedTuple, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

_AHEAD = 4  # items in flight for each thread: enough that a slow one does not starve the others
_PATIENCE_S = 1.0  # at the end, for threads that are still busy


def cores() -> int:
    """How many cores this process may use."""
    # Not every system has affinities; sched_getaffinity also sees a container's or taskset's limit.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    function: Callable[[In], Out], items: Iterable[In], workers: int, *, ahead: int = _AHEAD
) -> Generator[Out]:
    """Yield `function(item)` for each item, in their order, computed on `workers` threads.

    `items` is read by the caller's thread, at most `ahead * workers` ahead of what was yielded. An
    exception of `function` is raised where its result would have been. Closing the generator
    abandons what has not begun.
    """
    tasks: SimpleQueue[tuple[int, In] | None] = SimpleQueue()
    results = _Results[Out]()
    threads: list[threading.Thread] = []
    sent = taken = 0
    try:
        for item in items:
            if len(threads) < workers:
                # As daemons, because one may be stuck for ever in a read from a pipe or a share.
                arguments = (function, tasks, results.queue)
                threads.append(threading.Thread(target=_work, args=arguments, daemon=True))
                threads[-1].start()
            tasks.put((sent, item))
            sent += 1
            while taken < sent and (sent - taken >= ahead * workers or results.has(taken)):
                yield results.take(taken)
                taken += 1
        while taken < sent:
            yield results.take(taken)
            taken += 1
    finally:
        with suppress(Empty):
            while True:
                tasks.get_nowait()
        for _ in threads:
            tasks.put(None)
        deadline = monotonic() + _PATIENCE_S
        for thread in threads:
            thread.join(max(0.0, deadline - monotonic()))


class _Done(NamedTuple, Generic[Out]):
    place: int
    result: Out | None
    error: BaseException | None


class _Results(Generic[Out]):
    """Results in the order they are asked for, whatever the order they come in."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[_Done[Out]] = SimpleQueue()
        self._early: dict[int, _Done[Out]] = {}

    def has(self, index: int) -> bool:
        while not self.queue.empty():
            self._receive()
        return index in self._early

    def take(self, index: int) -> Out:
        while index not in self._early:
            self._receive()
        done = self._early.pop(index)
        if done.error is not None:
            raise done.error
        return done.result  # type: ignore[return-value]  # there is no error, so it is one

    def _receive(self) -> None:
        done = self.queue.get()
        self._early[done.place] = done


def _work(
    function: Callable[[In], Out],
    tasks: SimpleQueue[tuple[int, In] | None],
    results: SimpleQueue[_Done[Out]],
) -> None:
    while (task := tasks.get()) is not None:
        index, item = task
        try:
            done = _Done(index, function(item), None)
        except BaseException as error:  # noqa: BLE001  it is raised where the result is awaited
            done = _Done(index, None, error)
        results.put(done)
