"""The engines: which package runs which format, which are installed, and how one is started.

Standard library only. An engine is imported when it is started, and only that one: they are large,
and a device has one of them.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, Literal, get_args

from edge_runtime.errors import EngineError, UsageError
from edge_runtime.quiet import native_output_hidden
from edge_runtime.spec import Format

Engine = Literal["litert", "tflite-runtime", "tensorflow", "onnxruntime"]
EngineChoice = Literal["auto", "litert", "tflite-runtime", "tensorflow", "onnxruntime"]


@dataclass(frozen=True)
class Package:
    """A package that has an engine in it."""

    format: Format  # of the files it runs
    distribution: str  # what pip installs
    module: str  # what is imported


# In order of preference: tflite-runtime ended in 2023, and TensorFlow takes seconds to start.
ENGINES: Final[dict[Engine, Package]] = {
    "litert": Package("tflite", "ai-edge-litert", "ai_edge_litert.interpreter"),
    "tflite-runtime": Package("tflite", "tflite-runtime", "tflite_runtime.interpreter"),
    "tensorflow": Package("tflite", "tensorflow", "tensorflow.lite.python.interpreter"),
    "onnxruntime": Package("onnx", "onnxruntime", "onnxruntime"),
}


def installed(form: Format | None = None) -> list[Engine]:
    """The engines that are there, for one format or for all, without importing any."""
    return [
        engine
        for engine, package in ENGINES.items()
        if form in (None, package.format) and find_spec(package.module.partition(".")[0])
    ]


def installed_formats() -> list[Format]:
    """The formats that an installed engine can run, without importing any engine."""
    formats = {ENGINES[engine].format for engine in installed()}
    return [form for form in get_args(Format) if form in formats]


def start(form: Format, choice: EngineChoice = "auto") -> tuple[Engine, Any]:
    """Import an engine for a format: the one that is chosen, or the first that starts.

    Returns:
        Its name and its module.

    Raises:
        UsageError: the engine that was chosen cannot run this format.
        EngineError: it is not installed, or does not start here.
    """
    if choice != "auto" and ENGINES[choice].format != form:
        able = [engine for engine, package in ENGINES.items() if package.format == form]
        raise UsageError(f"{choice} does not run .{form} files; choose {' or '.join(able)}")
    found = installed(form) if choice == "auto" else [choice]
    reasons = []
    for engine in found:
        try:
            return engine, _imported(engine)
        except ImportError as error:
            reasons.append(str(error))
    told = "; ".join(reasons) or f"no engine for .{form} files is installed"
    other = "or " if "run `" in told else ""  # beside what mends the one that is there
    raise EngineError(f"{told}; {other}run `{_install_command(form, choice)}`")


def _install_command(form: Format, choice: EngineChoice) -> str:
    if choice == "tflite-runtime":
        return "pip install tflite-runtime 'numpy<2'"
    first = next(engine for engine, package in ENGINES.items() if package.format == form)
    return f"pip install {ENGINES[first if choice == 'auto' else choice].distribution}"


def _imported(engine: Engine) -> Any:
    """The engine's module; ImportError with the reason, whatever it was, where there is none."""
    package = ENGINES[engine]
    try:
        with native_output_hidden(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = importlib.import_module(package.module)
    # A package built against NumPy 1 fails under NumPy 2 with AttributeError or SystemError.
    except Exception as error:
        names = (package.module, package.module.partition(".")[0])
        if isinstance(error, ModuleNotFoundError) and error.name in names:
            raise ImportError(f"{package.distribution} is not installed") from error
        what = str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
        raise ImportError(
            f"{package.distribution} does not start here ({what}){numpy_clash(engine)}"
        ) from error
    clash = numpy_clash(engine)  # which may show only when a model is loaded
    if clash:
        raise ImportError(f"{package.distribution} does not start here{clash}")
    return module


def numpy_clash(engine: Engine) -> str:
    """Why tflite-runtime does not start, where that is known; otherwise nothing."""
    if engine != "tflite-runtime":
        return ""
    loaded = sys.modules.get("numpy")
    numpy = installed_version("numpy") if loaded is None else str(loaded.__version__)
    if numpy is None or numpy.startswith("1."):
        return ""
    return f", being built against NumPy 1, and this is {numpy}: run `pip install 'numpy<2'`"


def installed_version(distribution: str) -> str | None:
    """The version of an installed package; None where it is not installed."""
    # Slow to import, and a start that goes well does not need it.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
