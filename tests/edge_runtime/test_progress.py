from __future__ import annotations

import io

import pytest

from edge_runtime.show import progress
from edge_runtime.show.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that gains a second each time it is looked at."""
    times: list[float] = []

    def tick() -> float:
        times.append(float(len(times)))
        return times[-1]

    monkeypatch.setattr(progress, "monotonic", tick)
    return times


@pytest.mark.usefixtures("clock")
def test_a_long_list_is_counted_on_a_terminal_in_one_line_with_what_is_left() -> None:
    terminal = Terminal()
    shown = Progress(1200, terminal)
    shown.step()
    shown.step()
    assert terminal.getvalue().split("\r\x1b[K") == [
        "",
        "1 of 1,200, 19:59 left",
        "2 of 1,200, 19:58 left",
    ]


@pytest.mark.usefixtures("clock")
def test_the_line_is_cleared_for_another_once() -> None:
    terminal = Terminal()
    shown = Progress(100, terminal)
    shown.clear()
    assert terminal.getvalue() == ""
    shown.step()
    shown.clear()
    shown.clear()
    assert terminal.getvalue().endswith("left\r\x1b[K")
    assert terminal.getvalue().count("\r\x1b[K") == 2


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(("stream", "total"), [(io.StringIO(), 1000), (Terminal(), 5)])
def test_nothing_is_shown_elsewhere_or_for_a_short_list(stream: io.StringIO, total: int) -> None:
    shown = Progress(total, stream)
    for _ in range(total):
        shown.step()
    shown.clear()
    assert stream.getvalue() == ""


def test_it_is_written_a_few_times_a_second_at_most() -> None:
    terminal = Terminal()
    shown = Progress(10_000, terminal)
    for _ in range(1000):
        shown.step()
    assert terminal.getvalue().count("\r") < 20
