"""What is installed here, what works, what would fit this machine, and what to type next.

Standard library only: where numpy is missing, this says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path

from edge_runtime import __version__, console, machine
from edge_runtime import engines as all_engines
from edge_runtime.doctor import board, camera, engines, packages, python
from edge_runtime.doctor.engines import Try
from edge_runtime.doctor.finding import Finding
from edge_runtime.doctor.packages import Version
from edge_runtime.doctor.python import Python
from edge_runtime.engines import Engine
from edge_runtime.machine import Ask


@dataclass(frozen=True)
class Patient:
    """The machine to look at: by default, this one."""

    root: Path = machine.ROOT  # where /proc, /sys and /dev are
    python: Python = field(default_factory=python.here)
    installed: Sequence[Engine] = field(default_factory=all_engines.installed)
    try_out: Try = engines.try_out
    version: Version = all_engines.installed_version
    ask: Ask = machine.ask_here
    has_module: Callable[[str], bool] = lambda name: find_spec(name) is not None
    has_program: Callable[[str], bool] = lambda name: shutil.which(name) is not None


@dataclass(frozen=True)
class Report:
    """What the doctor found."""

    findings: tuple[Finding, ...]
    engines: tuple[Engine, ...]  # those that start
    passed: tuple[Engine, ...]  # those whose golden samples agree

    @property
    def exit_code(self) -> int:
        """0 fine; 1 an engine gives other answers than it should; 3 nothing can run."""
        if not self.engines:
            return 3
        return 0 if self.passed == self.engines else 1


def examine(patient: Patient | None = None) -> Report:
    """Look at a machine."""
    one = patient or Patient()
    attempts = {engine: one.try_out(engine) for engine in one.installed}
    findings = (
        *board.findings(one.root, one.ask),
        *python.findings(one.python),
        *packages.findings(one.python, one.installed, one.version),
        *engines.findings(one.python, one.installed, attempts),
        *camera.findings(one.root, one.python, one.has_module, one.has_program),
    )
    return Report(
        findings,
        engines=tuple(engine for engine, attempt in attempts.items() if attempt.starts),
        passed=tuple(engine for engine, attempt in attempts.items() if attempt.passed),
    )


def as_text(report: Report) -> str:
    """One line a finding, and below it what to type."""
    topics = max(len(finding.topic) for finding in report.findings)
    lines = []
    for finding in report.findings:
        lines.append(f"{finding.level:<7}  {finding.topic:<{topics}}  {finding.text}")
        if finding.command:
            lines.append(f"{'':7}  {'':{topics}}  > {finding.command}")
    lines.append(_verdict(report))
    return "\n".join(lines)


def as_json(report: Report) -> str:
    """The same for programs."""
    document = {
        "edgeproof": __version__,
        "exit_code": report.exit_code,
        "engines": list(report.engines),
        "findings": [asdict(finding) for finding in report.findings],
    }
    return console.as_json(document, indent=2)


def _verdict(report: Report) -> str:
    if report.exit_code == 3:
        return "nothing can run here yet: type what stands after > above"
    if report.exit_code == 1:
        return "an engine here gives other answers than the original: do not use it"
    return "ready: python -m edge_runtime classify PICTURE"
