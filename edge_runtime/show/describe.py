"""What a model file says of itself, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from edge_runtime import console, foreign
from edge_runtime.description import Description
from edge_runtime.errors import EdgeError, printable
from edge_runtime.modelfile import ModelFile
from edge_runtime.modelfile.tensors import Graph
from edge_runtime.spec import ImageInput, ModelSpec, Parity, Variant


def as_json(file: ModelFile) -> str:
    """The file's name, size and digest, and its whole spec; without one, what it shows of itself."""
    document = {
        "file": file.path.name,
        "format": file.format,
        "size_bytes": len(file.data),
        "sha256": file.sha256,
        "sealed": file.sealed,
        "spec": None if file.spec is None else json.loads(file.spec.to_json()),
    }
    if file.spec is None:
        document["graph"] = asdict(foreign.read_graph(file))
    return console.as_json(document, indent=2)


def as_text(file: ModelFile) -> str:
    """The same in a dozen lines."""
    rows = list(_rows(file))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _rows(file: ModelFile) -> Iterator[tuple[str, str]]:
    yield "file", f"{printable(file.path.name)}, {len(file.data):,} bytes"
    yield "sha256", file.sha256
    yield "digest", "inside, and holds" if file.sealed else "none inside"
    spec = file.spec
    if spec is None:
        yield "spec", "none inside: made elsewhere"
        yield from _graph_rows(foreign.read_graph(file))
        try:
            foreign.describe(file, Description())
        except EdgeError as error:
            yield "missing", str(error).removeprefix(f"{file.path} ")
        return
    yield "model", f"{spec.name}, version {spec.version}"
    yield "labels", f"{len(spec.labels)}: {', '.join(spec.labels)}"
    yield "picture", _picture(spec.image)
    yield "input", _input(spec.image)
    yield "scores", _scores(spec)
    if spec.reference is not None:
        reference = spec.reference
        yield (
            "original",
            f"{reference.accuracy:.2%} right on {reference.images:,} pictures of {reference.dataset}",
        )
    if spec.variant is not None:
        yield from _variant_rows(spec.variant)
    yield "golden", "samples inside" if file.golden is not None else "no samples inside"
    for package, version in spec.provenance.versions.items():
        yield "made with", f"{package} {version}"


def _graph_rows(graph: Graph) -> Iterator[tuple[str, str]]:
    """What the file shows of itself; its words may be anything."""
    for kind, tensors in (("input", graph.inputs), ("output", graph.outputs)):
        for tensor in tensors:
            yield kind, printable(str(tensor))
    if graph.last is not None:
        yield "scores", f"come from a {graph.last} operation"
    said = graph.said
    if isinstance(said.labels, tuple):
        few = ", ".join(said.labels[:10]) + (", …" if len(said.labels) > 10 else "")
        yield "labels", f"{len(said.labels)}: {printable(few)}"
    for flag in said.given:
        if flag != "--labels":
            value = getattr(said, flag[2:].replace("-", "_"))
            yield flag[2:], value if isinstance(value, str) else ", ".join(map(str, value))


def _picture(image: ImageInput) -> str:
    colour = "grey" if image.color == "gray" else "RGB"
    polarity = "" if image.polarity == "any" else f", {image.polarity.replace('-', ' ')}"
    margins = ", margins cut" if image.trim else ""
    margins += ", levelled" if image.level else ""
    return (
        f"{image.width} x {image.height} {colour}{polarity}; "
        f"others are brought there by {image.fit}, {image.resampling}{margins}"
    )


def _input(image: ImageInput) -> str:
    mean, std = (", ".join(f"{value:g}" for value in part) for part in (image.mean, image.std))
    return f"(pixel - {mean}) / {std}"


def _scores(spec: ModelSpec) -> str:
    decision = spec.decision
    return f"{spec.scores}, temperature {decision.temperature:g}, sure from {decision.threshold:g}"


def _variant_rows(variant: Variant) -> Iterator[tuple[str, str]]:
    yield "variant", variant.name
    if variant.kept_float:
        yield "in floats", ", ".join(variant.kept_float)
    if variant.min_runtime is not None:
        yield "needs", f"{variant.min_runtime} or newer"
    if variant.parity is not None:
        yield "parity", _parity(variant.parity)
    if variant.calibration is not None:
        calibration = variant.calibration
        yield "calibrated", f"on {calibration.images:,} pictures of {calibration.source}"


def _parity(parity: Parity) -> str:
    text = f"{parity.agreement:.2%} agree with the original on {parity.images:,} pictures"
    if parity.accuracy_difference_points is not None:
        text += f", accuracy {parity.accuracy_difference_points:+.2f} points"
    return f"{text}, largest score difference {parity.max_score_difference:.4f}"
