"""Results as text, JSON, JSON lines or CSV, each written as soon as it is known."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, Literal

from edge_runtime import console
from edge_runtime.errors import Failure, printable

if TYPE_CHECKING:
    from edge_runtime.postprocess import Prediction
    from edge_runtime.result import Result

ResultFormat = Literal["text", "json", "jsonl", "csv"]


def pieces(outcomes: Iterable[Result | Failure], form: ResultFormat) -> Iterator[str]:
    """The pieces of text to write for some outcomes, in their order; whole when the last is out."""
    return _RENDERERS[form](outcomes)


def _text(outcomes: Iterable[Result | Failure]) -> Iterator[str]:
    for outcome in outcomes:
        # In text a failure is told on stderr only, where people look for it.
        if not isinstance(outcome, Failure):
            when = f"{outcome.time[:19]} " if outcome.time else ""  # to the second
            yield f"{when}{printable(str(outcome.source))}: {sentence(outcome)}\n"


def sentence(result: Result) -> str:
    """A result in words, without its source."""
    if result.unsure:
        return f"not sure (best guess: {_percent(result.best)})"
    return ", ".join(_percent(prediction) for prediction in result.predictions)


def _percent(prediction: Prediction) -> str:
    return f"{prediction.label} {prediction.score:.1%}".replace("%", " %")


def _json(outcomes: Iterable[Result | Failure]) -> Iterator[str]:
    """One list, a part at a time, so that what is known is not kept back or in memory."""
    separator = "[\n"
    for outcome in outcomes:
        document = console.as_json(outcome.to_dict(), indent=2)
        yield separator + "  " + document.replace("\n", "\n  ")
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _jsonl(outcomes: Iterable[Result | Failure]) -> Iterator[str]:
    for outcome in outcomes:
        yield console.as_json(outcome.to_dict()) + "\n"


def _csv(outcomes: Iterable[Result | Failure]) -> Iterator[str]:
    yield _csv_line(["source", "rank", "label", "index", "score", "unsure", "error", "time"])
    for outcome in outcomes:
        yield from map(_csv_line, _csv_rows(outcome))


def _csv_rows(outcome: Result | Failure) -> Iterator[list[object]]:
    """A row for each prediction; where there is none, the best guess, without a rank."""
    if isinstance(outcome, Failure):
        yield [outcome.source, "", "", "", "", "", outcome.message, ""]
        return
    ranked: Iterable[tuple[object, Prediction]] = enumerate(outcome.predictions, start=1)
    for rank, found in ranked if outcome.predictions else [("", outcome.best)]:
        named = [found.label, found.index, f"{found.score:.6f}"]
        yield [outcome.source, rank, *named, str(outcome.unsure).lower(), "", outcome.time or ""]


def _csv_line(cells: list[object]) -> str:
    import csv  # seldom asked for

    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


_RENDERERS: Final[dict[ResultFormat, Callable[[Iterable[Result | Failure]], Iterator[str]]]] = {
    "text": _text,
    "json": _json,
    "jsonl": _jsonl,
    "csv": _csv,
}
