"""Showing how far a training is: bars on a terminal, one line an epoch elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from train.history import Epoch, Listener


@contextmanager
def shown(
    epochs: int, steps: int, *, done: int = 0, console: Console | None = None
) -> Iterator[Listener]:
    """Report a training of so many epochs of so many steps.

    Args:
        epochs: of the whole training.
        steps: of each epoch.
        done: epochs that an earlier call took.
        console: where to; None for stderr.
    """
    console = console or Console(stderr=True, highlight=False, soft_wrap=True)
    started = console.get_time()
    if done:
        console.print(f"going on after epoch {done} of {epochs}")

    def line(epoch: Epoch) -> str:
        seconds = (console.get_time() - started) / (epoch.epoch - done) * (epochs - epoch.epoch)
        return (
            f"epoch {epoch.epoch:>{len(str(epochs))}}/{epochs}  "
            f"loss {epoch.loss:.4f}  accuracy {epoch.accuracy:.4f}  "
            f"validation loss {epoch.validation_loss:.4f}  "
            f"accuracy {epoch.validation_accuracy:.4f}"
            + (f"  {duration(seconds)} left" if seconds else "")
        )

    if not console.is_terminal:
        yield Listener(lambda _: None, lambda epoch: console.print(line(epoch)))
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    bars = Progress(
        *columns,
        console=console,
        transient=True,
        speed_estimate_period=math.inf,  # steps come by the dozen, perhaps minutes apart
    )
    with bars:
        finished = done * steps
        whole = bars.add_task(_title(done, epochs), total=epochs * steps, completed=finished)

        def on_step(step: int) -> None:
            bars.update(whole, completed=finished + step)

        def on_epoch(epoch: Epoch) -> None:
            nonlocal finished
            finished = epoch.epoch * steps
            bars.update(whole, completed=finished, description=_title(epoch.epoch, epochs))
            console.print(line(epoch))

        yield Listener(on_step, on_epoch)


def duration(seconds: float) -> str:
    """A time span in words: 40 s, 12 min, 3 h 05 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


def _title(done: int, epochs: int) -> str:
    return f"epoch {min(done + 1, epochs)}/{epochs}"
