"""Results as text, JSON, JSON lines or CSV: lines to print, each as soon as it is known."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, Literal

from edge_runtime.errors import Failure

if TYPE_CHECKING:
    from edge_runtime.classifier import Result
    from edge_runtime.postprocess import Prediction

ResultFormat = Literal["text", "json", "jsonl", "csv"]


def lines(outcomes: Iterable[Result | Failure], form: ResultFormat) -> Iterator[str]:
    """The lines to print for some outcomes, in their order."""
    return _RENDERERS[form](outcomes)


def _text(outcomes: Iterable[Result | Failure]) -> Iterator[str]:
    for outcome in outcomes:
        # In text a failure is told on stderr only, where people look for it.
        if not isinstance(outcome, Failure):
            yield f"{outcome.source}: {_sentence(outcome)}"


def _sentence(result: Result) -> str:
    if result.unsure:
        return f"not sure (best guess: {_percent(result.best)})"
    return ", ".join(_percent(prediction) for prediction in result.predictions)


def _percent(prediction: Prediction) -> str:
    return f"{prediction.label} {prediction.score:.1%}".replace("%", " %")


def _json(outcomes: Iterable[Result | Failure]) -> Iterator[str]:
    documents = [outcome.to_dict() for outcome in outcomes]
    yield json.dumps(documents, indent=2, ensure_ascii=False)


def _jsonl(outcomes: Iterable[Result | Failure]) -> Iterator[str]:
    for outcome in outcomes:
        yield json.dumps(outcome.to_dict(), ensure_ascii=False)


def _csv(outcomes: Iterable[Result | Failure]) -> Iterator[str]:
    yield _csv_line(["source", "rank", "label", "index", "score", "unsure", "error"])
    for outcome in outcomes:
        if isinstance(outcome, Failure):
            yield _csv_line([outcome.source, "", "", "", "", "", outcome.message])
            continue
        for rank, prediction in enumerate(outcome.predictions, start=1):
            score, unsure = f"{prediction.score:.6f}", str(outcome.unsure).lower()
            yield _csv_line(
                [outcome.source, rank, prediction.label, prediction.index, score, unsure, ""]
            )


def _csv_line(cells: list[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


_RENDERERS: Final[dict[ResultFormat, Callable[[Iterable[Result | Failure]], Iterator[str]]]] = {
    "text": _text,
    "json": _json,
    "jsonl": _jsonl,
    "csv": _csv,
}
