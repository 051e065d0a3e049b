"""Tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> list[str]:
    """The lines of a table; its first `words` columns are text, the others figures to the right."""
    rule = [*["---"] * words, *["---:"] * (len(headers) - words)]
    return [f"| {' | '.join(row)} |" for row in (headers, rule, *rows)]
