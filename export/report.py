"""What an export says about itself, as dataclasses and as export.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from edge_runtime.spec import Format, Parity, Precision, Reference
from export.limits import Limits

SCHEMA: Final = 1
NAME: Final = "export.json"
LOG: Final = "export.log"  # what TensorFlow and the converters print


@dataclass(frozen=True)
class VariantReport:
    """One file: what it is, how it compares with the original, and whether it was published."""

    file: str  # its name in the output folder, whether it is there or not
    format: Format
    precision: Precision
    published: bool
    problems: tuple[str, ...] = ()  # why not, in words
    parity: Parity | None = None  # None where it could not be converted or run
    size_bytes: int | None = None
    sha256: str | None = None  # of the published file
    golden_samples: int = 0
    golden_tolerance: float | None = None  # of a probability, 0..1
    convert_seconds: float | None = None
    verify_seconds: float | None = None


@dataclass(frozen=True)
class ExportReport:
    """One export: the original, the limits, and every file that was asked for."""

    name: str
    source: str  # the Keras file, as it was named
    source_sha256: str
    reference: Reference  # the original on the evaluation pictures of this export
    limits: Limits
    versions: Mapping[str, str]  # package → version
    seconds: float
    variants: tuple[VariantReport, ...]

    @property
    def passed(self) -> bool:
        """Everything that was asked for is published."""
        return all(variant.published for variant in self.variants)

    def to_json(self) -> str:
        """The content of export.json."""
        document = {"schema": SCHEMA, "passed": self.passed, **asdict(self)}
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
