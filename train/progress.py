"""Showing how far a training is: bars on a terminal, one line an epoch elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from train.fit import Epoch, Listener


@contextmanager
def shown(epochs: int, steps: int) -> Iterator[Listener]:
    """Report a training of so many epochs of so many steps on stderr."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)

    def line(done: Epoch) -> str:
        return (
            f"epoch {done.epoch:>{len(str(epochs))}}/{epochs}  "
            f"loss {done.loss:.4f}  accuracy {done.accuracy:.4f}  "
            f"validation loss {done.validation_loss:.4f}  "
            f"accuracy {done.validation_accuracy:.4f}"
        )

    if not console.is_terminal:
        yield Listener(lambda _: None, lambda done: console.print(line(done)))
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        whole = bars.add_task(f"epoch 1/{epochs}", total=epochs * steps)
        finished = 0

        def on_step(step: int) -> None:
            # Keras counts in whole groups of steps, beyond the end of an epoch.
            bars.update(whole, completed=finished + min(step, steps))

        def on_epoch(done: Epoch) -> None:
            nonlocal finished
            finished = done.epoch * steps
            following = f"epoch {min(done.epoch + 1, epochs)}/{epochs}"
            bars.update(whole, completed=finished, description=following)
            console.print(line(done))

        yield Listener(on_step, on_epoch)
