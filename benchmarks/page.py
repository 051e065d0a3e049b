"""The report as one HTML page for a person: verdict first, no outside resources, light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files

from benchmarks import plots, render
from benchmarks.compare import Change
from benchmarks.mistakes import ClassFigures, Mistake
from benchmarks.report import BenchmarkReport, Measurement
from benchmarks.tables import Table, changes_table, short_names, tables

_Named = Sequence[tuple[str, Measurement]]


def page(report: BenchmarkReport, changes: Sequence[Change] = ()) -> str:
    """The whole page.

    Args:
        report: what was measured.
        changes: what became of the files since a baseline, if there is one.
    """
    verdict = render.verdict(report)
    names = _without_common_start(short_names([row.file for row in report.measurements]))
    named = list(zip(names, report.measurements, strict=True))
    body = "\n".join(_sections(report, named, changes))
    resources = files("benchmarks")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(verdict)}</title>
<style>
{resources.joinpath("page.css").read_text(encoding="utf-8")}</style>
</head>
<body{"" if report.passed else ' class="failed"'}>
{body}
<script>
{resources.joinpath("page.js").read_text(encoding="utf-8")}</script>
</body>
</html>
"""


def _sections(report: BenchmarkReport, named: _Named, changes: Sequence[Change]) -> Iterator[str]:
    machine = report.machine
    where = ", ".join(filter(None, (machine.board, machine.cpu, f"{machine.cores} cores")))
    yield (
        f"<header><h1>{escape(render.verdict(report))}</h1>"
        f'<p class="soft">{escape(where)} · {report.started[:10]} · measured in '
        f"{report.duration_seconds:.0f} s</p>"
    )
    remarks = [*report.notes, *render.problems(report)]
    if remarks:
        yield f'<div class="remarks" role="note">{_list(remarks)}</div>'
    yield f"{_cards(named)}</header>\n<main>"
    if changes:
        told = _list(render.change_remarks(changes))
        sentence = f"<p>{escape(render.change_verdict(changes))}.</p>"
        yield _section("Against the baseline", sentence + _table(changes_table(changes)) + told)
    every = tables(report)
    yield _section(every[0].title, _table(every[0]) + _accuracy_plot(named))
    for table in every[1:]:
        plot = _speed_plots(report, named) if table.title.startswith("Speed") else ""
        yield _section(table.title, _table(table) + plot)
    yield from _answers(named)
    yield _section("Machine", _list(render.machine_lines(report)))
    yield _section("How it was measured", _list(render.method_lines(report)))
    yield "</main>"


def _cards(named: _Named) -> str:
    """The best file by size, by latency and by accuracy."""
    good = [(name, row) for name, row in named if row.verdict in ("ok", "unjudged")]
    timed = [(name, row.timing) for name, row in good if row.timing]
    judged = [(name, row.accuracy) for name, row in good if row.accuracy]
    sized = [(name, row.size_bytes) for name, row in good if row.size_bytes]
    found = []
    if timed:
        name, timing = min(timed, key=lambda one: one[1].p50_ms)
        latency = plots.duration(timing.p50_ms)
        found.append(("Fastest", latency, f"{name}, {timing.images_per_second:,.0f} images/s"))
    if judged:
        name, accuracy = max(judged, key=lambda one: one[1].accuracy)
        pictures = f"{name}, {accuracy.pictures:,} pictures"
        found.append(("Most often right", f"{100 * accuracy.accuracy:.2f} %", pictures))
    if sized:
        name, size = min(sized, key=lambda one: one[1])
        found.append(("Smallest", f"{size / 1000:,.1f} kB", name))
    items = "".join(
        f"<li>{title}<b>{escape(figure)}</b><span class=soft>{escape(by)}</span></li>"
        for title, figure, by in found
    )
    return f'<ul class="cards">{items}</ul>' if items else ""


def _accuracy_plot(named: _Named) -> str:
    points = [
        plots.Point(name, row.size_bytes / 1000, 100 * row.accuracy.accuracy)
        for name, row in named
        if row.accuracy and row.size_bytes
    ]
    if len(points) < 2:
        return ""
    return _figure(
        plots.size_against_accuracy(points),
        "Size against accuracy. The dashed line joins the files that no other beats in both.",
    )


def _speed_plots(report: BenchmarkReport, named: _Named) -> str:
    timings = [(name, row.timing) for name, row in named if row.timing]
    shares = [(name, report.share_of_limit(row)) for name, row in named]
    known = [(name, share) for name, share in shares if share is not None]
    found = ""
    if timings:
        found += _figure(
            plots.latencies(timings),
            "One picture at a time. Dot: p50; thick: from the shortest call to p90; thin: to p99; "
            "small dots: each round's median.",
        )
    if known:
        title = "Share of the limit: the time that this machine's peak allows, by the time taken"
        found += _figure(plots.bars(title, known), f"{title}.")
    return found


def _answers(named: _Named) -> Iterator[str]:
    """Per-class differences, confusions, and the pictures that only the reference has right."""
    judged = [(name, row.accuracy) for name, row in named if row.accuracy]
    compared = [(name, one) for name, one in judged if one.reference and one.classes]
    if compared:
        labels = [one.label for one in compared[0][1].classes]
        rows = [
            (name, [(cell.lost or 0, cell.gained or 0) for cell in one.classes])
            for name, one in compared
            if [cell.label for cell in one.classes] == labels
        ]
        caption = "Pictures that only the file (up) or only the reference (down) has right."
        yield _section("Class by class", _figure(plots.class_differences(labels, rows), caption))
    confusions = [
        (name, _confusion([cell.label for cell in one.classes], one.confusion))
        for name, one in judged
        if one.confusion and len(one.confusion) == len(one.classes) <= 30
    ]
    if confusions:
        explained = (
            "<p class=soft>Rows are what pictures show, columns what they were taken for.</p>"
        )
        yield _section("Confusions", explained + _details(confusions))
    lost = [
        (f"{name}: {_lost(one.classes)}", _pictures(one.lost)) for name, one in compared if one.lost
    ]
    if lost:
        yield _section("Wrong here, right in the original", _details(lost))


def _lost(classes: Sequence[ClassFigures]) -> str:
    count = sum(one.lost or 0 for one in classes)
    return f"{count} picture{'s' if count > 1 else ''}"


def _confusion(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
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


def _pictures(lost: Sequence[Mistake]) -> str:
    items = "".join(
        f'<li><img alt="picture {one.index}: {escape(one.label)}" '
        f'src="data:image/png;base64,{one.png_base64}">{escape(one.label)}, taken for '
        f"<strong>{escape(one.taken_for)}</strong> ({100 * one.score:.0f} %)</li>"
        for one in lost
    )
    return f'<ul class="pictures">{items}</ul>'


def _table(table: Table) -> str:
    head = "".join(
        f'<th scope="col"><button type="button">{escape(header)}</button></th>'
        for header in table.headers
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
        for row in table.rows
    )
    return (
        f'<div class="scroll"><table class="sortable"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _without_common_start(names: Sequence[str]) -> list[str]:
    """What is left of the names when the words that all begin with are taken away."""
    words = [name.split(".") for name in names]
    shared = 0
    while len({tuple(word[: shared + 1]) for word in words}) == 1 < len(names):
        shared += 1
    return [".".join(word[shared:]) for word in words]


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>\n{content}</section>"


def _figure(drawing: str, caption: str) -> str:
    return f"<figure>{drawing}<figcaption>{escape(caption)}</figcaption></figure>"


def _details(folded: Sequence[tuple[str, str]]) -> str:
    """Contents under their summaries, all but the first folded away."""
    return "".join(
        f"<details{'' if index else ' open'}><summary>{escape(summary)}</summary>{content}</details>"
        for index, (summary, content) in enumerate(folded)
    )


def _list(lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""
