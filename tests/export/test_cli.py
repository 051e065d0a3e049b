"""The command line, as far as it goes without TensorFlow."""

from __future__ import annotations

import json
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge_runtime import modelfile
from edge_runtime.errors import EngineError
from edge_runtime.spec import ImageInput, ModelSpec
from export import reference, tools
from export.cli import main, places
from export.variants import VARIANTS, select
from tests.export.conftest import SPEC


def test_list_shows_every_variant_of_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [variant.name for variant in VARIANTS]
    assert all(variant.summary in line for variant, line in zip(VARIANTS, lines, strict=True))


@pytest.mark.parametrize("missing", ["tensorflow", "tf2onnx", "ai_edge_litert", "rich"])
def test_a_missing_package_is_named_with_what_installs_it(
    missing: str,
    shell: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    assert main([str(shell), "--out", str(shell.parent / "out")]) == 3
    name = missing.replace("ai_edge_litert", "ai-edge-litert")
    assert capsys.readouterr().err == (
        f"export: error: {name} is not installed here; run `pip install '.[export]'` in edgeproof's folder\n"
    )


def test_a_package_that_no_chosen_variant_needs_may_be_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    tools.require(select(["tflite"]))
    with pytest.raises(EngineError, match="tf2onnx is not installed"):
        tools.require(select(["onnx"]))


def test_an_existing_output_is_refused_before_anything_else(
    shell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "export.json").write_text("{}")
    assert main([str(shell), "--out", str(out)]) == 2
    assert "exists already; name another place or add --overwrite" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["export.json"]


def test_a_folder_that_is_no_export_is_never_replaced(
    shell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "holiday.jpg").touch()
    assert main([str(shell), "--out", str(photos), "--overwrite"]) == 2
    assert "holds other things" in capsys.readouterr().err
    assert (photos / "holiday.jpg").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nowhere"], 2, "nowhere does not exist; name a run directory"),
        (["RUN", "--only", "int9"], 2, "there is no variant 'int9'; did you mean 'int8'?"),
        (["RUN", "--min-agreement", "99"], 2, "--min-agreement is 99.0, expected 0 to 1"),
        (["RUN", "--max-accuracy-drop", "-1"], 2, "--max-accuracy-drop is -1.0, expected 0 to"),
    ],
)
def test_a_bad_request_is_one_line_and_leaves_nothing(  # noqa: PLR0917
    arguments: list[str],
    code: int,
    words: str,
    shell: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [str(shell) if argument == "RUN" else argument for argument in arguments]
    assert main([*given, "--out", str(tmp_path / "exported" / "it")]) == code
    error = capsys.readouterr().err
    assert error.startswith("export: error: ")
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "exported").exists()


def test_missing_calibration_is_one_line_with_its_own_code(
    shell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shell / "calibration.npz").unlink()
    assert main([str(shell), "--out", str(tmp_path / "it")]) == 1
    assert "calibration.npz does not exist" in capsys.readouterr().err


def test_without_a_model_the_reference_is_exported_under_its_name() -> None:
    assert places(None, None) == (reference.folder("small"), Path("exported/fashion-mnist"))


def test_a_reference_model_is_known_by_name_but_a_folder_of_that_name_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert places(Path("small"), None) == (reference.folder("small"), Path("exported/small"))
    Path("small").mkdir()
    assert places(Path("small"), None) == (Path("small"), Path("exported/small"))


def test_without_an_output_the_run_gives_its_name() -> None:
    assert places(Path("runs/mlp"), None) == (Path("runs/mlp"), Path("exported/mlp"))
    assert places(Path(), None)[1] == Path("exported") / Path.cwd().name
    assert places(Path("runs/mlp"), Path("here"))[1] == Path("here")


def test_a_dry_run_says_what_would_be_made_and_makes_nothing(
    shell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "it"
    assert main([str(shell), "--out", str(out), "--only", "int8", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "file         halves.int8.tflite: " in said
    assert "2,000 to judge by, 200 to calibrate" in said
    assert not out.exists()
    (shell / "calibration.npz").unlink()
    assert main([str(shell), "--out", str(out), "--only", "int8", "--dry-run"]) == 1
    assert "calibration.npz does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("dry", [["--dry-run"], []])
def test_rgb_of_a_run_that_takes_it_anyway_is_refused_before_the_model_is_loaded(
    dry: list[str], shell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = ImageInput(8, 8, "rgb", (0.0,) * 3, (255.0,) * 3)
    write_model(shell / "model.keras", replace(SPEC, image=image))
    assert main([str(shell), "--out", str(tmp_path / "it"), "--rgb", *dry]) == 2
    assert "the model takes RGB as it is; leave --rgb" in capsys.readouterr().err


def test_a_dry_run_names_the_files_as_they_will_be_written(
    shell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, labels = tmp_path / "my net (2).keras", tmp_path / "labels.txt"
    write_model(model)
    labels.write_text("top\nbottom\nleft\nright\n")
    given = [str(model), "--labels", str(labels), "--input-range", "0..1", "--dry-run"]
    assert main([*given, "--evaluation", str(shell), "--only", "float16"]) == 0
    assert "file         my-net-2.float16.tflite: " in capsys.readouterr().out


def test_a_dry_run_leaves_out_what_cannot_be_made(
    shell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model(shell / "model.keras", SPEC, config={"class_name": "FakeQuantWithMinMaxVars"})
    given = [str(shell), "--out", str(tmp_path / "it"), "--dry-run", "--only"]
    (shell / "calibration.npz").unlink()  # which a file that is not made does not need
    assert main([*given, "int16x8,int8.tflite"]) == 0
    said = capsys.readouterr().out
    assert "file         halves.int8.tflite: " in said
    assert "halves.int16x8.tflite" not in said
    assert "note         int16x8.tflite not made: the model was trained with rounding" in said
    assert main([*given, "dynamic"]) == 2
    assert "ask for float32 or int8 files of it" in capsys.readouterr().err


def test_a_dry_run_tells_where_raw_pixels_cannot_go_in(
    shell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = ImageInput(8, 8, "rgb", (124.0, 116.0, 104.0), (58.0, 57.0, 57.0))
    write_model(shell / "model.keras", replace(SPEC, image=image))
    for name in ("evaluation", "calibration"):
        with np.load(shell / f"{name}.npz") as archive:
            images = np.repeat(archive["images"], 3, axis=-1)
        np.savez(shell / f"{name}.npz", images=images)
    given = [str(shell), "--out", str(tmp_path / "it"), "--dry-run"]
    assert main([*given, "--only", "int8.tflite", "--io", "int8"]) == 0
    assert "note         raw pixels cannot go into int8-io-int8.tflite" in capsys.readouterr().out


def write_model(path: Path, spec: ModelSpec | None = None, config: Any = None) -> None:
    """A .keras file without weights: enough for all that is checked before it is loaded."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config or {}))
    if spec is not None:
        path.write_bytes(modelfile.add_keras_spec(path.read_bytes(), spec))


def test_a_dry_run_tells_of_pictures_beside_the_classes(
    shell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in ("top/a.png", "lost.png"):
        (tmp_path / "photos" / place).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 200).save(tmp_path / "photos" / place)
    given = ["--evaluation", str(tmp_path / "photos"), "--only", "float32", "--dry-run"]
    assert main([str(shell), "--out", str(tmp_path / "it"), *given]) == 0
    assert "note         1 picture(s) directly in " in capsys.readouterr().out


def test_verify_wants_an_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path)]) == 2
    assert "holds no export.json; name a folder" in capsys.readouterr().err
    (tmp_path / "export.json").write_text('{"schema": 99}')
    assert main(["verify", str(tmp_path)]) == 1
    assert "is of another version" in capsys.readouterr().err
