"""What scaling has shown, as frozen dataclasses and as JSON, schema-numbered."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

from benchmarks.documents import build
from benchmarks.machine import Machine, MachineState
from benchmarks.measures.peak import Peak
from edge_runtime.errors import InputError
from edge_runtime.spec import Format

SCHEMA: Final = 1


@dataclass(frozen=True)
class Pictures:
    """A process that opens a model and classifies some pictures, one after the other."""

    pictures: int
    from_files: bool  # PNG files; else pixels in memory
    process_seconds: float  # from its start to the last answer
    cpu_seconds: float  # processor time of the same
    classifying_seconds: float  # of it, what the pictures took
    peak_bytes: int | None


@dataclass(frozen=True)
class Model:
    """A model file of some size, on one thread."""

    kind: Format
    parameters: int
    macs: int | None
    size_bytes: int
    load_ms: float
    p50_ms: float
    p90_ms: float
    memory_bytes: int | None  # what it added to the process


@dataclass(frozen=True)
class Threads:
    """A model file on some threads."""

    kind: Format
    parameters: int
    num_threads: int
    p50_ms: float
    p90_ms: float


@dataclass(frozen=True)
class ScalingReport:
    """All of it, on one machine."""

    started: str  # ISO 8601, UTC
    duration_seconds: float
    machine: Machine
    before: MachineState
    after: MachineState
    model: str  # the file that classified the pictures
    peaks: tuple[Peak, ...]  # the limit of this machine on one thread
    pictures: tuple[Pictures, ...]
    models: tuple[Model, ...]
    threads: tuple[Threads, ...]
    engines: tuple[str, ...] = ()  # that ran the files, with their versions

    def to_json(self) -> str:
        """The report as JSON text."""
        document = {"schema": SCHEMA, **asdict(self)}
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ScalingReport:
        """Read what `to_json` wrote.

        Raises:
            InputError: the text is no such report, or one of a newer schema.
        """
        try:
            document = json.loads(text)
            schema = document.pop("schema")
            if schema > SCHEMA:
                raise InputError(f"schema {schema} is newer than {SCHEMA}; upgrade edgeproof")
            report: ScalingReport = build(cls, document)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"not a report of scaling ({type(error).__name__}: {error}); "
                "make one with `python -m benchmarks scaling --report FILE.json`"
            ) from error
        return report
