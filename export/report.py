"""What an export says about itself, as dataclasses and as export.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final, Literal

from edge_runtime.spec import Calibration, Format, Parity, Precision, Reference, Variant
from export.limits import Limits
from export.repair import Repair

Prefer = Literal["size", "speed", "accuracy"]

SCHEMA: Final = 1
NAME: Final = "export.json"
PAGE: Final = "report.html"
LOG: Final = "export.log"  # what TensorFlow and the converters print


@dataclass(frozen=True)
class VariantReport:
    """One file: what it is, how it compares with the original, and whether it was published."""

    file: str  # its name in the output folder, whether it is there or not
    format: Format
    precision: Precision
    published: bool
    option: str | None = None  # what else tells it from its siblings
    problems: tuple[str, ...] = ()  # why not, in words
    parity: Parity | None = None  # None where it could not be converted or run
    size_bytes: int | None = None
    model_bytes: int | None = None  # without spec, labels and golden samples
    sha256: str | None = None  # of the published file
    golden_samples: int = 0
    golden_tolerance: float | None = None  # of a probability, 0..1
    convert_seconds: float | None = None
    verify_seconds: float | None = None
    latency_ms: float | None = None  # of one picture, here, on one thread; of published files
    operations: Mapping[str, int] = field(default_factory=dict)  # name → version
    min_runtime: str | None = None  # the oldest engine that has them all
    repair: Repair | None = None  # what was done about an int8 file outside its limits
    layers: Mapping[str, float] = field(default_factory=dict)  # of int8: layer → its `Layer.noise`

    @property
    def verdict(self) -> Literal["published", "substitute", "left out"]:
        """What became of it; a substitute is in the place of a file that was asked for."""
        if not self.published:
            return "left out"
        return "substitute" if self.repair and self.repair.instead_of else "published"

    @property
    def name(self) -> str:
        """What tells it from its siblings, for example `int8.tflite`."""
        return Variant(self.format, self.precision, option=self.option).name


@dataclass(frozen=True)
class ExportReport:
    """One export: the original, the limits, and every file that was asked for."""

    name: str
    source: str  # the Keras file, as it was named
    source_sha256: str
    reference: Reference | None  # the original on these evaluation pictures; None without labels
    limits: Limits
    versions: Mapping[str, str]  # package → version
    seconds: float
    variants: tuple[VariantReport, ...]
    evaluation_source: str = ""
    evaluation_images: int = 0
    calibration: Calibration | None = None
    labels: tuple[str, ...] = ()
    recommended: str | None = None  # the file to take
    recommended_for: Prefer = "size"
    remarks: tuple[str, ...] = ()  # what was found out about model and pictures

    @property
    def passed(self) -> bool:
        """Everything that was asked for is published, or has one of `substituted` in its place."""
        return all(variant.published for variant in self.variants)

    @property
    def published(self) -> tuple[VariantReport, ...]:
        """The files that are there."""
        return tuple(variant for variant in self.variants if variant.published)

    @property
    def substituted(self) -> dict[str, str]:
        """File that was asked for and is left out → the file in its place."""
        return {
            variant.repair.instead_of: variant.file
            for variant in self.published
            if variant.repair and variant.repair.instead_of
        }

    @property
    def overhead(self) -> float:
        """Share of the time that was not spent converting, 0..1."""
        converting = sum(variant.convert_seconds or 0 for variant in self.variants)
        return 1 - min(1.0, converting / self.seconds) if self.seconds else 0.0

    def to_json(self) -> str:
        """The content of export.json."""
        said = {"schema": SCHEMA, "passed": self.passed, "substituted": self.substituted}
        document = said | asdict(self)
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
