"""One suite for every engine: what holds for one model file holds for all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_runtime import machine, modelfile, parallel
from edge_runtime.backends import Backend, open_backend, tflite
from edge_runtime.engines import installed_formats
from edge_runtime.errors import ModelError, UsageError
from edge_runtime.modelfile import ModelFile
from edge_runtime.postprocess import probabilities
from edge_runtime.spec import ImageInput, ModelSpec


def opened(file: ModelFile, num_threads: int = 1) -> Backend:
    return open_backend(file, spec_of(file).image, num_threads=num_threads)


def spec_of(file: ModelFile) -> ModelSpec:
    assert file.spec is not None
    return file.spec


def pictures(file: ModelFile, count: int) -> NDArray[np.uint8]:
    image = spec_of(file).image
    shape = (count, image.height, image.width, image.channels)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_scores_are_float32_one_row_a_picture_one_column_a_label(model_path: Path) -> None:
    file = modelfile.read(model_path)
    scores = opened(file).run(pictures(file, 5))
    assert scores.dtype == np.float32
    assert scores.shape == (5, len(spec_of(file).labels))
    assert np.isfinite(scores).all()


def test_the_same_pictures_give_the_same_scores(model_path: Path) -> None:
    file = modelfile.read(model_path)
    backend, batch = opened(file), pictures(file, 4)
    first = backend.run(batch).copy()
    assert np.array_equal(backend.run(batch), first)
    assert np.array_equal(opened(file).run(batch), first), "and in another session"


@pytest.mark.parametrize("count", [1, 2, 7, 130, 300])
def test_a_batch_is_its_pictures_one_by_one(model_path: Path, count: int) -> None:
    file = modelfile.read(model_path)
    backend, batch = opened(file), pictures(file, count)
    alone = np.concatenate([backend.run(batch[index : index + 1]) for index in range(count)])
    together = backend.run(batch)
    assert together.shape == alone.shape
    assert np.allclose(together, alone, atol=1e-5)
    assert np.array_equal(together.argmax(axis=1), alone.argmax(axis=1))


def test_the_pictures_are_not_changed(model_path: Path) -> None:
    file = modelfile.read(model_path)
    batch = pictures(file, 3)
    before = batch.copy()
    opened(file).run(batch)
    assert np.array_equal(batch, before)


def test_the_scores_given_earlier_are_not_changed_later(model_path: Path) -> None:
    file = modelfile.read(model_path)
    backend, batch = opened(file), pictures(file, 2)
    first = backend.run(batch[:1])
    kept = first.copy()
    backend.run(batch[1:])
    assert np.array_equal(first, kept)


def test_pictures_that_are_views_or_cannot_be_written_are_fine(model_path: Path) -> None:
    file = modelfile.read(model_path)
    backend, batch = opened(file), pictures(file, 6)
    expected = backend.run(batch[::2].copy())
    view = batch[::2]
    view.flags.writeable = False
    assert np.array_equal(backend.run(view), expected)


def test_plain_halves_and_colours_are_told_apart(
    model_path: Path, half: Callable[..., NDArray[np.uint8]]
) -> None:
    file = modelfile.read(model_path)
    labels = spec_of(file).labels
    if spec_of(file).name == "halves":
        batch = np.stack([half(label) for label in labels])[..., None]
    else:
        batch = np.stack([np.full((8, 8, 3), np.eye(3)[index] * 220) for index in range(3)])
    best = opened(file).run(batch.astype(np.uint8)).argmax(axis=1)
    assert [labels[index] for index in best] == list(labels)


def test_both_precisions_and_both_formats_agree(models: Path, model_path: Path) -> None:
    name = model_path.name.split(".")[0]
    file = modelfile.read(model_path)
    original = modelfile.read(models / f"{name}.float32.tflite")
    batch = pictures(file, 50)
    ours, theirs = (opened(f).run(batch) for f in (file, original))
    near = 0.05 if "int8" in model_path.name else 1e-4
    assert np.abs(ours - theirs).max() <= near * np.ptp(theirs), "in real units"
    ours, theirs = (probabilities(scores, "logits") for scores in (ours, theirs))
    assert np.abs(ours - theirs).max() <= 2 * near


@given(
    st.floats(1e-3, 0.1),
    st.integers(-128, 127),
    st.sampled_from((np.int8, np.uint8, np.int16)),
    st.floats(-50, 300),
    st.floats(0.5, 200),
)
def test_a_pixel_is_quantized_to_the_nearest_step(
    scale: float, zero_point: int, kind: type[np.integer[Any]], mean: float, std: float
) -> None:
    image = ImageInput(1, 1, "gray", (mean,), (std,))
    details = {"dtype": kind, "quantization": (scale, zero_point), "name": "input"}
    table = tflite._input_table(image, details)
    pixels = np.arange(256)
    steps = pixels if table is None else table[0].astype(int)
    exact = (pixels - mean) / std / scale + zero_point
    limits = np.iinfo(kind)
    nearest = np.clip(exact, limits.min, limits.max)
    assert np.abs(steps - nearest).max() <= 0.5 + 1e-6 * np.abs(exact).max()


def test_pixels_that_are_the_tensors_values_already_are_passed_on() -> None:
    image = ImageInput(1, 1, "rgb", (0.0,) * 3, (255.0,) * 3)
    details = {"dtype": np.uint8, "quantization": (1 / 255, 0), "name": "input"}
    assert tflite._input_table(image, details) is None


def test_an_integer_tensor_without_a_scale_is_refused() -> None:
    image = ImageInput(1, 1, "gray", (0.0,), (255.0,))
    details = {"dtype": np.int8, "quantization": (0.0, 0), "name": "serving_default_x:0"}
    with pytest.raises(ModelError, match="serving_default_x:0 is integer but has no scale"):
        tflite._input_table(image, details)


def test_eight_threads_at_once_get_their_own_answers(model_path: Path) -> None:
    file = modelfile.read(model_path)
    backend, batch = opened(file), pictures(file, 64)
    expected = backend.run(batch)

    def ask(index: int) -> bool:
        picture = index % len(batch)
        answer = backend.run(batch[picture : picture + 1])[0]
        return bool(np.allclose(answer, expected[picture], atol=1e-5))

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(800)))


def test_a_thread_that_finds_the_engine_at_work_gets_another_one_for_each_core(
    models: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parallel, "cores", lambda: 2)
    file = modelfile.read(models / "halves.int8.tflite")
    backend, batch = opened(file), pictures(file, 1)
    assert isinstance(backend, tflite.TFLiteBackend)
    expected = backend.run(batch)
    at_work = backend._free()
    assert np.array_equal(backend.run(batch), expected)
    also_at_work = backend._free()
    assert also_at_work is not at_work
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(backend.run, batch)
        backend._idle.put(at_work)
        assert np.array_equal(waiting.result(30), expected)
    assert capfd.readouterr().err == ""


def test_where_memory_is_short_one_engine_serves_all_threads(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "cores", lambda: 2)
    monkeypatch.setattr(machine, "memory_bytes", lambda **_: 4000)
    file = modelfile.read(models / "halves.int8.tflite")
    backend, batch = opened(file), pictures(file, 1)
    assert isinstance(backend, tflite.TFLiteBackend)
    at_work = backend._free()
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(backend.run, batch)
        with pytest.raises(TimeoutError):
            waiting.result(0.1)
        backend._idle.put(at_work)
        assert waiting.result(30).shape == (1, 4)


def test_more_threads_inside_an_engine_change_nothing(model_path: Path) -> None:
    file = modelfile.read(model_path)
    batch = pictures(file, 4)
    one, two = (opened(file, count).run(batch) for count in (1, 2))
    assert np.allclose(one, two, atol=1e-5)


@pytest.mark.parametrize("num_threads", [0, -1, 65, 1_000_000])
def test_a_number_of_threads_that_engines_die_of_is_refused(
    model_path: Path, num_threads: int
) -> None:
    with pytest.raises(UsageError, match=rf"num_threads is {num_threads}, expected 1 to 64"):
        opened(modelfile.read(model_path), num_threads)


@pytest.mark.parametrize(
    "wrong", [{"height": 9}, {"width": 7}, {"color": "other"}, {"height": 4, "width": 16}]
)
def test_a_spec_that_does_not_fit_the_tensor_is_refused(
    model_path: Path, wrong: dict[str, Any]
) -> None:
    file = modelfile.read(model_path)
    image = spec_of(file).image
    if wrong == {"color": "other"}:
        other = ("gray", 1) if image.channels == 3 else ("rgb", 3)
        wrong = {"color": other[0], "mean": (0.0,) * other[1], "std": (1.0,) * other[1]}
    mistaken: ImageInput = replace(image, **wrong)
    with pytest.raises(ModelError, match=r"its spec says .*; export it again"):
        open_backend(file, mistaken)


def test_an_engine_that_refuses_a_model_is_a_model_error(model_path: Path) -> None:
    file = replace(modelfile.read(model_path), data=b"this is not a model at all")
    with pytest.raises(ModelError, match="cannot load the model"):
        opened(file)


def test_opening_and_running_prints_nothing(
    model_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = modelfile.read(model_path)
    opened(file).run(pictures(file, 1))
    assert capfd.readouterr() == ("", "")


# --- missing engines ---------------------------------------------------------------------------


def in_a_process_without(packages: tuple[str, ...], code: str) -> subprocess.CompletedProcess[str]:
    """`None` in sys.modules makes an import fail, as if the package were not there."""
    block = f"import sys; sys.modules.update(dict.fromkeys({packages!r}));"
    return subprocess.run(
        [sys.executable, "-c", block + code], capture_output=True, text=True, check=False
    )


CLASSIFY = (
    "from edge_runtime.cli import main;"
    "sys.exit(main(['classify', '--model', {path!r}, {picture!r}]))"
)


@pytest.mark.parametrize(
    ("form", "packages", "command"),
    [
        (
            "tflite",
            ("ai_edge_litert", "tflite_runtime", "tensorflow"),
            "pip install ai-edge-litert",
        ),
        ("onnx", ("onnxruntime",), "pip install onnxruntime"),
    ],
)
def test_a_missing_engine_names_what_to_install(
    models: Path, form: str, packages: tuple[str, ...], command: str
) -> None:
    path = str(models / f"halves.int8.{form}")
    done = in_a_process_without(packages, CLASSIFY.format(path=path, picture="boot.png"))
    assert done.returncode == 3
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "is installed" in line or "is not installed" in line
    assert command in line


def test_without_any_engine_the_default_model_names_what_to_install() -> None:
    engines = ("ai_edge_litert", "tflite_runtime", "tensorflow", "onnxruntime")
    done = in_a_process_without(
        engines, "from edge_runtime.cli import main; sys.exit(main(['classify', 'boot.png']))"
    )
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "no engine is installed; run `pip install" in line


def test_an_engine_that_does_not_start_says_why(models: Path, tmp_path: Path) -> None:
    """As tflite-runtime does under NumPy 2, or where one of its own packages is missing."""
    package = tmp_path / "ai_edge_litert"
    package.mkdir()
    (package / "__init__.py").touch()
    for failure, told in (
        ("raise AttributeError('_ARRAY_API not found')", "(AttributeError: _ARRAY_API not found)"),
        ("import a_package_that_is_missing", "(No module named 'a_package_that_is_missing')"),
    ):
        (package / "interpreter.py").write_text(failure)
        code = f"sys.path.insert(0, {str(tmp_path)!r});" + CLASSIFY.format(
            path=str(models / "halves.int8.tflite"), picture="boot.png"
        )
        done = in_a_process_without(("tflite_runtime", "tensorflow"), code)
        assert done.returncode == 3
        (line,) = done.stderr.splitlines()
        assert f"ai-edge-litert does not start here {told}" in line
        assert "run `pip install" in line


def test_the_formats_that_can_run_are_known_without_importing_an_engine() -> None:
    done = in_a_process_without(
        (),
        "from edge_runtime.engines import installed_formats; print(installed_formats());"
        "print([n for n in ('ai_edge_litert', 'tflite_runtime', 'onnxruntime') if n in sys.modules])",
    )
    assert done.stdout.splitlines() == [str(installed_formats()), "[]"], done.stderr
    assert "tflite" in installed_formats()
    hidden = in_a_process_without(
        ("ai_edge_litert", "tflite_runtime", "tensorflow"),
        "from edge_runtime.engines import installed_formats; print(installed_formats())",
    )
    assert "tflite" not in hidden.stdout
