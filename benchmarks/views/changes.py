"""What became of files between two benchmarks, as a table and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from benchmarks.compare import Change
from benchmarks.views.table import MISSING, Table, digits, markdown_table, short_names

_HEADERS = ("file", "p50", "time, % [95 %]", "speed", "accuracy, points [95 %]", "size, %")


def changes_table(changes: Sequence[Change]) -> Table:
    """What became of every file."""
    names = short_names([change.file for change in changes])
    rows = (
        (
            name,
            _latencies(change),
            _speed(change),
            change.speed.verdict if change.speed else MISSING,
            _points(change),
            MISSING if change.size_growth is None else f"{100 * change.size_growth:+.1f}",
        )
        for name, change in zip(names, changes, strict=True)
    )
    return Table("Changes", _HEADERS, tuple(rows))


def changes_markdown(changes: Sequence[Change]) -> str:
    """What changed as Markdown; empty where nothing was compared."""
    if not changes:
        return ""
    table, remarks = changes_table(changes), change_remarks(changes)
    lines = ["", f"## {table.title}", "", *markdown_table(table)]
    if remarks:
        lines += ["", *(f"- {remark}" for remark in remarks)]
    return "\n".join([*lines, "", f"**{change_verdict(changes)}.**", ""])


def change_remarks(changes: Sequence[Change]) -> list[str]:
    """What a reader must know beside the changes; what holds for all files is said once."""
    names = short_names([change.file for change in changes])
    told = [
        (name, remark)
        for name, change in zip(names, changes, strict=True)
        for remark in dict.fromkeys((*change.remarks, *change.exceeded))
    ]
    counts = Counter(remark for _, remark in told)
    lines = [
        remark if counts[remark] == len(changes) > 1 else f"{name}: {remark}"
        for name, remark in told
    ]
    return list(dict.fromkeys(lines))


def change_verdict(changes: Sequence[Change]) -> str:
    """The comparison in one sentence."""
    speeds = Counter(change.speed.verdict for change in changes if change.speed)
    told = [f"{speeds[kind]} {kind}" for kind in ("faster", "slower") if speeds[kind]]
    same = speeds["no difference shown"]
    if same:
        told.append(f"{same} with no difference of speed shown")
    beyond = sum(bool(change.exceeded) for change in changes)
    if beyond:
        told.append(f"{beyond} beyond a limit")
    files = f"{len(changes)} file{'s' if len(changes) > 1 else ''}"
    return f"Of {files}: {', '.join(told) or 'no times compared'}"


def _latencies(change: Change) -> str:
    before, after = (row.timing if row else None for row in (change.before, change.after))
    if before is None or after is None:
        return MISSING
    unit, scale = ("µs", 1000) if max(before.p50_ms, after.p50_ms) < 1 else ("ms", 1)
    return f"{digits(before.p50_ms * scale)} → {digits(after.p50_ms * scale)} {unit}"


def _speed(change: Change) -> str:
    if change.speed is None:
        return MISSING
    low, high = change.speed.interval
    return f"{100 * change.speed.share:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def _points(change: Change) -> str:
    accuracy = change.accuracy
    if accuracy is None:
        return MISSING
    if accuracy.interval_points is None:
        return f"{accuracy.points:+.2f}"
    low, high = accuracy.interval_points
    return f"{accuracy.points:+.2f} [{low:+.2f}, {high:+.2f}]"
