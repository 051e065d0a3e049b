"""`python -m train`: what it refuses, and how."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.errors import UsageError
from train import combinations
from train.cli import main
from train.config import TrainConfig


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """The exit code, and the one line on stderr."""
    code = main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    assert line.startswith("train: error: ")
    return code, line


def test_an_unknown_model_lists_the_choices(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--model", "transformer"])
    assert caught.value.code == 2
    assert "'mlp', 'cnn'" in capsys.readouterr().err


def test_an_unknown_data_set_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, line = fails(capsys, "--dataset", "cifar", "--out", tmp_path / "run")
    assert code == 2
    assert "expected fashion-mnist, mnist, a .npz, a .csv, a folder with a sub-folder" in line


def test_an_existing_run_is_refused_before_the_data_is_even_looked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, line = fails(capsys, "--dataset", "cifar", "--out", tmp_path)
    assert code == 2
    assert f"{tmp_path} exists already; name another place or add --overwrite" in line


def test_a_wrong_digest_is_exit_code_1_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str], idx_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "runs" / "mlp"
    code, line = fails(capsys, "--data", idx_folder, "--out", out)
    assert code == 1
    assert "is not the file expected" in line
    assert not out.parent.exists()


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--epochs", 0, "--epochs is 0, expected 1 or more"),
        ("--batch-size", -1, "--batch-size is -1, expected 1 or more"),
        ("--limit", 0, "--limit is 0, expected 1 or more"),
        ("--learning-rate", 0, "--learning-rate is 0.0, expected more than 0"),
        ("--label-smoothing", 1, "--label-smoothing is 1.0, expected 0 to below 1"),
        ("--weight-decay", -0.1, "--weight-decay is -0.1, expected 0 or more"),
        ("--average", 1, "--average is 1.0, expected 0 to below 1"),
        ("--sure", 1, "--sure is 1.0, expected 0 to below 1"),
        ("--erase", 2, "--erase is 2.0, expected 0 to 1"),
        ("--units", "64,0", "--units is 0, expected 1 or more"),
        ("--widths", "8,16", "--widths is for --model ds-cnn, resnet, ds-resnet, not for mlp"),
        ("--seed", -1, "--seed is -1, expected 0 to 4294967295"),
    ],
)
def test_a_senseless_number_is_refused(
    capsys: pytest.CaptureFixture[str], flag: str, value: float | str, words: str
) -> None:
    code, line = fails(capsys, f"{flag}={value}")
    assert code == 2
    assert words in line


def test_without_tensorflow_the_error_says_what_to_install(
    idx_folder: Path, tmp_path: Path
) -> None:
    code = (
        "import sys; sys.modules['tensorflow'] = None;"
        "from train.cli import main; raise SystemExit(main(sys.argv[1:]))"
    )
    arguments = ["--dataset", str(idx_folder), "--out", str(tmp_path / "runs" / "mlp")]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].endswith(
        "run `pip install '.[train]'` in edgeproof's folder"
    )
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_the_recorded_command_repeats_the_config() -> None:
    config = TrainConfig(model="cnn", augment=True, limit=200, data=Path("my data"), epochs=10)
    assert config.command(Path("runs/cnn")) == (
        "python -m train --dataset fashion-mnist --data 'my data' --model cnn --epochs 10 "
        "--augment --limit 200 --out runs/cnn"
    )


def test_blocks_are_one_number_or_one_a_stage() -> None:
    with pytest.raises(UsageError, match="--blocks has 2 numbers, expected 1 or one for each of 3"):
        TrainConfig(model="resnet", widths=(8, 16, 32), blocks=(1, 2))


def test_a_switch_that_is_off_is_recorded_as_such() -> None:
    command = TrainConfig(rescale=False, stop_loss=0.3).command(Path("runs/mlp"))
    assert command.endswith("--stop-loss 0.3 --no-rescale --out runs/mlp")


@pytest.mark.parametrize("other", [{}, {"model": "transfer"}, {"quantize": Path("runs/resnet")}])
def test_muon_is_refused_where_no_batch_normalisation_learns(other: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="--optimizer muon keeps the length of kernels"):
        TrainConfig(optimizer="muon", **other)


def test_a_setting_that_does_nothing_is_named() -> None:
    recipe = TrainConfig(augment=True, erase=0.1, teacher=(Path("runs/base"),), versions=4)
    assert not list(combinations.idle(recipe))
    assert list(combinations.idle(replace(recipe, augment=False, teacher=None))) == [
        "--versions does nothing without --teacher and --augment",
        "--erase does nothing without --augment",
    ]


def test_the_command_of_a_quantized_run_names_no_other_model() -> None:
    quantized = TrainConfig(quantize=Path("runs/resnet"), epochs=2)
    assert "--model" not in quantized.command(Path("runs/resnet-int8"))
    with pytest.raises(UsageError, match="--quantize trains its run's model; leave --model out"):
        TrainConfig(model="resnet", quantize=Path("runs/resnet"))


def test_a_backbone_is_for_transfer_unless_another_model_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    backbone = ["--backbone", "mobilenetv3small", "--dataset", "none", "--out", tmp_path / "run"]
    assert "there is no data set" in fails(capsys, *backbone)[1]
    assert (
        "--backbone is for --model transfer, not for cnn"
        in fails(capsys, *backbone, "--model", "cnn")[1]
    )


def test_a_config_is_checked_without_the_command_line_too() -> None:
    with pytest.raises(UsageError, match="--epochs is 0"):
        TrainConfig(epochs=0)


def test_start_and_quantize_are_not_for_the_same_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--quantize", "a", "--start", "b", "--out", str(tmp_path / "on")]) == 2
    assert "leave --start out" in capsys.readouterr().err
