from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime import parallel

ROOT = Path(__file__).parents[2]


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


def test_a_result_does_not_wait_for_the_next_item() -> None:
    seen = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        assert seen.wait(30), "the next item came only after the first result was seen"
        yield 2

    results = parallel.in_order(lambda number: number, items(), 2)
    assert next(results) == 1
    seen.set()
    assert list(results) == [2]


def test_an_exception_of_the_items_comes_behind_the_results_before_it() -> None:
    def items() -> Iterator[int]:
        yield from (1, 2, 3)
        raise OSError("unplugged")

    results = parallel.in_order(lambda number: number, items(), 2)
    assert [next(results) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(OSError, match="unplugged"):
        next(results)


def test_it_can_be_closed_while_the_next_item_is_awaited() -> None:
    before, unplugged = threading.active_count(), threading.Event()

    def items() -> Iterator[int]:
        yield 1
        unplugged.wait(60)
        yield 2

    done: list[int] = []
    results = parallel.in_order(done.append, items(), 2)
    next(results)
    started = time.monotonic()
    results.close()
    assert time.monotonic() - started < 30
    unplugged.set()
    while threading.active_count() > before:  # the test has a limit
        time.sleep(0.01)
    assert done == [1], "what comes then is left undone"


def test_a_program_that_reads_a_pipe_can_be_interrupted() -> None:
    code = (
        "import sys; from edge_runtime import parallel\n"
        "lines = iter(sys.stdin.buffer.readline, b'')\n"
        "try:\n"
        "    for line in parallel.in_order(bytes.strip, lines, 2): print(line, flush=True)\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(130)\n"
    )
    command = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdin.write(b"one\n")
        program.stdin.flush()
        assert program.stdout.readline() == b"b'one'\n"
        program.send_signal(signal.SIGINT)
        assert program.wait(60) == 130, program.stderr.read()


def test_items_go_in_bundles_where_they_wait_and_singly_where_they_are_slow() -> None:
    sizes: list[int] = []
    first_begun, all_wait, answered = threading.Event(), threading.Event(), threading.Event()

    def note(some: list[int]) -> list[int]:
        sizes.append(len(some))
        first_begun.set()
        assert all_wait.wait(30)
        return some

    def items() -> Iterator[int]:
        yield 0
        assert first_begun.wait(30)
        yield from range(1, 9)
        all_wait.set()
        assert answered.wait(30)
        yield 9

    results = parallel.in_bundles(note, items(), 1, most=4, ahead=10)
    assert [next(results) for _ in range(9)] == [*range(9)]
    answered.set()
    assert list(results) == [9]
    assert sizes == [1, 4, 4, 1]


def test_a_bundle_leaves_the_other_threads_their_share() -> None:
    both = threading.Barrier(2, timeout=30)  # who took more would leave the other without any

    def together(some: list[int]) -> list[int]:
        both.wait()
        return some

    assert list(parallel.in_bundles(together, range(2), 2, most=16, ahead=1)) == [0, 1]


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
