"""The packages that conversion stands on: are they here, and in which versions."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Final

import edge_runtime
from edge_runtime.errors import EngineError
from edge_runtime.spec import Format
from export.variants import Variant

# Import name → name of the package on PyPI.
_SHARED: Final = {"tensorflow": "tensorflow", "keras": "keras", "numpy": "numpy"}
_TERMINAL: Final = {"rich": "rich"}
_OF_FORMAT: Final[dict[Format, dict[str, str]]] = {
    "tflite": {"ai_edge_litert": "ai-edge-litert", "flatbuffers": "flatbuffers"},
    "onnx": {"tf2onnx": "tf2onnx", "onnx": "onnx", "onnxruntime": "onnxruntime"},
}


def require(variants: Iterable[Variant]) -> None:
    """Make sure, before anything slow, that what the variants need is installed.

    Raises:
        EngineError: a package is missing; the message says how to install it.
    """
    for module, package in (_packages(variants) | _TERMINAL).items():
        if find_spec(module) is None:
            raise EngineError(
                f"{package} is not installed here; run `pip install '.[export]'` in edgeproof's folder"
            )


def versions(variants: Iterable[Variant]) -> dict[str, str]:
    """Package → version of all that the variants are made with."""
    return {
        "edgeproof": edge_runtime.__version__,
        "python": platform.python_version(),
        **{package: _version(module, package) for module, package in _packages(variants).items()},
    }


def used_for(format_: Format, versions: Mapping[str, str]) -> dict[str, str]:
    """Of such versions, those of what files in this format are made with."""
    of_others = {
        package
        for other, packages in _OF_FORMAT.items()
        if other != format_
        for package in packages.values()
    }
    return {name: number for name, number in versions.items() if name not in of_others}


def _version(module: str, package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # its twin, such as tensorflow-cpu
        return str(import_module(module).__version__)


def _packages(variants: Iterable[Variant]) -> dict[str, str]:
    formats = dict.fromkeys(variant.format for variant in variants)
    return _SHARED | {
        module: package for kind in formats for module, package in _OF_FORMAT[kind].items()
    }
