"""The report as one HTML page for a person: verdict first, no outside resources, light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files

from benchmarks.compare import Change
from benchmarks.report import BenchmarkReport, Measurement
from benchmarks.views import changes as changed
from benchmarks.views import frontier, markup, plots, svg, words
from benchmarks.views.table import short_names
from benchmarks.views.tables import tables

_Named = Sequence[tuple[str, Measurement]]


def page(report: BenchmarkReport, changes: Sequence[Change] = ()) -> str:
    """The whole page.

    Args:
        report: what was measured.
        changes: what became of the files since a baseline, if there is one.
    """
    verdict = words.verdict(report)
    names = _without_common_start(short_names([row.file for row in report.measurements]))
    named = list(zip(names, report.measurements, strict=True))
    body = "\n".join(_sections(report, named, changes))
    resources = files("benchmarks.views")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(verdict)}</title>
<style>
{resources.joinpath("plot.css").read_text(encoding="utf-8")}
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
        f"<header><h1>{escape(words.verdict(report))}</h1>"
        f'<p class="soft">{escape(where)} · {report.started[:10]} · measured in '
        f"{report.duration_seconds:.0f} s</p>"
    )
    remarks = words.remarks(report)
    if remarks:
        yield f'<div class="remarks" role="note">{markup.listed(remarks)}</div>'
    yield f"{_cards(report, named)}</header>\n<main>"
    if changes:
        told = markup.listed(changed.change_remarks(changes))
        sentence = f"<p>{escape(changed.change_verdict(changes))}.</p>"
        yield markup.section(
            "Against the baseline", sentence + markup.table(changed.changes_table(changes)) + told
        )
    every = tables(report)
    yield markup.section(every[0].title, markup.table(every[0]) + _accuracy_plot(named))
    for table in every[1:]:
        plot = _speed_plots(report, named) if table.title.startswith("Speed") else ""
        yield markup.section(table.title, markup.table(table) + plot)
    yield from _answers(named)
    yield markup.section("Machine", markup.listed(words.machine_lines(report)))
    yield markup.section("How it was measured", markup.listed(words.method_lines(report)))
    yield "</main>"


def _cards(report: BenchmarkReport, named: _Named) -> str:
    """The best file by size, by latency and by accuracy."""
    good = [(name, row) for name, row in named if row.verdict in ("ok", "unjudged")]
    timed = [(name, row.timing) for name, row in good if row.timing]
    judged = [(name, row.accuracy) for name, row in good if row.accuracy]
    sized = [(name, row.size_bytes) for name, row in good if row.size_bytes]
    found = []
    if timed and report.machine.emulator is None:
        name, timing = min(timed, key=lambda one: one[1].p50_ms)
        latency = svg.duration(timing.p50_ms)
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
        frontier.Point(name, row.size_bytes / 1000, 100 * row.accuracy.accuracy)
        for name, row in named
        if row.accuracy and row.size_bytes
    ]
    if len(points) < 2:
        return ""
    best = frontier.frontier(points)
    told = (
        "The dashed line joins the files that no other beats in both."
        if len(best) > 1
        else f"{best[0].name} is the smallest and the most often right."
    )
    return markup.figure(frontier.size_against_accuracy(points), f"Size against accuracy. {told}")


def _speed_plots(report: BenchmarkReport, named: _Named) -> str:
    timings = [(name, row.timing) for name, row in named if row.timing]
    shares = [(name, report.share_of_limit(row)) for name, row in named]
    known = [(name, share) for name, share in shares if share is not None]
    found = ""
    if timings:
        found += markup.figure(
            plots.latencies(timings),
            "One picture at a time. Dot: p50; thick: from the shortest call to p90; thin: to p99; "
            "small dots: each round's median.",
        )
    if known:
        title = "Share of the limit: the time that this machine's peak allows, by the time taken"
        found += markup.figure(plots.bars(title, known), f"{title}.")
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
        most = max(max(pair) for _, cells in rows for pair in cells)
        caption = (
            "Pictures that only the file (up) or only the reference (down) has right; "
            f"the tallest bar is {most}."
        )
        yield markup.section(
            "Class by class", markup.figure(plots.class_differences(labels, rows), caption)
        )
    confusions = [
        (name, markup.confusion([cell.label for cell in one.classes], one.confusion))
        for name, one in judged
        if one.confusion and len(one.confusion) == len(one.classes) <= 30
    ]
    if confusions:
        explained = (
            "<p class=soft>Rows are what pictures show, columns what they were taken for.</p>"
        )
        yield markup.section("Confusions", explained + markup.details(confusions))
    lost = [
        (f"{name}: {markup.lost_count(one.classes)}", markup.pictures(one.lost))
        for name, one in compared
        if one.lost
    ]
    if lost:
        yield markup.section("Wrong here, right in the original", markup.details(lost))


def _without_common_start(names: Sequence[str]) -> list[str]:
    """What is left of the names when the words that all begin with are taken away."""
    split = [name.split(".") for name in names]
    shared = 0
    while len({tuple(parts[: shared + 1]) for parts in split}) == 1 < len(names):
        shared += 1
    return [".".join(parts[shared:]) for parts in split]
