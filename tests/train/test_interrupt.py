"""Ctrl-C during a training."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress

import pytest

from train.history import Listener
from train.interrupt import insisting


def test_an_interrupt_that_was_lost_is_raised_again_at_the_next_step() -> None:
    steps: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    with insisting(Listener(steps.append, lambda _: None)) as listener:
        listener.on_step(1)
        with suppress(KeyboardInterrupt):  # as a destructor would
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            listener.on_step(2)
    assert steps == [1]
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_the_listener_is_left_alone() -> None:
    listener = Listener(lambda _: None, lambda _: None)
    seen = []

    def work() -> None:
        with insisting(listener) as same:
            seen.append(same)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [listener]
