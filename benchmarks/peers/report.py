"""What the ways to classify a picture have shown, as frozen dataclasses and as JSON, schema-numbered."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final, Literal

from benchmarks.documents import build
from benchmarks.machine import Machine
from edge_runtime.errors import InputError

SCHEMA: Final = 1

Kind = Literal["tflite", "onnx", "keras", "rgb"]


@dataclass(frozen=True)
class Peer:
    """What one way of classifying takes; None is what was not measured."""

    name: str
    file: str | None = None
    version: str | None = None
    p50_ms: float | None = None  # one picture, in memory at the model's size
    p90_ms: float | None = None
    start_ms: float | None = None  # from the start of the process to the first prediction
    start_cpu_ms: float | None = None
    peak_bytes: int | None = None  # of memory, at the first prediction
    installed_bytes: int | None = None  # of its packages and all that they need
    accuracy: float | None = None  # share of the pictures, 0..1
    skipped: str | None = None  # why it was not measured


@dataclass(frozen=True)
class PeersReport:
    """All of them, on one machine."""

    started: str  # ISO 8601, UTC
    pictures: int  # with their true classes; 0 where there were none
    load_1min: float | None  # before
    machine: Machine
    peers: tuple[Peer, ...]

    def to_json(self) -> str:
        """The report as JSON text."""
        document = {"schema": SCHEMA, **asdict(self)}
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> PeersReport:
        """Read what `to_json` wrote.

        Raises:
            InputError: the text is no such report, or one of a newer schema.
        """
        try:
            document = json.loads(text)
            schema = document.pop("schema", SCHEMA)  # the first reports had no number
            if schema > SCHEMA:
                raise InputError(f"schema {schema} is newer than {SCHEMA}; upgrade edgeproof")
            report: PeersReport = build(cls, document)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"not a report of peers ({type(error).__name__}: {error}); "
                "make one with `python -m benchmarks peers --report FILE.json`"
            ) from error
        return report
