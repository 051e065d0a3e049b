"""Ctrl-C that always ends a training.

Python raises KeyboardInterrupt wherever it happens to be. Inside a destructor or a callback of
TensorFlow it is lost, and the training would go on: seen once in a few dozen interruptions of
short epochs.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType

from train.history import Listener


@contextmanager
def insisting(listener: Listener) -> Iterator[Listener]:
    """A listener that raises a KeyboardInterrupt again, if the first one was lost.

    Outside the main thread, where Python knows no signals, it is the listener itself.
    """
    if threading.current_thread() is not threading.main_thread():
        yield listener
        return
    asked = threading.Event()

    def on_signal(_signal: int, _frame: FrameType | None) -> None:
        asked.set()
        raise KeyboardInterrupt

    def on_step(step: int) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        listener.on_step(step)

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield replace(listener, on_step=on_step)
    finally:
        signal.signal(signal.SIGINT, before)
