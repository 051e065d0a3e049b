"""What is done to TFLite files, on the small models, without TensorFlow."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import number_types
from flatbuffers.table import Table
from numpy.typing import NDArray

from edge_runtime import modelfile
from edge_runtime.backends.tflite import TFLiteBackend
from edge_runtime.errors import ModelError
from edge_runtime.postprocess import probabilities
from edge_runtime.spec import Calibration, ImageInput, ModelSpec
from export.calibration import CalibrationSet
from export.formats import tflite_head
from export.formats.tflite_file import add_metadata, dequantize_input, pack, unpack
from export.formats.tflite_metadata import annotate
from export.formats.tflite_needs import needs

RGB = ImageInput(2, 2, "rgb", (127.5, 120.0, 100.0), (127.5, 60.0, 50.0))


@pytest.fixture(params=["halves.int8.tflite", "halves.float32.tflite", "colours.int8.tflite"])
def file(request: pytest.FixtureRequest, models: Path) -> modelfile.ModelFile:
    return modelfile.read(models / request.param)


def spec_of(file: modelfile.ModelFile) -> ModelSpec:
    assert file.spec is not None
    return file.spec


def noise(file: modelfile.ModelFile, count: int, seed: int = 0) -> NDArray[np.uint8]:
    image = spec_of(file).image
    shape = (count, image.height, image.width, image.channels)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def answers(model: bytes, file: modelfile.ModelFile, pixels: NDArray[Any]) -> NDArray[np.float32]:
    return TFLiteBackend(model, spec_of(file).image, 1).run(pixels)


def buffers(model: bytes) -> Iterator[tuple[int, int]]:
    """(first byte, length) of every buffer."""
    root = schema.Model.GetRootAs(model, 0)
    for index in range(root.BuffersLength()):
        table = root.Buffers(index)._tab
        field = table.Offset(4)
        if field and table.VectorLen(field):
            yield table.Vector(field), table.VectorLen(field)


def test_packing_again_changes_no_answer(file: modelfile.ModelFile) -> None:
    pixels = noise(file, 50)
    again = pack(unpack(file.data))
    assert np.array_equal(answers(again, file, pixels), answers(file.data, file, pixels))


def test_every_buffer_lies_where_the_schema_asks(file: modelfile.ModelFile) -> None:
    places = [first for first, _ in buffers(pack(unpack(file.data)))]
    assert places
    assert all(first % 16 == 0 for first in places)


def test_an_annotated_model_answers_as_before(file: modelfile.ModelFile) -> None:
    pixels = noise(file, 50)
    annotated = annotate(file.data, spec_of(file))
    assert np.array_equal(answers(annotated, file, pixels), answers(file.data, file, pixels))


def test_input_and_output_are_named(file: modelfile.ModelFile) -> None:
    model = unpack(annotate(file.data, spec_of(file)))
    graph = model.subgraphs[0]
    assert graph.tensors[graph.inputs[0]].name == b"image"
    assert graph.tensors[graph.outputs[0]].name == b"scores"
    (signature,) = model.signatureDefs
    assert [tensor.name for tensor in signature.inputs] == [b"image"]
    assert [tensor.name for tensor in signature.outputs] == [b"scores"]


def test_what_no_engine_reads_is_gone(file: modelfile.ModelFile) -> None:
    model = unpack(annotate(file.data, spec_of(file)))
    graph = model.subgraphs[0]
    kept = {*graph.inputs, *graph.outputs}
    assert [index for index, tensor in enumerate(graph.tensors) if tensor.name] == sorted(kept)
    assert [entry.name for entry in model.metadata] == [b"TFLITE_METADATA"]
    contents = [bytes(buffer.data) for buffer in model.buffers if buffer.data is not None]
    assert len(contents) == len(set(contents))


def test_equal_vectors_are_written_once(models: Path) -> None:
    model = unpack((models / "halves.int8.tflite").read_bytes())
    plain = len(pack(model))
    for tensor in model.subgraphs[0].tensors:
        if tensor.quantization is not None:
            tensor.quantization.min = np.arange(1000, dtype=np.float32)
    assert len(model.subgraphs[0].tensors) > 2
    assert 4000 < len(pack(model)) - plain < 4500


def noted(model: bytes, version: str) -> bytes:
    """The same model with the converter's note about the oldest engine."""
    unpacked = unpack(model)
    unpacked.metadata = []
    add_metadata(unpacked, "min_runtime_version", version.encode().ljust(16, b"\0"))
    return pack(unpacked)


def test_a_file_says_which_operations_and_which_engine_it_needs(models: Path) -> None:
    data = (models / "halves.int8.tflite").read_bytes()
    needed = needs(noted(data, "1.14.0"))
    assert needed.runtime == "TensorFlow Lite 1.14.0"
    assert needed.operations["FULLY_CONNECTED"] >= 1
    model = unpack(noted(data, "1.14.0"))
    model.subgraphs[0].tensors[-1].type = schema.TensorType.INT16
    assert needs(pack(model)).runtime == "TensorFlow Lite 2.4.0"  # noted before they became wide


def test_an_operation_of_tensorflow_itself_is_refused_by_name(models: Path) -> None:
    model = unpack(noted((models / "halves.int8.tflite").read_bytes(), "1.14.0"))
    model.operatorCodes[0].builtinCode = schema.BuiltinOperator.CUSTOM
    model.operatorCodes[0].customCode = "FlexAtan"
    with pytest.raises(ModelError, match="FlexAtan exists in TensorFlow only"):
        needs(pack(model))


def test_a_float_input_becomes_one_for_pixels(models: Path) -> None:
    plain = modelfile.read(models / "halves.float32.tflite")
    model = unpack(plain.data)
    integer = unpack((models / "halves.int8.tflite").read_bytes())
    (image,) = (integer.subgraphs[0].tensors[index] for index in integer.subgraphs[0].inputs)
    image.quantization.scale, image.quantization.zeroPoint = [1 / 255], [0]
    dequantize_input(model, like=integer)
    changed, pixels = pack(model), noise(plain, 50)
    graph = unpack(changed).subgraphs[0]
    assert graph.tensors[graph.inputs[0]].type == schema.TensorType.UINT8
    assert np.allclose(
        answers(changed, plain, pixels), answers(plain.data, plain, pixels), atol=1e-4
    )


# --- The standard metadata, read back with flatbuffers' own table reader -------------------------


class Fields:
    """A flatbuffer table, read by field number."""

    def __init__(self, data: bytes, position: int) -> None:
        self.table = Table(data, position)

    def _offset(self, field: int) -> int:
        offset = self.table.Offset(4 + 2 * field)
        assert offset, f"field {field} is absent"
        return int(offset)

    def byte(self, field: int) -> int:
        position = self._offset(field) + self.table.Pos
        return int(self.table.Get(number_types.Uint8Flags, position))

    def text(self, field: int) -> str:
        return bytes(self.table.String(self._offset(field) + self.table.Pos)).decode()

    def sub(self, field: int) -> Fields:
        position = self.table.Indirect(self._offset(field) + self.table.Pos)
        return Fields(self.table.Bytes, position)

    def only(self, field: int) -> Fields:
        offset = self._offset(field)
        assert self.table.VectorLen(offset) == 1
        return Fields(self.table.Bytes, self.table.Indirect(self.table.Vector(offset)))

    def floats(self, field: int) -> list[float]:
        numbers = self.table.GetVectorAsNumpy(number_types.Float32Flags, self._offset(field))
        return [float(number) for number in numbers]


def standard_metadata(model: bytes) -> Fields:
    unpacked = unpack(model)
    (entry,) = [entry for entry in unpacked.metadata if entry.name == b"TFLITE_METADATA"]
    data = bytes(unpacked.buffers[entry.buffer].data)
    assert data[4:8] == b"M001"
    return Fields(data, int.from_bytes(data[:4], "little"))


def test_the_standard_metadata_says_what_pictures_and_labels_are(models: Path) -> None:
    file = modelfile.read(models / "halves.float32.tflite")
    root = standard_metadata(annotate(file.data, spec_of(file)))
    assert root.text(0) == spec_of(file).name
    assert root.text(7) == "1.0.0"  # oldest parser
    graph = root.only(3)
    image, scores = graph.only(2), graph.only(3)
    assert image.sub(3).byte(0) == 2  # content: ImageProperties
    assert image.sub(3).sub(1).byte(0) == 2  # colour: grey
    assert image.only(4).byte(0) == 1  # process unit: NormalizationOptions
    assert image.only(4).sub(1).floats(0) == [0.0]  # mean
    assert image.only(4).sub(1).floats(1) == [255.0]  # std
    assert image.sub(5).floats(0) == [1.0]  # largest value
    assert image.sub(5).floats(1) == [0.0]  # smallest value
    labels = scores.only(6)
    assert (labels.text(0), labels.byte(2)) == ("labels.txt", 2)  # TENSOR_AXIS_LABELS


def test_the_labels_it_names_are_in_the_sealed_file(models: Path, tmp_path: Path) -> None:
    file = modelfile.read(models / "halves.int8.tflite")
    sealed = tmp_path / "it.tflite"
    sealed.write_bytes(
        modelfile.seal_tflite(annotate(file.data, spec_of(file)), spec_of(file), None)
    )
    with zipfile.ZipFile(sealed) as archive:
        labels = archive.read("labels.txt").decode().splitlines()
        methods = {entry.compress_type for entry in archive.infolist()}
    assert labels == list(spec_of(file).labels)
    assert methods == {zipfile.ZIP_STORED}  # MediaPipe reads no other


@pytest.mark.parametrize(
    ("name", "limits"),
    [("colours.int8.tflite", ([0.0], [255.0])), ("colours.float32.tflite", None)],
)
def test_normalisation_is_in_pixel_units_for_quantized_models_too(
    models: Path, name: str, limits: tuple[list[float], list[float]] | None
) -> None:
    file = modelfile.read(models / name)
    spec = ModelSpec("it", spec_of(file).labels, RGB, "logits")
    image = standard_metadata(annotate(file.data, spec)).only(3).only(2)
    assert image.sub(3).sub(1).byte(0) == 1  # colour: RGB
    assert image.only(4).sub(1).floats(0) == [127.5, 120.0, 100.0]
    assert image.only(4).sub(1).floats(1) == [127.5, 60.0, 50.0]
    lowest, highest = limits or ([-1.0, -2.0, -2.0], [1.0, 2.25, 3.1])
    assert image.sub(5).floats(1) == pytest.approx(lowest)
    assert image.sub(5).floats(0) == pytest.approx(highest)


# --- The last layer of integer models ------------------------------------------------------------


def test_logits_with_a_long_tail_get_a_narrower_range() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 3, (300, 10)).astype(np.float32)
    logits[:, 0] -= 70  # a class that is never meant
    low, high = tflite_head.best_range(logits)
    assert logits.min() / 2 < low < 0 < high <= logits.max()


def test_the_range_keeps_the_probabilities_better_than_the_extremes_do() -> None:
    logits = np.random.default_rng(0).normal(-10, 12, (300, 10)).astype(np.float32)

    def loss(limits: tuple[float, float]) -> float:
        wanted = probabilities(logits, "logits")
        return tflite_head._divergence(wanted, tflite_head._quantized(logits, limits))

    assert loss(tflite_head.best_range(logits)) < loss((float(logits.min()), float(logits.max())))


def test_a_range_always_holds_zero() -> None:
    low, high = tflite_head.best_range(np.array([[5.0, 9.0]] * 3, np.float32))
    assert low == 0 < high
    low, high = tflite_head.best_range(np.array([[-5.0, -9.0]] * 3, np.float32))
    assert low < 0 == high


def halves(models: Path) -> tuple[modelfile.ModelFile, modelfile.ModelFile]:
    """The integer model and its original."""
    return (
        modelfile.read(models / "halves.int8.tflite"),
        modelfile.read(models / "halves.float32.tflite"),
    )


def calibration_set(
    file: modelfile.ModelFile, original: modelfile.ModelFile, shift: float = 0
) -> CalibrationSet:
    pixels = noise(file, 200)
    scores = answers(original.data, original, pixels) + np.float32(shift)
    manifest = Calibration("noise", len(pixels), "0" * 64)
    return CalibrationSet(pixels, scores, spec_of(file).image, manifest)


def error(model: bytes, file: modelfile.ModelFile, given: CalibrationSet) -> NDArray[np.float32]:
    return answers(model, file, given.pixels) - given.scores


def last_layer(model: Any) -> Any:
    """The operation that gives the logits; a copy of another type may follow."""
    operators = model.subgraphs[0].operators
    dense = schema.BuiltinOperator.FULLY_CONNECTED
    return next(
        each
        for each in reversed(operators)
        if model.operatorCodes[each.opcodeIndex].builtinCode == dense
    )


def with_bias(model: bytes) -> bytes:
    """The same model with a bias of zeros in its last layer."""
    unpacked = unpack(model)
    graph = unpacked.subgraphs[0]
    layer = last_layer(unpacked)
    given, weights = (graph.tensors[index].quantization.scale for index in layer.inputs[:2])
    bias = schema.TensorT()
    bias.name, bias.type, bias.shape = "bias", schema.TensorType.INT32, [len(weights)]
    bias.quantization = schema.QuantizationParametersT()
    bias.quantization.scale = given * weights
    bias.quantization.zeroPoint = [0] * len(weights)
    buffer = schema.BufferT()
    buffer.data = bytes(4 * len(weights))
    bias.buffer = len(unpacked.buffers)
    unpacked.buffers.append(buffer)
    layer.inputs = [*layer.inputs[:2], len(graph.tensors)]
    graph.tensors.append(bias)
    return pack(unpacked)


def test_refining_takes_the_mean_error_out_of_the_logits(models: Path) -> None:
    file, original = halves(models)
    given = calibration_set(file, original, shift=1)  # as if all weights had been rounded down
    model = with_bias(file.data)
    assert np.mean(error(model, file, given)) == pytest.approx(-1, abs=0.1)
    refined = tflite_head.refine(model, spec_of(file), given)
    assert np.mean(error(refined, file, given)) == pytest.approx(0, abs=0.1)


def test_refining_leaves_probabilities_alone(models: Path) -> None:
    file, original = halves(models)
    spec = ModelSpec("it", spec_of(file).labels, spec_of(file).image, "probabilities")
    assert tflite_head.refine(file.data, spec, calibration_set(file, original)) == file.data


def test_refining_leaves_a_layer_with_an_activation_alone(models: Path) -> None:
    file, original = halves(models)
    model = unpack(file.data)
    last_layer(model).builtinOptions.fusedActivationFunction = 1  # RELU
    changed = pack(model)
    assert tflite_head.refine(changed, spec_of(file), calibration_set(file, original)) == changed
