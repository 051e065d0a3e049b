"""Models that were trained with rounding in them, in the form that `python -m train` saves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime import modelfile
from export import ExportReport, export
from export.cli import main
from export.formats.fake_quant import is_fake_quantized
from export.variants import select

pytestmark = pytest.mark.slow

Exported = tuple[Path, ExportReport]

INTEGER_ONNX = ("int8.onnx", "int8-x86.onnx", "int8-arm.onnx")


@pytest.fixture(scope="module")
def rounding(
    trained: Path, pictures: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Exported:
    """The small net, made to round as int8 does, with calibration pictures that would spoil it."""
    import keras

    from train.simulation import settle, simulated

    run = shutil.copytree(trained, tmp_path_factory.mktemp("runs") / "rounding")
    spec = modelfile.read_keras_spec(run / "model.keras")
    assert spec is not None
    original = keras.saving.load_model(run / "model.keras")
    assert not is_fake_quantized(original)
    functional = keras.Model(original.inputs, original.outputs)
    model = simulated(functional, pictures(500, seed=9)[0], spec.image)
    settle(model)
    assert is_fake_quantized(model)
    assert is_fake_quantized(keras.Sequential([model]))
    model.save(run / "bare.keras")
    content = modelfile.add_keras_spec((run / "bare.keras").read_bytes(), spec)
    (run / "model.keras").write_bytes(content)
    dark = np.tile(np.arange(0, 250, 12, dtype=np.uint8)[:, None, None, None], (1, 8, 8, 1)) // 4
    np.savez(run / "calibration.npz", images=np.concatenate([dark, 250 - dark]))
    out = tmp_path_factory.mktemp("exported") / "rounding"
    return out, export(run, out=out, variants=select(["float32", "int8", *INTEGER_ONNX]))


def test_its_own_ranges_are_taken_and_no_picture_moves_them(rounding: Exported) -> None:
    out, report = rounding
    made = [each for each in report.variants if each.precision == "int8"]
    assert [each.name for each in made] == ["int8.tflite", *INTEGER_ONNX]
    for each in made:
        assert each.published
        assert each.parity is not None
        assert each.parity.agreement >= 0.999
        spec = modelfile.read(out / each.file).spec
        assert spec is not None
        assert spec.variant is not None
        assert spec.variant.calibration is None


def test_all_of_it_computes_in_integers(
    rounding: Exported, optimized: Callable[[Path], set[str]]
) -> None:
    operations = rounding[1].variants[1].operations
    assert set(operations) & {"CONV_2D", "FULLY_CONNECTED"}
    assert not set(operations) & {"DEQUANTIZE", "FAKE_QUANT"}
    for name in INTEGER_ONNX[:2]:  # ONNX Runtime on x86 makes floats of what was made for ARM
        types = optimized(rounding[0] / f"halves.{name}")
        assert {"QLinearConv", "QGemm"} <= types
        assert not {"Conv", "Gemm", "Add"} & types


def test_float_files_may_differ_by_a_step_where_two_engines_round_differently(
    rounding: Exported,
) -> None:
    floats = [each for each in rounding[1].variants if each.precision == "float32"]
    assert len(floats) == 2
    for each in floats:
        assert each.published, each.problems


def test_its_integer_files_need_no_calibration_pictures(
    rounding: Exported, trained: Path, tmp_path: Path
) -> None:
    model = rounding[0].parents[1] / "bare.keras"
    shutil.copy(Path(rounding[1].source).with_name("bare.keras"), model)
    (tmp_path / "labels.txt").write_text("top\nbottom\nleft\nright\n")
    given = [str(model), "--labels", str(tmp_path / "labels.txt"), "--input-range", "0..1"]
    given += ["--evaluation", str(trained), "--out", str(tmp_path / "out"), "--name", "halves"]
    assert main([*given, "--only", "int8"]) == 0
    made = (tmp_path / "out" / "halves.int8.tflite").read_bytes()
    bodies = (content[: content.index(b"PK")] for content in (made, _of(rounding)))
    assert len(set(bodies)) == 1  # the same model, whoever brought pictures


def _of(rounding: Exported) -> bytes:
    return (rounding[0] / "halves.int8.tflite").read_bytes()
