"""What is told on the side while answers come in: failures, warnings, progress, annotated copies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.commands.common import say
from edge_runtime.errors import Failure, InputError
from edge_runtime.show.progress import Progress
from edge_runtime.show.render import sentence

if TYPE_CHECKING:
    from edge_runtime.image import ImageSource
    from edge_runtime.result import Result
    from edge_runtime.sources import Answer


class Telling:
    """Follows answers on their way to stdout, and knows the exit code afterwards."""

    def __init__(self, copies: Path | None, total: int = 0) -> None:
        """Make the folder for copies.

        Args:
            copies: where annotated copies go, if anywhere.
            total: pictures, for the progress; 0 shows none.

        Raises:
            OutputError: the folder cannot be made.
        """
        self._annotated = None
        if copies is not None:
            from edge_runtime.show.annotate import Annotated

            self._annotated = Annotated(copies)
        self._progress = Progress(total)
        self._failed = self._interrupted = False

    def outcomes(self, answers: Iterator[Answer]) -> Iterator[Result | Failure]:
        """Hand on each outcome. An interruption ends them well, so that a list gets its end."""
        try:
            for picture, outcome in answers:
                self._progress.step()
                if isinstance(outcome, Failure):
                    self._complain(outcome.message)
                else:
                    self._remark(picture, outcome)
                yield outcome
        except KeyboardInterrupt:
            self._interrupted = True
        finally:
            self._progress.clear()

    def code(self) -> int:
        """The command's exit code.

        Raises:
            KeyboardInterrupt: the one that ended the outcomes.
        """
        if self._interrupted:
            raise KeyboardInterrupt
        return 1 if self._failed else 0

    def _remark(self, picture: ImageSource | None, result: Result) -> None:
        for warning in result.warnings:
            self._progress.clear()
            say(f"{result.source}: {warning}")
        if self._annotated is None or picture is None:
            return
        try:
            self._annotated.save(picture, result, sentence(result))
        except InputError as error:
            self._complain(str(error))

    def _complain(self, message: str) -> None:
        self._failed = True
        self._progress.clear()
        say(f"error: {message}")
