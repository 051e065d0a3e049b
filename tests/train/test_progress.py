"""What a person sees while a training goes."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from train import progress
from train.history import Epoch

STEP_S = 40.0  # slower than a window of half a minute


@pytest.fixture(autouse=True)
def usual_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")  # on a dumb one there are no bars


def seen(*, terminal: bool, done: int = 0) -> str:
    """All that was written to the screen until half of epoch 4 of 5, of 10 steps each, was done."""
    now = 0.0
    screen = io.StringIO()
    console = Console(
        file=screen,
        force_terminal=terminal,
        force_interactive=terminal,
        width=120,
        soft_wrap=True,
        color_system=None,
        get_time=lambda: now,
    )
    with progress.shown(5, 10, done=done, console=console) as listener:
        for number in range(done + 1, 4):
            for step in (5, 10):
                now += 5 * STEP_S
                listener.on_step(step)
            listener.on_epoch(Epoch(number, 0.5, 0.61, 0.7, 0.82))
        now += 5 * STEP_S
        listener.on_step(5)
    return screen.getvalue()


@pytest.mark.parametrize("done", [0, 2])
def test_a_terminal_shows_the_epoch_the_steps_and_the_time_left_in_a_bar(done: int) -> None:
    bars = re.findall(r"(epoch \d/5) [^\r\n]* (\d+/50) (\S+)", seen(terminal=True, done=done))
    first, last = bars[0], bars[-1]
    assert first == (f"epoch {done + 1}/5", f"{10 * done}/50", "-:--:--")
    assert last == ("epoch 4/5", "35/50", "0:10:00")  # 15 steps of 40 s


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("done", [0, 2])
def test_each_epoch_leaves_a_line_with_the_time_left(terminal: bool, done: int) -> None:
    text = seen(terminal=terminal, done=done)
    assert (
        "epoch 3/5  loss 0.5000  accuracy 0.6100  "
        "validation loss 0.7000  accuracy 0.8200  13 min left\n"
    ) in text
    assert ("going on after epoch 2 of 5" in text) == (done == 2)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(40, "40 s"), (89.4, "89 s"), (720, "12 min"), (5370, "1 h 30 min"), (11_100, "3 h 05 min")],
)
def test_a_time_span_is_told_in_words(seconds: float, words: str) -> None:
    assert progress.duration(seconds) == words
