"""What is done about int8 files outside their limits."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime import modelfile
from edge_runtime.spec import Parity
from export import ExportReport, VariantReport, export
from export.cli import main
from export.formats.layers import Layer, Operation, Spread, ranked
from export.repair import mended, names, replaced, substitutes
from export.variants import USUAL, VARIANTS, Variant, select

FAILED = VariantReport(
    "it.int8.tflite",
    "tflite",
    "int8",
    published=False,
    problems=("agrees on 50.00% of the pictures, less than 99.00%",),
    parity=Parity(1000, 0.5, 0.9),
    model_bytes=10_000,
)
OPERATIONS = [
    Operation("a", ("image",), "a", 100, "net/first_1/Relu"),
    Operation("pool", ("a",), "pool", 0, "net/pool_1"),
    Operation("b", ("pool",), "b", 200, "net/second_1/Relu;net/second_1/MatMul"),
    Operation("c", ("b",), "c", 4000, "net/third_1/MatMul"),
]
LAYERS = ranked(
    OPERATIONS, {"a": 0.6, "pool": 0.3, "b": 0.1, "c": 0.0}, ("first", "second", "third")
)


def test_what_surrounds_a_layer_is_found_in_time_in_a_net_of_shortcuts() -> None:
    # Each of 60 shortcuts doubles the ways through the net. Kernels that are computed, as those of a
    # quantization-aware model are, are no weights of an operation's own.
    shortcuts = []
    for number in range(60):
        before = f"sum {number}"
        shortcuts += [
            Operation(f"branch {number}", (before,), f"branch {number}", 0),
            Operation(f"sum {number + 1}", (before, f"branch {number}"), f"sum {number + 1}", 0),
        ]
    net = [Operation("first", ("image",), "sum 0", 100), *shortcuts]
    (layer,) = ranked(net, {"sum 30": 0.5}, ())
    assert layer.operations == tuple(net)


def drowned(values: NDArray[np.float32], low: float, high: float) -> float:
    spread = Spread()
    for batch in np.array_split(values, 7):
        spread.add(batch)
    return spread.noise(low, high)


def test_a_weak_channel_beside_a_strong_one_drowns() -> None:
    strong = np.random.default_rng(0).normal(0, 1, (500, 2)).astype(np.float32)
    weak = strong * np.array([1, 1e-4], np.float32)
    assert drowned(strong, -4, 4) < 0.001
    assert drowned(weak, -4, 4) == pytest.approx(0.5, abs=0.01)  # one of the two


def test_a_channel_that_never_changes_has_nothing_to_lose() -> None:
    values = np.random.default_rng(0).normal(0, 1, (500, 2)).astype(np.float32)
    values[:, 1] = 0.1  # whose sum of 500 is not 50
    assert drowned(values, -4, 4) < 0.01
    assert drowned(np.ones((10, 2), np.float32), 0, 1) == 0


def test_a_single_number_is_a_channel() -> None:
    spread = Spread()
    for value in (1.0, 3.0):
        spread.add(np.array(value, np.float32))
    assert spread.limits == (1, 3)
    assert 0 < spread.noise(0, 3) < 1e-4


def test_batches_join_to_the_variance_of_the_whole() -> None:
    values = np.random.default_rng(0).normal(50, 3, (100, 5, 4)).astype(np.float32)
    noise = (60 / 255) ** 2 / 12
    expected = np.mean(noise / (noise + values.astype(np.float64).var(axis=(0, 1))))
    assert drowned(values, 0, 60) == pytest.approx(float(expected), rel=1e-9)


def test_a_layer_is_all_that_must_be_in_floats_for_its_tensor_to_stay_whole() -> None:
    assert [layer.title for layer in LAYERS] == ["first", "pool", "second", "third"]
    first, pool, second, third = (names([layer]) for layer in LAYERS)
    assert first == pool == {"a", "pool", "b"}
    assert second == {"b", "c"}
    assert third == {"c"}


def attempting(good: int, tried: list[Sequence[Layer]]) -> Callable[[Sequence[Layer]], Any]:
    """Makes files that are within their limits from the `good`th attempt on."""

    def attempt(chosen: Sequence[Layer]) -> VariantReport:
        tried.append(chosen)
        return replace(FAILED, published=len(tried) >= good, model_bytes=12_345)

    return attempt


def test_the_worst_layers_go_first_and_the_report_says_what_they_cost() -> None:
    tried: list[Sequence[Layer]] = []
    report = mended(FAILED, LAYERS, attempting(2, tried))
    assert [len(chosen) for chosen in tried] == [1, 2]
    assert report.published
    assert report.repair is not None
    assert report.repair.kept_float == {"first": 0.6, "pool": 0.3}
    assert report.repair.before == FAILED.parity
    assert str(report.repair) == (
        "keeps first (rounding drowned 60% of it), pool (rounding drowned 30% of it) and what reads "
        "them in floats, 7% of the weights: +2,345 bytes; all in int8, "
        "agrees on 50.00% of the pictures, less than 99.00%"
    )


def test_a_file_with_most_weights_in_floats_is_no_repair() -> None:
    tried: list[Sequence[Layer]] = []
    assert not mended(FAILED, LAYERS, attempting(99, tried)).published
    assert [len(chosen) for chosen in tried] == [1, 2]  # the third layer holds 97 % of the weights


def test_other_precisions_follow_in_their_order_unless_they_are_made_anyway() -> None:
    (int8,) = select(["int8.tflite"])
    instead = [variant.precision for variant in substitutes(int8, (int8,))]
    assert instead == ["int16x8", "dynamic", "float16"]
    assert [variant.precision for variant in substitutes(int8, USUAL)] == ["int16x8"]
    assert substitutes(int8, VARIANTS) == ()
    report = replaced(FAILED, select(["dynamic"]), lambda _: replace(FAILED, published=True))
    assert report.repair is not None
    assert report.repair.instead_of == "it.int8.tflite"
    assert str(report.repair).startswith("takes the place of it.int8.tflite: ")
    assert mended(FAILED, (), attempting(99, [])) == FAILED  # nothing could be tried


def test_what_was_tried_in_vain_is_said_with_its_reasons() -> None:
    reason = FAILED.problems[0]
    failed = mended(FAILED, LAYERS, attempting(99, []))
    layers = (f"its worst layer in floats ({reason})", f"its 2 worst layers in floats ({reason})")
    assert failed.repair is not None
    assert failed.repair.tried == layers
    assert replace(failed, repair=None) == FAILED

    def other(variant: Variant) -> VariantReport:
        file = f"it.{variant.name}"
        return replace(FAILED, file=file, published=variant.precision == "float16")

    still = replaced(failed, select(["int16x8"]), other)
    assert (still.file, still.published) == (FAILED.file, False)
    assert str(still.repair) == (
        f"was not mended by {layers[0]}; nor by {layers[1]}; "
        f"nor by it.int16x8.tflite in its place ({reason})"
    )
    substitute = replaced(failed, [*select(["int16x8"]), *select(["float16"])], other)
    assert substitute.repair is not None
    assert substitute.repair.attempts == 4
    words = f"takes the place of it.int8.tflite, not mended by {layers[0]}; nor by "
    assert str(substitute.repair).startswith(words)


# --- for real --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wide(trained: Path, pictures: Callable[..., Any], tmp_path_factory: Any) -> Path:
    """A run directory of a net with depthwise layers, half of whose channels are very weak.

    What one layer makes weaker the next makes stronger, so that the net says what it said before.
    """
    run = shutil.copytree(trained, tmp_path_factory.mktemp("runs") / "wide")
    spec = modelfile.read_keras_spec(run / "model.keras")
    assert spec is not None
    _train_depthwise(run / "bare.keras", *pictures(4000, seed=5))
    content = (run / "bare.keras").read_bytes()
    (run / "model.keras").write_bytes(modelfile.add_keras_spec(content, spec))
    return run


def _train_depthwise(path: Path, images: Any, labels: Any) -> None:
    import keras

    keras.utils.set_random_seed(2)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="strong-and-weak"),
            layers.DepthwiseConv2D(3, activation="relu", name="depthwise"),
            layers.Conv2D(32, 3, activation="relu", name="last-convolution"),
            layers.Flatten(),
            layers.Dense(32, activation="relu", name="dense"),
            layers.Dense(4, name="logits"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    model.fit(images / np.float32(255), labels, epochs=4, verbose=0)
    strength = np.where(np.arange(16) % 2, 1.0, 1e4).astype(np.float32)
    kernel, bias = model.get_layer("strong-and-weak").get_weights()
    model.get_layer("strong-and-weak").set_weights([kernel * strength, bias * strength])
    kernel, bias = model.get_layer("depthwise").get_weights()
    model.get_layer("depthwise").set_weights([kernel / strength[:, None], bias])
    model.save(path)


@pytest.fixture(scope="module")
def repaired(wide: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ExportReport]:
    out = tmp_path_factory.mktemp("exported") / "wide"
    return out, export(wide, out=out, variants=select(["int8"]))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tflite", "onnx"])
def test_a_model_that_int8_spoils_is_repaired_with_most_weights_still_int8(
    repaired: tuple[Path, ExportReport], kind: str
) -> None:
    out, report = repaired
    (made,) = [variant for variant in report.variants if variant.format == kind]
    assert made.published
    assert made.repair is not None
    assert made.repair.before is not None
    assert made.parity is not None
    assert made.repair.before.agreement < 0.99 <= made.parity.agreement
    assert next(iter(made.repair.kept_float)) == "strong-and-weak"
    assert made.repair.float_weights < 0.2
    assert abs(made.repair.extra_bytes) < 2000
    spec = modelfile.read(out / made.file).spec
    assert spec is not None
    assert spec.variant is not None
    assert spec.variant.kept_float == tuple(made.repair.kept_float)


@pytest.mark.slow
def test_the_repaired_file_still_takes_raw_pixels_and_stores_most_weights_as_integers(
    repaired: tuple[Path, ExportReport],
) -> None:
    from ai_edge_litert.interpreter import Interpreter

    content = (repaired[0] / "halves.int8.tflite").read_bytes()
    interpreter = Interpreter(model_content=content)
    (image,) = interpreter.get_input_details()
    assert (image["dtype"], image["quantization"]) == (np.uint8, (pytest.approx(1 / 255), 0))
    shapes = {tuple(each["shape"]): each["dtype"] for each in interpreter.get_tensor_details()}
    assert shapes[16, 3, 3, 1] == np.float32  # the layer that was kept
    assert shapes[32, 3, 3, 16] == shapes[32, 512] == np.int8


@pytest.mark.slow
def test_without_repair_the_file_is_left_out(
    wide: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main([str(wide), "--out", str(out), "--only", "int8.tflite", "--no-repair"]) == 1
    assert "halves.int8.tflite is left out" in capfd.readouterr().out
    (made,) = json.loads((out / "export.json").read_text())["variants"]
    assert made["repair"] is None
    assert not list(out.glob("*.tflite"))


@pytest.mark.slow
def test_where_no_layer_is_to_blame_another_precision_takes_over(
    trained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = shutil.copytree(trained, tmp_path / "spoilt")
    np.savez(run / "calibration.npz", images=np.tile(np.uint8([0, 255]), (20, 8, 4))[..., None])
    out = tmp_path / "out"
    assert main([str(run), "--out", str(out), "--only", "int8.tflite"]) == 0
    said = capfd.readouterr().out
    assert "halves.int16x8.tflite takes the place of halves.int8.tflite: " in said
    assert [path.name for path in out.glob("*.tflite")] == ["halves.int16x8.tflite"]
