from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from edge_runtime import parallel


def test_results_keep_the_order_of_the_items_whatever_each_one_takes() -> None:
    def slow_where_even(number: int) -> int:
        time.sleep(0.002 if number % 2 == 0 else 0)
        return number * number

    assert list(parallel.in_order(slow_where_even, range(40), 3)) == [n * n for n in range(40)]


def test_the_threads_work_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=30)  # one alone would wait here and break it
    assert list(parallel.in_order(lambda _: both.wait() >= 0, range(6), 2)) == [True] * 6


def test_no_more_than_a_few_items_are_read_ahead() -> None:
    read = []

    def items() -> Iterator[int]:
        for number in range(1000):
            read.append(number)
            yield number

    results = parallel.in_order(lambda number: number, items(), 2)
    for expected in range(50):
        assert next(results) == expected
        assert len(read) - expected <= 2 * parallel._AHEAD
    results.close()
    assert len(read) < 100


def test_a_result_does_not_wait_for_a_slow_one_behind_it() -> None:
    slow = threading.Event()
    results = parallel.in_order(lambda number: number == 0 or slow.wait(30), range(2), 2)
    assert next(results) is True  # the second has not even ended
    slow.set()
    assert list(results) == [True]


def test_an_exception_is_raised_where_its_result_would_have_been() -> None:
    results = parallel.in_order(lambda number: 12 // number, [3, 2, 0, 1], 2)
    assert [next(results), next(results)] == [4, 6]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(results) == [], "a generator ends with its exception"


def test_closing_it_ends_the_threads_and_leaves_the_rest_undone() -> None:
    before = threading.active_count()
    done: list[int] = []
    results = parallel.in_order(done.append, range(1000), 2)
    next(results)
    assert threading.active_count() > before
    results.close()
    assert threading.active_count() == before
    assert len(done) < 20


def test_nothing_is_begun_before_the_first_result_is_asked_for() -> None:
    before = threading.active_count()
    parallel.in_order(lambda number: number, range(3), 2)
    assert threading.active_count() == before
    assert list(parallel.in_order(lambda number: number, [], 2)) == []
