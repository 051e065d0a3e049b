from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge_runtime import Classifier, engines
from edge_runtime.errors import EngineError, UsageError

ROOT = Path(__file__).parents[2]


def test_an_engine_for_another_format_is_refused_with_those_that_fit() -> None:
    with pytest.raises(UsageError, match=r"onnxruntime does not run \.tflite files; choose litert"):
        engines.start("tflite", "onnxruntime")
    with pytest.raises(UsageError, match=r"litert does not run \.onnx files; choose onnxruntime"):
        engines.start("onnx", "litert")


def test_an_engine_that_is_asked_for_and_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tflite_runtime", None)
    monkeypatch.delitem(sys.modules, "tflite_runtime.interpreter", raising=False)
    with pytest.raises(
        EngineError, match="tflite-runtime is not installed; run `pip install tflite-runtime 'n"
    ):
        engines.start("tflite", "tflite-runtime")


def test_one_that_does_not_start_leaves_it_to_the_next(tmp_path: Path) -> None:
    for name, body in (("ai_edge_litert", "raise SystemError('broken')"), ("tflite_runtime", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "interpreter.py").write_text(body)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.path.insert(0, {str(ROOT)!r})\n"
        "from edge_runtime import engines\n"
        "engines.numpy_clash = lambda _: ''\n"  # the one that is real has no part in this
        "print(engines.start('tflite')[0])\n"
        "engines.start('tflite', 'litert')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "tflite-runtime\n", done.stderr
    assert "ai-edge-litert does not start here (SystemError: broken); run `pip" in done.stderr


@pytest.mark.parametrize(("version", "clashes"), [("2.4.6", True), ("1.26.4", False)])
def test_numpy_2_under_tflite_runtime_is_explained(
    version: str, clashes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "numpy", SimpleNamespace(__version__=version))  # type: ignore[arg-type]
    assert engines.numpy_clash("litert") == ""
    told = engines.numpy_clash("tflite-runtime")
    assert ("NumPy 1, and this is 2.4.6: run `pip install 'numpy<2'`" in told) is clashes


def test_a_named_engine_runs_its_files(model_path: Path) -> None:
    form = "onnx" if model_path.suffix == ".onnx" else "tflite"
    engine = engines.installed(form)[0]  # type: ignore[arg-type]
    assert Classifier.open(model_path, backend=engine).spec.labels
