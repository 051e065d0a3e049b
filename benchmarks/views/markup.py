"""The parts that the page of HTML is made of."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchmarks.measures.mistakes import ClassFigures, Mistake
from benchmarks.views.table import Table


def lost_count(classes: Sequence[ClassFigures]) -> str:
    """How many pictures only the reference has right."""
    count = sum(one.lost or 0 for one in classes)
    return f"{count} picture{'s' if count > 1 else ''}"


def confusion(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """How often each class (rows) was taken for each (columns)."""
    head = "".join(f'<th scope="col">{escape(label)}</th>' for label in labels)
    rows = []
    for index, (label, row) in enumerate(zip(labels, counts, strict=True)):
        total = max(1, sum(row))
        cells = "".join(
            f'<td{" class=right" if column == index else ""} style="--share:'
            f'{min(90, (60 if column == index else 300) * count / total):.0f}">{count or ""}</td>'
            for column, count in enumerate(row)
        )
        rows.append(f'<tr><th scope="row">{escape(label)}</th>{cells}</tr>')
    return (
        f'<div class="scroll"><table class="confusion"><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def pictures(lost: Sequence[Mistake]) -> str:
    """Pictures with what they show and what they were taken for."""
    items = "".join(
        f'<li><img alt="picture {one.index}: {escape(one.label)}" '
        f'src="data:image/png;base64,{one.png_base64}">{escape(one.label)}, taken for '
        f"<strong>{escape(one.taken_for)}</strong> ({100 * one.score:.0f} %)</li>"
        for one in lost
    )
    return f'<ul class="pictures">{items}</ul>'


def table(shown: Table) -> str:
    """A table; `page.js` sorts it by the column whose heading is pressed."""
    head = "".join(
        f'<th scope="col"><button type="button">{escape(header)}</button></th>'
        for header in shown.headers
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td class="{escape(cell)}">{escape(cell)}</td>'
            if cell in ("ok", "outside", "failed", "faster", "slower")
            else f"<td>{escape(cell)}</td>"
            for cell in row
        )
        + "</tr>"
        for row in shown.rows
    )
    return (
        f'<div class="scroll"><table class="sortable"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def section(title: str, content: str) -> str:
    """A part of the page under its heading."""
    return f"<section><h2>{escape(title)}</h2>\n{content}</section>"


def figure(drawing: str, caption: str) -> str:
    """A drawing with what there is to see."""
    return f"<figure>{drawing}<figcaption>{escape(caption)}</figcaption></figure>"


def details(folded: Sequence[tuple[str, str]]) -> str:
    """Contents under their summaries, all but the first folded away."""
    return "".join(
        f"<details{'' if index else ' open'}><summary>{escape(summary)}</summary>{content}</details>"
        for index, (summary, content) in enumerate(folded)
    )


def listed(lines: Sequence[str]) -> str:
    """Sentences as a list; nothing where there are none."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""
