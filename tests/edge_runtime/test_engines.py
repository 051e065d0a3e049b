from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from edge_runtime import Classifier, engines
from edge_runtime.errors import EngineError, UsageError


def test_an_engine_for_another_format_is_refused_with_those_that_fit() -> None:
    with pytest.raises(UsageError, match=r"onnxruntime does not run \.tflite files; choose litert"):
        engines.start("tflite", "onnxruntime")
    with pytest.raises(UsageError, match=r"litert does not run \.onnx files; choose onnxruntime"):
        engines.start("onnx", "litert")


def test_an_engine_that_is_asked_for_and_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tflite_runtime", None)
    with pytest.raises(EngineError, match="tflite-runtime is not installed; run `pip install ai-"):
        engines.start("tflite", "tflite-runtime")


def test_one_that_does_not_start_leaves_it_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, body in (("ai_edge_litert", "raise SystemError('broken')"), ("tflite_runtime", "")):
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.delitem(sys.modules, f"{name}.interpreter", raising=False)
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "interpreter.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    engine, module = engines.start("tflite")
    assert engine == "tflite-runtime"
    assert isinstance(module, ModuleType)
    with pytest.raises(
        EngineError, match=r"ai-edge-litert does not start here \(SystemError: brok"
    ):
        engines.start("tflite", "litert")
    for name in ("ai_edge_litert", "tflite_runtime"):
        for loaded in [one for one in sys.modules if one.split(".")[0] == name]:
            monkeypatch.delitem(sys.modules, loaded)


def test_numpy_2_under_tflite_runtime_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    assert engines.numpy_clash("litert") == ""
    monkeypatch.setattr(engines, "installed_version", lambda _: "2.4.6")
    assert "built against NumPy 1, and this is 2.4.6: run `pip install 'numpy<2'`" in (
        engines.numpy_clash("tflite-runtime")
    )
    monkeypatch.setattr(engines, "installed_version", lambda _: "1.26.4")
    assert engines.numpy_clash("tflite-runtime") == ""


def test_a_named_engine_runs_its_files(model_path: Path) -> None:
    form = "onnx" if model_path.suffix == ".onnx" else "tflite"
    engine = engines.installed(form)[0]  # type: ignore[arg-type]
    assert Classifier.open(model_path, backend=engine).spec.labels
