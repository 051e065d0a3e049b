"""The report: every figure of one benchmark as frozen dataclasses, and as JSON, schema-numbered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from benchmarks.documents import build
from benchmarks.machine import Machine, MachineState
from benchmarks.measures.accuracy import Accuracy
from benchmarks.measures.latency import Timing
from benchmarks.measures.loadgen import LoadGenResult
from benchmarks.measures.macs import Work
from benchmarks.measures.memory import Memory
from benchmarks.measures.peak import Peak
from benchmarks.measures.pipeline import Rate, Stages
from benchmarks.measures.size import Size
from benchmarks.measures.startup import Startup
from benchmarks.settings import Settings
from edge_runtime.errors import InputError, UsageError

SCHEMA: Final = 1

Progress = Callable[[str, int, int], None]  # what is being done, how much of it, of how much

# Unjudged is a file that was measured where there is nothing to compare it with.
Verdict = Literal["ok", "unjudged", "outside", "failed"]


@dataclass(frozen=True)
class Measurement:
    """All that was measured of one model file; None is what was not."""

    file: str
    size_bytes: int | None = None
    name: str | None = None  # of the model, from its spec
    variant: str | None = None  # for example "int8.tflite"
    sha256: str | None = None
    engine: str | None = None  # that ran it, with its version: "ai-edge-litert 2.3.0"
    startup: Startup | None = None
    memory: Memory | None = None
    accuracy: Accuracy | None = None
    timing: Timing | None = None
    work: Work | None = None
    size: Size | None = None
    stages: Stages | None = None
    rates: tuple[Rate, ...] = ()  # pictures a second by batch size and threads, where asked for
    loadgen: LoadGenResult | None = None  # where asked for
    failure: str | None = None  # why the file could not be measured
    outside: tuple[str, ...] = ()  # the figures outside their tolerance, each as a sentence

    @property
    def verdict(self) -> Verdict:
        """Whether the file was measured, and is within its tolerance."""
        if self.failure is not None:
            return "failed"
        if self.accuracy is None or self.accuracy.reference is None:
            return "unjudged"
        return "outside" if self.outside else "ok"


@dataclass(frozen=True)
class BenchmarkReport:
    """One benchmark: where, how and with what result."""

    started: str  # ISO 8601, UTC
    duration_seconds: float
    settings: Settings
    machine: Machine
    before: MachineState
    after: MachineState
    measurements: tuple[Measurement, ...]  # in the order given
    yardstick: Timing | None = None  # the same work in every report: see `blocks.YARDSTICK`
    timer_overhead_ns: float | None = None  # what a timed call of nothing takes; is in every time
    peaks: tuple[Peak, ...] = ()  # the limit of this machine, with as many threads
    notes: tuple[str, ...] = ()  # what a reader must know, for example why a figure is missing

    @property
    def passed(self) -> bool:
        """Every file was measured, and none is outside its tolerance."""
        return all(row.verdict in ("ok", "unjudged") for row in self.measurements)

    def share_of_limit(self, row: Measurement) -> float | None:
        """The time that the limit allows as a share of a file's p50; None where not measured."""
        if row.work is None or row.timing is None:
            return None
        for peak in self.peaks:
            if peak.arithmetic == row.work.arithmetic:
                limit_ms = 1000 * row.work.macs / peak.macs_per_second
                return limit_ms / row.timing.p50_ms
        return None

    def to_json(self) -> str:
        """The report as JSON text; `passed` and each file's `verdict` are in it for other tools."""
        document = {"schema": SCHEMA, "passed": self.passed, **asdict(self)}
        for row, measurement in zip(document["measurements"], self.measurements, strict=True):
            row["verdict"] = measurement.verdict
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> BenchmarkReport:
        """Read what `to_json` wrote.

        Raises:
            InputError: the text is no benchmark report, or one of a newer schema.
        """
        try:
            document = json.loads(text)
            _require_schema(document)
            return _report(document)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"not a benchmark report ({type(error).__name__}: {error}); "
                "make one with `python -m benchmarks MODEL --report FILE.json`"
            ) from error


def read(path: Path) -> BenchmarkReport:
    """Read the JSON report that a benchmark wrote.

    Raises:
        UsageError: there is no such file.
        InputError: it is no benchmark report.
    """
    try:
        return BenchmarkReport.from_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}; check the path") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _require_schema(document: Mapping[str, Any]) -> None:
    schema = document["schema"]
    if schema > SCHEMA:
        raise InputError(
            f"report schema {schema} is newer than this program's {SCHEMA}; upgrade edgeproof"
        )


def _report(document: Mapping[str, Any]) -> BenchmarkReport:
    """The report without what `to_json` added for other tools."""
    members = {key: member for key, member in document.items() if key not in ("schema", "passed")}
    members["measurements"] = [
        {key: member for key, member in row.items() if key != "verdict"}
        for row in document["measurements"]
    ]
    report: BenchmarkReport = build(BenchmarkReport, members)
    return report
