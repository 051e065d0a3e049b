"""A function over many items on several threads: results in order, few items in flight.

Lighter than futures: what the threads share is three queues, since at a millisecond an item every
lock that Python code takes is felt.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from itertools import count
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Generic, NamedTuple, TypeVar

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

    `items` is read by a thread of its own, at most `ahead * workers` ahead of what was yielded, so
    that a result waits for no item behind it. An exception of `function` is raised where its result
    would have been, and one of `items` behind the results of what came before it. Closing the
    generator abandons what has not begun.
    """
    return in_bundles(lambda some: list(map(function, some)), items, workers, most=1, ahead=ahead)


def in_bundles(
    function: Callable[[list[In]], list[Out]],
    items: Iterable[In],
    workers: int,
    *,
    most: int,
    ahead: int,
) -> Generator[Out]:
    """As `in_order`, for a function of several items: a thread's share of those that wait.

    Args:
        function: gives one result for each item of a list.
        items: what it is given, one at a time where they come slowly.
        workers: how many threads.
        most: items in a list.
        ahead: items in flight for each thread.
    """
    permits: SimpleQueue[bool] = SimpleQueue()  # one for each item that may be read
    tasks: SimpleQueue[_Task[In] | None] = SimpleQueue()
    results = _Results[Out]()
    jobs: list[tuple[Callable[..., None], tuple[Any, ...]]]
    jobs = [(_read, (items, permits, tasks, results.queue))]
    jobs += [(_work, (function, tasks, results.queue, most, workers))] * workers
    threads: list[threading.Thread] = []
    for _ in range(ahead * workers):
        permits.put(True)
    try:
        for job, arguments in jobs:
            # As daemons, because one may be stuck for ever in a read from a pipe or a share.
            thread = threading.Thread(target=job, args=arguments, daemon=True)
            thread.start()
            threads.append(thread)
        for place in count():
            done = results.take(place)
            if isinstance(done.error, _End):
                return
            if done.error is not None:
                raise done.error
            yield done.result  # type: ignore[misc]  # there is no error, so it is one
            permits.put(True)
    finally:
        _empty(permits)
        permits.put(False)
        _empty(tasks)
        for _ in range(workers):
            tasks.put(None)
        deadline = monotonic() + _PATIENCE_S
        for thread in threads:
            thread.join(max(0.0, deadline - monotonic()))


class _Task(NamedTuple, Generic[In]):
    place: int
    item: In


class _Done(NamedTuple, Generic[Out]):
    place: int
    result: Out | None
    error: BaseException | None


class _End(Exception):  # noqa: N818  no error, but it takes an error's place
    """There are no more items."""


class _Results(Generic[Out]):
    """Results in the order they are asked for, whatever the order they come in."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[_Done[Out]] = SimpleQueue()
        self._early: dict[int, _Done[Out]] = {}

    def take(self, place: int) -> _Done[Out]:
        while place not in self._early:
            done = self.queue.get()
            self._early[done.place] = done
        return self._early.pop(place)


def _read(
    items: Iterable[In],
    permits: SimpleQueue[bool],
    tasks: SimpleQueue[_Task[In] | None],
    results: SimpleQueue[_Done[Any]],
) -> None:
    place = 0
    # Python dies of closing it, at the end of the program, while it is read here.
    _kept_open = sys.stdin
    try:
        rest = iter(items)
        while permits.get():
            tasks.put(_Task(place, next(rest)))
            place += 1
    except StopIteration:
        results.put(_Done(place, None, _End()))
    except BaseException as error:  # noqa: BLE001  it is raised where the result is awaited
        results.put(_Done(place, None, error))


def _work(
    function: Callable[[list[In]], list[Out]],
    tasks: SimpleQueue[_Task[In] | None],
    results: SimpleQueue[_Done[Out]],
    most: int,
    workers: int,
) -> None:
    while (task := tasks.get()) is not None:
        bundle = [task, *_waiting(tasks, min(most - 1, tasks.qsize() // workers))]
        try:
            found = function([task.item for task in bundle])
            for task, result in zip(bundle, found, strict=True):
                results.put(_Done(task.place, result, None))
        except BaseException as error:  # noqa: BLE001  it is raised where the result is awaited
            results.put(_Done(bundle[0].place, None, error))


def _waiting(tasks: SimpleQueue[_Task[In] | None], most: int) -> Iterator[_Task[In]]:
    with suppress(Empty):
        for _ in range(most):
            task = tasks.get_nowait()
            if task is None:  # the end, which is looked for elsewhere
                tasks.put(None)
                return
            yield task


def _empty(queue: SimpleQueue[Any]) -> None:
    with suppress(Empty):
        while True:
            queue.get_nowait()
