"""TOML files of settings: what they may hold, and how mistakes are answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_runtime.errors import InputError, UsageError
from edge_runtime.spec import ImageInput
from scripts.reference_check import GOALS
from train import recipe
from train.cli import main
from train.config import TrainConfig

ROOT = Path(__file__).parents[2]


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "config",
    [
        TrainConfig(),
        TrainConfig(
            dataset='my "own" bilder/ü',
            data=Path("there"),
            model="resnet",
            widths=(8, 16),
            blocks=(2,),
            learning_rate=1e-5,
            augment=True,
            limit=50,
            teacher=(Path("runs/a"), Path("runs/b")),
        ),
    ],
)
def test_a_written_recipe_is_read_back_as_it_was(config: TrainConfig, tmp_path: Path) -> None:
    path = written(tmp_path / "train.toml", recipe.write(config))
    assert TrainConfig(**recipe.read(path)) == config


def test_keys_may_be_spelt_like_flags_or_like_fields_and_whole_numbers_are_numbers(
    tmp_path: Path,
) -> None:
    text = "batch-size = 8\nlearning_rate = 1\n"
    assert recipe.read(written(tmp_path / "a.toml", text)) == {"batch_size": 8, "learning_rate": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epoch = 3", "unknown key 'epoch'; did you mean 'epochs'?"),
        ("label_smothing = 0.1", "did you mean 'label-smoothing'?"),
        ("xyzzy = 1", "expected one of augment, average, backbone, batch-size"),
        ('epochs = "3"', "epochs is '3', expected a whole number"),
        ("epochs = true", "epochs is True, expected a whole number"),
        ("augment = 1", "augment is 1, expected true or false"),
        ("widths = 8", "widths is 8, expected a list"),
        ('model = "vgg"', "model is 'vgg', expected one of mlp, cnn"),
    ],
)
def test_a_mistake_in_a_recipe_is_answered_with_what_was_expected(
    text: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        recipe.read(written(tmp_path / "a.toml", text))
    assert words in str(caught.value)


def test_a_file_that_is_no_toml_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not valid TOML"):
        recipe.read(written(tmp_path / "a.toml", "epochs"))
    with pytest.raises(InputError, match="cannot read"):
        recipe.read(tmp_path / "none.toml")


def test_flags_go_before_the_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "a.toml", 'dataset = "no-such-set"\nepochs = 0\n')
    assert main(["--config", str(path), "--out", str(tmp_path / "run")]) == 2
    assert "--epochs is 0" in capsys.readouterr().err
    assert main(["--config", str(path), "--epochs", "3", "--out", str(tmp_path / "run")]) == 2
    assert "there is no data set 'no-such-set'" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("name", GOALS)
def test_the_reference_models_are_recipes_known_by_name(name: str) -> None:
    config = TrainConfig(**recipe.read(recipe.find(name)))
    assert [each.name for each in config.teacher or ()] == ["teacher"]
    from train import models

    image = ImageInput(28, 28, "gray", mean=(0.0,), std=(255.0,))
    assert models.build(config, image, 10).count_params() <= GOALS[name].parameters


@pytest.mark.parametrize("name", ["nano", "small", "base"])
def test_the_shipped_models_were_trained_by_their_recipes(name: str) -> None:
    trained = json.loads((ROOT / "export/reference" / name / "train.json").read_text())
    assert TrainConfig(**recipe.read(recipe.find(name))).repeats(trained["config"])


@pytest.mark.parametrize("name", ["teacher-1", "teacher-2", "teacher-3", "teacher"])
def test_what_they_learn_from_was_trained_by_its_recipe(name: str) -> None:
    trained = json.loads((ROOT / "docs/reports" / name / "train.json").read_text())
    assert TrainConfig(**recipe.read(recipe.find(name))).repeats(trained["config"])


def test_a_shipped_teacher_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (teacher,) = recipe.read(recipe.find("small"))["teacher"]
    assert (teacher / "model.keras").is_file()


def test_an_unknown_recipe_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", "huge"]) == 1
    assert "no file huge; expected a TOML file or one of base, nano, pictures, small, " in (
        capsys.readouterr().err
    )
