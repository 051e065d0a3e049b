"""`python -m benchmarks compare`: what changed between two reports."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.commands import common


def parser() -> argparse.ArgumentParser:
    """The flags of a comparison of two reports."""
    made = common.parser(
        "compare",
        "Say of every file whether it became faster, slower, less accurate or larger. What the "
        "two runs do not show beyond their noise is no difference. Exit code 1 where a limit is "
        "exceeded.",
    )
    made.add_argument("before", type=Path, metavar="BEFORE.json", help="a benchmark's report")
    made.add_argument("after", type=Path, metavar="AFTER.json", help="a later one's")
    made.add_argument("--format", choices=("text", "markdown"), default="text")
    common.add_limits(made.add_argument_group("limits"), None, "per cent points lost")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Compare and show; 0 where no limit is exceeded."""
    limits = common.limits(arguments)

    from benchmarks import compare, report
    from benchmarks.views import terminal
    from benchmarks.views.changes import changes_markdown

    changes = compare.compare(report.read(arguments.before), report.read(arguments.after), limits)
    if arguments.format == "markdown":
        print(changes_markdown(changes).strip())
    else:
        terminal.show_changes(changes, sys.stdout)
    return 1 if any(change.exceeded for change in changes) else 0
