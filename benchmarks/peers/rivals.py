"""The ways that are compared: what each is called, what it needs, and which file it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from benchmarks.peers.installed import EDGEPROOF
from benchmarks.peers.report import Kind

_LITERT: Final = "ai-edge-litert"


@dataclass(frozen=True)
class Rival:
    """One way to classify a picture: its name, what it needs, and which file it runs."""

    name: str
    module: str  # that must be importable
    packages: tuple[str, ...]  # that a user installs for it
    kind: Kind


def rivals() -> tuple[Rival, ...]:
    """All of them; this runtime with the TFLite engine that it would take here."""
    lite = (
        "tflite-runtime" if not _found("ai_edge_litert") and _found("tflite_runtime") else _LITERT
    )
    own = lite.replace("-", "_")
    return (
        Rival("edgeproof", own, (EDGEPROOF, "pillow", lite), "tflite"),
        Rival("LiteRT by hand", "ai_edge_litert", (_LITERT,), "tflite"),
        Rival("litert-benchmark", "ai_edge_litert.tools", (_LITERT,), "tflite"),
        Rival("tflite-runtime by hand", "tflite_runtime", ("tflite-runtime",), "tflite"),
        Rival("TensorFlow's Interpreter", "tensorflow", ("tensorflow",), "tflite"),
        Rival("edgeproof, ONNX", "onnxruntime", (EDGEPROOF, "pillow", "onnxruntime"), "onnx"),
        Rival("ONNX Runtime by hand", "onnxruntime", ("onnxruntime",), "onnx"),
        Rival("Keras predict", "tensorflow", ("tensorflow", "keras"), "keras"),
        Rival("Keras predict_on_batch", "tensorflow", ("tensorflow", "keras"), "keras"),
        Rival("MediaPipe ImageClassifier", "mediapipe", ("mediapipe",), "rgb"),
    )


def why_not(rival: Rival, files: Mapping[Kind, Path]) -> str | None:
    """Why a way cannot be measured here; None where it can."""
    flags = {"onnx": "an .onnx file", "keras": "--keras FILE.keras", "rgb": "--rgb FILE.tflite"}
    if not _found(rival.module):
        return f"{rival.packages[-1]} is not installed"
    if rival.kind not in files:
        return f"no file for it was given ({flags[rival.kind]})"
    return None


def _found(module: str) -> bool:
    return find_spec(module.partition(".")[0]) is not None and find_spec(module) is not None
