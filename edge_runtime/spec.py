"""The spec: what a model file says about itself, as frozen dataclasses and as JSON.

The dataclasses are the schema: their fields, types and defaults are exactly the keys of the
JSON. Everything the file itself already says (tensor scale, zero point, shapes) is left out.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from reprlib import repr as shortened
from typing import Literal

from edge_runtime import strict_json
from edge_runtime.errors import SpecError
from edge_runtime.strict_json import require

SCHEMA = 1
MAX_SPEC_BYTES = 1 << 20

Color = Literal["gray", "rgb"]
Fit = Literal["stretch", "crop", "pad"]
Resampling = Literal["nearest", "box", "bilinear", "bicubic", "lanczos"]
Polarity = Literal["any", "light-on-dark", "dark-on-light"]
Scores = Literal["logits", "probabilities"]
Format = Literal["tflite", "onnx"]
Precision = Literal["float32", "float16", "dynamic", "int8", "int16x8"]


@dataclass(frozen=True)
class ImageInput:
    """The picture a model expects, and how any other picture becomes one.

    A picture becomes uint8 pixels of shape (height, width, channels), 0..255, RGB or grey;
    the model's input is then `(pixel - mean) / std`, channel by channel.
    """

    height: int
    width: int
    color: Color
    mean: tuple[float, ...]  # one per channel, in pixel units 0..255
    std: tuple[float, ...]  # one per channel, in pixel units 0..255
    fit: Fit = "stretch"
    resampling: Resampling = "bilinear"
    polarity: Polarity = "any"
    trim: bool = False  # cut margins of the background's colour before fitting
    level: bool = False  # make the background the end of the range, the object reach the other

    def __post_init__(self) -> None:
        require(
            0 < self.height <= 4096 and 0 < self.width <= 4096,
            f"image size {self.height} x {self.width} is outside 1..4096 pixels",
        )
        for name, values in (("mean", self.mean), ("std", self.std)):
            require(
                len(values) == self.channels,
                f"image.{name} has {len(values)} values for {self.channels} channel(s)",
            )
        require(
            not self.level or (self.color == "gray" and self.polarity != "any"),
            "image.level needs a grey picture and a polarity",
        )
        require(all(map(math.isfinite, self.mean)), "image.mean must be finite")
        require(
            all(math.isfinite(value) and value > 0 for value in self.std),
            "image.std must be finite and above 0",
        )

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB."""
        return 1 if self.color == "gray" else 3


@dataclass(frozen=True)
class Decision:
    """When a prediction counts as sure.

    Probabilities are softmax(logits / temperature); a best score below `threshold` is "not sure".
    """

    temperature: float = 1.0
    threshold: float = 0.0

    def __post_init__(self) -> None:
        require(
            math.isfinite(self.temperature) and self.temperature > 0,
            "decision.temperature must be above 0",
        )
        require(0.0 <= self.threshold <= 1.0, "decision.threshold must be within 0..1")


@dataclass(frozen=True)
class Reference:
    """How well the original Keras model did, and on what."""

    accuracy: float  # share of pictures, 0..1
    images: int
    dataset: str


@dataclass(frozen=True)
class Calibration:
    """The pictures that set an integer model's ranges."""

    source: str
    images: int
    sha256: str  # of the pixels, in order
    seed: int | None = None  # of the draw, where not all pictures of the source were taken
    pixel_range: tuple[int, int] | None = None  # darkest and brightest, 0..255
    instability: float | None = None  # how far ranges of one half are from the other's, as a share


@dataclass(frozen=True)
class Parity:
    """How a model file compares with the original on the same pictures, through this runtime."""

    images: int
    agreement: float  # share of pictures with the same best label, 0..1
    max_score_difference: float  # largest difference of any probability, 0..1
    accuracy: float | None = None  # share of pictures, 0..1; None without true labels
    reference_accuracy: float | None = None
    accuracy_difference_points: float | None = None  # file minus original, in per cent points
    accuracy_difference_interval_points: tuple[float, float] | None = None  # 95 %, paired
    mcnemar_p: float | None = None  # of a difference at least this large by chance, 0..1
    top5_agreement: float | None = None  # original's best label among the five best, 0..1
    confidence_drift: float | None = None  # mean of the best probability, file minus original
    worst_class: int | None = None  # the class, as an index, that lost most accuracy
    worst_class_difference_points: float | None = None  # its accuracy, file minus original


@dataclass(frozen=True)
class Variant:
    """Which of the exported files this is."""

    format: Format
    precision: Precision
    parity: Parity | None = None
    calibration: Calibration | None = None
    golden_tolerance: float = 0.02  # allowed difference of a probability when samples are replayed
    option: str | None = None  # what else tells it from its siblings, for example `rgb`
    kept_float: tuple[str, ...] = ()  # layers of an integer model that compute in floats
    min_runtime: str | None = None  # the oldest engine that has all its operations

    @property
    def name(self) -> str:
        """What tells the file from its siblings, for example `int8.tflite` or `int8-rgb.tflite`."""
        return "-".join(filter(None, (self.precision, self.option))) + f".{self.format}"


@dataclass(frozen=True)
class Provenance:
    """Where a model file comes from."""

    source_sha256: str | None = None  # of the Keras file it was made from
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)  # package → version


@dataclass(frozen=True)
class ModelSpec:
    """Everything needed to use a model file that its tensors do not say."""

    name: str
    labels: tuple[str, ...]
    image: ImageInput
    scores: Scores
    version: str = "1"
    decision: Decision = Decision()
    reference: Reference | None = None
    variant: Variant | None = None
    provenance: Provenance = Provenance()

    def __post_init__(self) -> None:
        require(
            re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", self.name) is not None,
            f"name {shortened(self.name)} must be letters, digits, '.', '_' or '-'",
        )
        require(len(self.labels) >= 2, f"{len(self.labels)} label(s): a classifier has two or more")
        require(len(set(self.labels)) == len(self.labels), "labels must differ from each other")
        for label in self.labels:
            require(
                0 < len(label) <= 200 and label.isprintable(),
                f"label {shortened(label)} must be 1 to 200 printable characters",
            )

    def to_json(self) -> str:
        """The spec as JSON text, the same text for the same spec."""
        document = {"schema": SCHEMA, **strict_json.encode(self)}
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> ModelSpec:
        """Read a spec, strictly.

        Raises:
            SpecError: the text is no JSON object, its schema is newer than this runtime's, or a
                key is missing, unknown or of the wrong type.
        """
        require(len(text) <= MAX_SPEC_BYTES, f"{len(text)} bytes is too large to be a spec")
        document = strict_json.read(text)
        schema = document.pop("schema", None)
        if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
            raise SpecError(
                f"spec: schema is {shortened(schema)}, expected a number such as {SCHEMA}"
            )
        if schema > SCHEMA:
            raise SpecError(
                f"spec: schema {schema} is newer than this runtime's {SCHEMA}; "
                "upgrade edge_runtime on this machine"
            )
        return strict_json.decode(cls, document, "spec")
