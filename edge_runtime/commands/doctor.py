"""`doctor`: what works here, and what to type where something does not."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_runtime.commands.common import Commands


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Give the command its flags."""
    parser = commands.add_parser(
        "doctor", parents=[common], help="what works on this machine, and what to type next"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.set_defaults(command=doctor)


def doctor(arguments: argparse.Namespace) -> int:
    """Print it; return 0, 1 when an engine gives other answers, 3 when nothing can run."""
    from edge_runtime import doctor

    report = doctor.examine()
    print(doctor.as_json(report) if arguments.format == "json" else doctor.as_text(report))
    return report.exit_code
