"""Finding, checking and splitting data sets."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_runtime import modelfile
from edge_runtime.errors import InputError, UsageError
from train import prepare
from train.cli import main
from train.config import TrainConfig
from train.datasets import load, sources

FASHION = sources.KNOWN["fashion-mnist"]


def test_a_folder_of_idx_files_becomes_three_splits(idx_folder: Path) -> None:
    dataset = load(str(idx_folder))

    assert dataset.name == "my-pictures"
    assert dataset.labels == ("0", "1", "2")
    assert (dataset.image.height, dataset.image.width, dataset.image.color) == (8, 6, "gray")
    assert dataset.train.images.shape == (48, 8, 6, 1)  # a fifth went to validation
    assert dataset.validation.images.shape == (12, 8, 6, 1)
    assert dataset.test.images.shape == (20, 8, 6, 1)
    assert dataset.train.images.dtype == np.uint8
    assert np.bincount(dataset.validation.labels).tolist() == [4, 4, 4]
    plain = (idx_folder / sources.TEST_LABELS).read_bytes()
    assert dataset.sha256[sources.TEST_LABELS] == hashlib.sha256(plain).hexdigest()


def test_training_and_validation_together_are_all_training_pictures(idx_folder: Path) -> None:
    dataset = load(str(idx_folder))
    together = [*dataset.train.images, *dataset.validation.images]
    whole = load(str(idx_folder), validation=0).train.images
    assert sorted(image.tobytes() for image in together) == sorted(i.tobytes() for i in whole)


def test_the_split_is_the_same_each_time_and_differs_by_seed(idx_folder: Path) -> None:
    first, again, other = (load(str(idx_folder), seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first.validation.images, again.validation.images)
    assert not np.array_equal(first.validation.images, other.validation.images)


def test_labels_txt_names_the_classes(idx_folder: Path) -> None:
    (idx_folder / "labels.txt").write_text("Hut\nSchuh\nStrümpfe\n", encoding="utf-8")
    assert load(str(idx_folder)).labels == ("Hut", "Schuh", "Strümpfe")


def test_a_byte_order_mark_is_no_part_of_a_name(idx_folder: Path) -> None:
    (idx_folder / "labels.txt").write_text("Hut\nSchuh\nRock\n", encoding="utf-8-sig")
    assert load(str(idx_folder)).labels == ("Hut", "Schuh", "Rock")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("hat\nhat\nshoe\n", "labels must differ from each other"),
        ("hat\nshoe\nhigh\theel\n", "label 'high.theel' must be 1 to 200 printable characters"),
        (f"hat\nshoe\n{'o' * 201}\n", "must be 1 to 200 printable characters"),
    ],
)
def test_names_that_no_model_file_takes_are_refused_before_the_training(
    idx_folder: Path, names: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (idx_folder / "labels.txt").write_text(names)
    assert main(["--dataset", str(idx_folder), "--out", str(tmp_path / "run")]) == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert "labels.txt: " in told
    assert re.search(words, told)


def test_a_changed_labels_txt_is_another_data_set(idx_folder: Path) -> None:
    origins = [prepare.job(TrainConfig(dataset=str(idx_folder))).origins]
    for names in ("hat\nshoe\nskirt\n", "shoe\nhat\nskirt\n"):
        (idx_folder / "labels.txt").write_text(names)
        origins.append(prepare.job(TrainConfig(dataset=str(idx_folder))).origins)
    assert origins[0]["files"].keys() == set(sources.FILES)
    assert all(one != other for one, other in itertools.combinations(origins, 2))


@pytest.mark.slow
def test_a_run_is_not_taken_for_one_with_other_names(
    idx_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    given = ["--dataset", str(idx_folder), "--units", "8", "--epochs", "1", "--out", str(out)]
    (idx_folder / "labels.txt").write_text("hat\nshoe\nskirt\n")
    assert main(given) == 0
    assert main([*given, "--resume"]) == 0
    assert "is finished already" in capsys.readouterr().out
    (idx_folder / "labels.txt").write_text("shoe\nhat\nskirt\n")
    assert main([*given, "--resume"]) == 2
    assert f"{out} exists already" in capsys.readouterr().err


def test_too_few_names_are_an_error(idx_folder: Path) -> None:
    (idx_folder / "labels.txt").write_text("hat\nshoe\n")
    with pytest.raises(InputError, match="labels go up to 2 but there are 2 class names"):
        load(str(idx_folder))


def test_a_limit_keeps_the_other_splits_whole(idx_folder: Path) -> None:
    limited = load(str(idx_folder)).limited(9)
    assert np.bincount(limited.train.labels).tolist() == [3, 3, 3]
    assert (len(limited.validation), len(limited.test)) == (12, 20)


def test_a_limit_keeps_a_picture_of_every_class(idx_folder: Path) -> None:
    dataset = load(str(idx_folder))
    rare = np.flatnonzero((dataset.train.labels == 0) | (np.arange(48) < 6))
    uneven = replace(dataset, train=dataset.train.take(rare))
    assert uneven.train.counts(3) == [16, 2, 2]
    assert uneven.limited(3).train.counts(3) == [1, 1, 1]
    assert uneven.limited(10).train.counts(3) == [7, 2, 1]
    assert uneven.limited(99).train.counts(3) == [16, 2, 2]


def test_a_limit_below_the_number_of_classes_is_refused(idx_folder: Path) -> None:
    with pytest.raises(UsageError, match="--limit is 2, expected one per class or more: 3"):
        load(str(idx_folder)).limited(2)


def test_mnist_goes_the_same_way_and_its_digests_are_recorded(idx_folder: Path) -> None:
    dataset = load("mnist", data_dir=idx_folder)
    assert dataset.labels == tuple("0123456789")
    assert set(dataset.sha256) == set(sources.FILES)
    assert not dataset.mirrors  # a mirrored 2 is no 2


@pytest.mark.slow
def test_mnist_can_be_trained_on(idx_folder: Path, tmp_path: Path) -> None:
    given = ["--dataset", "mnist", "--data", str(idx_folder), "--units", "8", "--epochs", "1"]
    assert main([*given, "--out", str(tmp_path / "run")]) == 0
    spec = modelfile.read_keras_spec(tmp_path / "run" / "model.keras")
    assert spec is not None
    assert spec.labels == tuple("0123456789")


def test_other_files_than_fashion_mnists_are_refused_by_digest(idx_folder: Path) -> None:
    with pytest.raises(InputError, match="is not the file expected: the SHA-256 of its content"):
        load("fashion-mnist", data_dir=idx_folder)


def test_one_label_too_few_is_named(idx_folder: Path) -> None:
    labels = idx_folder / sources.TEST_LABELS
    header = bytes([0, 0, 8, 1]) + (19).to_bytes(4, "big")
    labels.write_bytes(header + labels.read_bytes()[8:-1])
    with pytest.raises(
        InputError, match=r"t10k-images.* 20 pictures but the labels have shape \(19,\)"
    ):
        load(str(idx_folder))


def test_labels_in_place_of_pictures_are_named(idx_folder: Path) -> None:
    images = idx_folder / sources.TEST_IMAGES
    images.write_bytes((idx_folder / sources.TEST_LABELS).read_bytes())
    with pytest.raises(InputError, match=r"t10k-images.* shape \(20,\), expected pictures"):
        load(str(idx_folder))


def test_an_incomplete_folder_names_what_it_lacks(idx_folder: Path) -> None:
    (idx_folder / sources.TEST_IMAGES).unlink()
    with pytest.raises(InputError, match="lacks t10k-images-idx3-ubyte"):
        load("fashion-mnist", data_dir=idx_folder)
    with pytest.raises(InputError, match="lacks t10k-images-idx3-ubyte"):
        load(str(idx_folder))


def test_an_unknown_data_set_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no data set 'fashion'; expected fashion-mnist, mnist"):
        load("fashion")


def test_data_with_a_folder_is_a_contradiction(idx_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--data .* is for fashion-mnist and mnist"):
        load(str(idx_folder), data_dir=tmp_path)


def test_the_first_place_with_all_four_files_wins(idx_folder: Path, tmp_path: Path) -> None:
    def never(*_: object) -> None:
        raise AssertionError("nothing is to be fetched")

    half = tmp_path / "half"
    half.mkdir()
    (half / sources.TEST_LABELS).write_bytes(b"")
    places = (tmp_path / "none", half, idx_folder, tmp_path)
    assert sources.locate(FASHION, places, never) == idx_folder


def test_what_is_fetched_goes_to_the_first_place(tmp_path: Path) -> None:
    fetched = []
    places = (tmp_path / "cache", tmp_path / "system")
    folder = sources.locate(FASHION, places, lambda source, to: fetched.append((source, to)))
    assert folder == places[0]
    assert fetched == [(FASHION, places[0])]


def test_where_nothing_can_be_had_the_error_names_all_the_ways(tmp_path: Path) -> None:
    def offline(*_: object) -> None:
        raise OSError("Name or service\n not known")

    with pytest.raises(InputError) as caught:
        sources.locate(FASHION, (tmp_path / "cache",), offline)
    message = str(caught.value)
    assert "sudo apt-get install dataset-fashion-mnist" in message
    assert "python -m train --dataset fashion-mnist --data DIR" in message
    assert "Name or service not known" in message
    assert "a network" in message
    assert "\n" not in message


def test_keras_home_says_where_the_cache_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert sources.usual_places("mnist")[0] == tmp_path / "datasets" / "mnist"


def test_loading_needs_neither_tensorflow_nor_keras(idx_folder: Path) -> None:
    code = (
        "import sys; from train.datasets import load; load(sys.argv[1]);"
        "print([name for name in ('tensorflow', 'keras', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(idx_folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_the_real_fashion_mnist_has_5000_validation_pictures_of_60000(fashion_mnist: Path) -> None:
    dataset = load("fashion-mnist", data_dir=fashion_mnist)

    assert [len(split) for split in (dataset.train, dataset.validation, dataset.test)] == [
        55_000,
        5_000,
        10_000,
    ]
    assert np.bincount(dataset.validation.labels).tolist() == [500] * 10
    assert dataset.sha256 == FASHION.sha256
    assert [dataset.labels[index] for index in dataset.test.labels[:4]] == [
        "Ankle boot",
        "Pullover",
        "Trouser",
        "Trouser",
    ]


@pytest.mark.slow
def test_a_download_leaves_four_whole_files_and_nothing_else(
    idx_folder: Path, tmp_path: Path
) -> None:
    server = tmp_path / "server"
    server.mkdir()
    for name in sources.FILES:
        path = sources.path_of(idx_folder, name)
        assert path is not None
        data = path.read_bytes()
        zipped = data if path.suffix == ".gz" else gzip.compress(data)
        (server / f"{name}.gz").write_bytes(zipped)
    source = sources.Source("mine", url=f"{server.as_uri()}/")
    cache = tmp_path / "cache" / "datasets" / "mine"

    assert sources.locate(source, (cache,), sources.download) == cache

    assert sorted(path.name for path in cache.iterdir()) == sorted(
        f"{name}.gz" for name in sources.FILES
    )
    assert len(load(str(cache)).test) == 20


@pytest.mark.slow
def test_a_download_that_fails_leaves_nothing(tmp_path: Path) -> None:
    source = sources.Source("mine", url=f"{(tmp_path / 'nowhere').as_uri()}/")
    with pytest.raises(InputError, match="mine is not on this machine and cannot be downloaded"):
        sources.locate(source, (tmp_path / "cache",), sources.download)
    assert not list((tmp_path / "cache").iterdir())
