"""Real conversions of a small net. All share one training and one export of all variants."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_runtime import Classifier, golden, modelfile, parity
from edge_runtime.errors import ModelError
from edge_runtime.preprocess import normalise
from export import ExportReport, Limits, export
from export.cli import main
from export.variants import USUAL, select

pytestmark = pytest.mark.slow

Exported = tuple[Path, ExportReport]


@pytest.fixture
def spoilt(trained: Path, tmp_path: Path) -> Path:
    """The run directory with dim calibration pictures: integer models made with them are dazzled."""
    run = shutil.copytree(trained, tmp_path / "spoilt")
    dim = np.random.default_rng(0).integers(0, 72, (20, 8, 8, 1), np.uint8)
    np.savez(run / "calibration.npz", images=dim)
    return run


def test_every_variant_is_published_within_its_limits(exported: Exported) -> None:
    out, report = exported
    assert report.passed, [variant.problems for variant in report.variants]
    assert {path.name for path in out.iterdir()} == {
        *(f"halves.{variant.name}" for variant in USUAL),
        *("export.json", "export.log", "report.html", "evaluation.npz"),
    }


def test_float32_files_say_what_keras_says(exported: Exported) -> None:
    for variant in exported[1].variants:
        if variant.precision == "float32":
            assert variant.parity is not None
            assert variant.parity.agreement == 1
            assert variant.parity.max_score_difference < 1e-5


def test_files_carry_all_that_a_device_needs(exported: Exported, trained: Path) -> None:
    out, report = exported
    for variant in report.variants:
        file = modelfile.read(out / variant.file)
        spec = file.spec
        assert spec is not None
        assert file.sealed
        assert file.sha256 == variant.sha256
        assert len(file.data) == variant.size_bytes
        assert spec.labels == ("top", "bottom", "left", "right")
        assert spec.variant is not None
        assert (spec.variant.format, spec.variant.precision) == (variant.format, variant.precision)
        assert spec.variant.parity == variant.parity
        assert (spec.variant.calibration is not None) == (variant.precision == "int8")
        assert spec.reference == report.reference
        assert spec.provenance.source_sha256 == report.source_sha256
        assert spec.provenance.seed == 1
        assert "tensorflow" in spec.provenance.versions
        assert ("tf2onnx" in spec.provenance.versions) == (variant.format == "onnx")
        assert golden.check(file).passed
        assert golden.check(file).samples == variant.golden_samples == 16
    assert trained.name in report.source


def test_the_golden_samples_hold_what_keras_said(exported: Exported) -> None:
    out, _ = exported
    with np.load(out / "evaluation.npz") as evaluation:
        known = {
            image.tobytes(): scores
            for image, scores in zip(evaluation["images"], evaluation["scores"], strict=True)
        }
    file = modelfile.read(out / "halves.int8.onnx")
    assert file.golden is not None
    with np.load(io.BytesIO(file.golden)) as samples:
        for image, scores in zip(samples["images"], samples["scores"], strict=True):
            assert np.array_equal(known[image.tobytes()], scores)


def test_the_evaluation_set_holds_the_originals_probabilities(
    exported: Exported, trained: Path
) -> None:
    import keras

    out, report = exported
    with np.load(out / "evaluation.npz") as archive:
        images, labels, scores = (archive[name] for name in ("images", "labels", "scores"))
    assert scores.dtype == np.float32
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert np.mean(scores.argmax(axis=1) == labels) == report.reference.accuracy
    spec = modelfile.read_keras_spec(trained / "model.keras")
    assert spec is not None
    logits = keras.models.load_model(trained / "model.keras")(normalise(images[:50], spec.image))
    expected = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    assert np.allclose(scores[:50], expected, atol=1e-5)


def test_the_published_figures_can_be_measured_again(exported: Exported) -> None:
    out, report = exported
    with np.load(out / "evaluation.npz") as archive:
        images, labels, reference = (archive[name] for name in ("images", "labels", "scores"))
    for variant in report.variants:
        scores = Classifier.open(out / variant.file).scores(images)
        assert parity.compare(reference, scores, labels) == variant.parity


def test_the_json_says_what_the_report_says(exported: Exported) -> None:
    out, report = exported
    document = json.loads((out / "export.json").read_text())
    assert document["passed"] is True
    assert document["schema"] == 1
    assert [variant["file"] for variant in document["variants"]] == [
        variant.file for variant in report.variants
    ]
    assert document["versions"]["keras"]


def test_raw_pixels_are_the_input_of_the_integer_tflite_file(exported: Exported) -> None:
    from ai_edge_litert.interpreter import Interpreter

    content = (exported[0] / "halves.int8.tflite").read_bytes()
    (details,) = Interpreter(model_content=content).get_input_details()
    assert details["dtype"] == np.uint8
    assert details["quantization"] == (pytest.approx(1 / 255), 0)
    assert tuple(details["shape"]) == (1, 8, 8, 1)


def test_no_tflite_file_needs_an_operation_of_tensorflow(exported: Exported) -> None:
    from ai_edge_litert import schema_py_generated as schema

    from export.formats.tflite_file import unpack

    out, _ = exported
    for path in out.glob("*.tflite"):
        codes = unpack(path.read_bytes()).operatorCodes
        assert codes
        assert all(code.builtinCode != schema.BuiltinOperator.CUSTOM for code in codes)


def test_onnx_files_take_any_number_of_pictures_by_name(exported: Exported) -> None:
    import onnx
    import onnxruntime

    for path in exported[0].glob("*.onnx"):
        model = onnx.load(path)
        assert model.ir_version == 8
        assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]
        assert not {node.op_type for node in model.graph.node} & {"Shape", "Gather", "Cast"}
        session = onnxruntime.InferenceSession(path)
        assert session.get_inputs()[0].shape == ["batch", 8, 8, 1]
        images = np.random.default_rng(0).random((3, 8, 8, 1), np.float32)
        (together,) = session.run(["scores"], {"image": images})
        alone = [session.run(["scores"], {"image": images[i : i + 1]})[0] for i in range(3)]
        assert np.allclose(together, np.concatenate(alone), atol=1e-5)


def test_the_integer_onnx_file_computes_in_integers(
    exported: Exported, optimized: Callable[[Path], set[str]]
) -> None:
    types = optimized(exported[0] / "halves.int8.onnx")
    assert {"QLinearConv", "QGemm"} <= types
    assert not {"Conv", "Gemm"} & types


def test_a_flipped_byte_anywhere_in_any_file_is_refused(exported: Exported, tmp_path: Path) -> None:
    out, report = exported
    for variant in report.variants:
        whole = (out / variant.file).read_bytes()
        damaged = tmp_path / variant.file
        for position in range(0, len(whole), max(1, len(whole) // 300)):
            content = bytearray(whole)
            content[position] ^= 0x10
            damaged.write_bytes(content)
            with pytest.raises(ModelError):
                modelfile.read(damaged)


def test_a_file_cut_short_anywhere_is_refused(exported: Exported, tmp_path: Path) -> None:
    out, report = exported
    for variant in report.variants:
        whole = (out / variant.file).read_bytes()
        damaged = tmp_path / variant.file
        for length in range(0, len(whole), max(1, len(whole) // 100)):
            damaged.write_bytes(whole[:length])
            with pytest.raises(ModelError):
                modelfile.read(damaged)


def test_the_converters_words_go_to_the_log_and_ours_to_the_terminal(
    trained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main([str(trained), "--out", str(out), "--only", "float32"]) == 0
    stdout, stderr = capfd.readouterr()
    assert "Saved artifact" in (out / "export.log").read_text()
    assert "2 of 2 files are in" in stdout
    steps = ["halves.float32.tflite: converting", "halves.float32.onnx: verifying"]
    assert all(f"export: {step}\n" in stderr for step in steps)
    assert all(line.startswith("export: ") for line in stderr.splitlines())


def test_verbose_shows_the_converters_words_instead(
    trained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--out", str(tmp_path / "out"), "--only", "float32.tflite", "--verbose"]
    assert main([str(trained), *arguments]) == 0
    stdout, stderr = capfd.readouterr()
    assert "Saved artifact" in stdout + stderr
    assert not (tmp_path / "out" / "export.log").exists()


def test_a_file_outside_its_limits_is_left_out_and_the_others_are_published(
    spoilt: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert (
        main([str(spoilt), "--out", str(out), "--only", "float32.tflite,int8", "--no-repair"]) == 1
    )
    stdout = capfd.readouterr().out
    assert [path.name for path in out.glob("halves.*")] == ["halves.float32.tflite"]
    for name in ("halves.int8.tflite", "halves.int8.onnx"):
        line = next(line for line in stdout.splitlines() if line.startswith(f"{name} is left out"))
        assert "accuracy drops by" in line
        assert "less than 99.00%" in line
    document = json.loads((out / "export.json").read_text())
    assert [variant["published"] for variant in document["variants"]] == [True, False, False]
    assert document["variants"][1]["parity"]["agreement"] < 0.99


def test_raw_pixels_go_in_whatever_the_calibration_pictures_hold(
    spoilt: Path, tmp_path: Path
) -> None:
    from ai_edge_litert.interpreter import Interpreter

    report = export(
        spoilt,
        out=tmp_path / "out",
        variants=select(["int8.tflite"]),
        limits=Limits(max_accuracy_drop_points=100, min_agreement=0),
    )
    content = (tmp_path / "out" / report.variants[0].file).read_bytes()
    (taken,) = Interpreter(model_content=content).get_input_details()
    assert taken["dtype"] == np.uint8
    assert taken["quantization"] == (pytest.approx(1 / 255), 0)


def test_the_limits_are_the_callers(trained: Path, tmp_path: Path) -> None:
    arguments = ["--only", "int8.tflite", "--out", str(tmp_path / "strict")]
    assert main([str(trained), *arguments, "--min-agreement", "1.0", "--no-repair"]) == 1
    assert not list((tmp_path / "strict").glob("*.tflite"))


def test_a_variant_that_cannot_be_made_costs_no_other(trained: Path, tmp_path: Path) -> None:
    run = shutil.copytree(trained, tmp_path / "run")
    keras_file = _with_an_operation_that_tflite_lacks(run / "bare.keras")
    spec = modelfile.read_keras_spec(run / "model.keras")
    assert spec is not None
    (run / "model.keras").write_bytes(modelfile.add_keras_spec(keras_file, spec))
    report = export(run, out=tmp_path / "out", variants=select(["float32"]))
    tflite, onnx = report.variants
    assert not tflite.published
    assert "it could not be made" in tflite.problems[0]
    assert "see export.log" in tflite.problems[0]
    assert onnx.published
    assert (tmp_path / "out" / onnx.file).exists()
    assert not (tmp_path / "out" / tflite.file).exists()


def _with_an_operation_that_tflite_lacks(path: Path) -> bytes:
    import keras

    image = keras.Input((8, 8, 1))
    scores = keras.layers.Dense(4)(keras.layers.Flatten()(keras.ops.arctan(image)))
    keras.Model(image, scores).save(path)
    return path.read_bytes()


def test_an_older_export_is_replaced_only_when_told(trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = [str(trained), "--out", str(out), "--only"]
    assert main([*arguments, "float32.tflite"]) == 0
    assert main([*arguments, "float16"]) == 2
    assert [path.name for path in out.glob("halves.*")] == ["halves.float32.tflite"]
    assert main([*arguments, "float16", "--overwrite"]) == 0
    assert [path.name for path in out.glob("halves.*")] == ["halves.float16.tflite"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


@pytest.mark.parametrize("labels", [("a", "b", "c"), ("a", "b", "c", "d", "e")])
def test_a_label_count_that_is_not_the_models_is_refused_and_nothing_is_left(
    trained: Path, tmp_path: Path, labels: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    run = shutil.copytree(trained, tmp_path / "run")
    spec = modelfile.read_keras_spec(run / "model.keras")
    assert spec is not None
    bare = (run / "bare.keras").read_bytes()
    (run / "model.keras").write_bytes(modelfile.add_keras_spec(bare, replace(spec, labels=labels)))
    with np.load(run / "evaluation.npz") as archive:
        np.savez(run / "evaluation.npz", images=archive["images"], labels=archive["labels"] % 3)
    assert main([str(run), "--out", str(tmp_path / "out" / "it")]) == 3
    error = capsys.readouterr().err.splitlines()[-1]
    assert f"gives 4 scores but has {len(labels)} labels" in error
    assert list((tmp_path / "out").iterdir()) == []


def test_a_keras_file_that_is_no_model_is_refused_in_one_line(
    shell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(shell), "--out", str(tmp_path / "out")]) == 3
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"export: error: Keras cannot load {shell / 'model.keras'}: ")
    assert not (tmp_path / "out").exists()
