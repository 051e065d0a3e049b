"""Keras files made to exhaust memory, read other files or run code: refused by what they hold."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from edge_runtime.errors import ModelError
from export.source import contents

Fill = Callable[[h5py.File], None]
KERNEL = np.ones((64, 10), np.float32)


def honest(file: h5py.File) -> None:
    file["layers/dense/vars/0"] = KERNEL


def sparse(file: h5py.File) -> None:
    """Claims 4 GB and stores none of it."""
    file.create_dataset("layers/dense/vars/0", (1_000_000, 1000), "f4", chunks=True)


def squeezed(file: h5py.File) -> None:
    file.create_dataset("a", (4000, 10_000), "f4", compression="gzip", fillvalue=0)


def linked(file: h5py.File) -> None:
    file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "/")


def elsewhere(file: h5py.File) -> None:
    file.create_dataset("secret", (10,), "u1", external=[("/etc/passwd", 0, 10)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "data", (4,))
    file.create_virtual_dataset("secret", layout)


def dense(units: int, side: int = 8) -> dict[str, Any]:
    image = {"class_name": "InputLayer", "config": {"batch_shape": [None, side, 8, 1]}}
    layer = {"module": "keras.layers", "class_name": "Dense", "config": {"units": units}}
    return {"class_name": "Sequential", "config": {"layers": [image, layer]}}


def keras_file(path: Path, config: Any, fill: Fill, *, method: int = zipfile.ZIP_STORED) -> Path:
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        fill(file)
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights.getvalue())
    return path


def h5_file(path: Path, config: Any, fill: Fill) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        fill(file)
    return path


def test_an_honest_file_is_let_through(tmp_path: Path) -> None:
    contents.refuse_a_bomb(keras_file(tmp_path / "it.keras", dense(10), honest), "keras")
    contents.refuse_a_bomb(h5_file(tmp_path / "it.h5", dense(10), honest), "h5")


@pytest.mark.parametrize(
    ("fill", "complaint"),
    [
        (sparse, r"claims weights of 4,000,000,000 bytes and is [\d,]+ bytes large"),
        (squeezed, "claims weights of 160,000,000 bytes"),
        (linked, "reads another file, /etc/passwd; it is not to be trusted"),
        (elsewhere, "keeps secret in another file; it is not to be trusted"),
        (virtual, "keeps secret in another file; it is not to be trusted"),
    ],
)
def test_weights_that_are_not_in_the_file_are_refused(
    tmp_path: Path, fill: Fill, complaint: str
) -> None:
    for file, kind in (
        (keras_file(tmp_path / "it.keras", dense(10), fill), "keras"),
        (h5_file(tmp_path / "it.h5", dense(10), fill), "h5"),
    ):
        with pytest.raises(ModelError, match=complaint) as caught:
            contents.refuse_a_bomb(file, kind)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        (dense(10**9), "claims units of 1,000,000,000 where 64 is the most there can be"),
        (dense(10, side=10**6), "claims batch_shape of 1,000,000 where 4,096 is the most"),
    ],
)
def test_layers_larger_than_any_weight_are_refused(
    tmp_path: Path, config: Any, complaint: str
) -> None:
    with pytest.raises(ModelError, match=complaint):
        contents.refuse_a_bomb(h5_file(tmp_path / "it.h5", config, honest), "h5")


def test_features_may_be_as_many_as_a_layer_has_weights_for(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        file.create_dataset("dense/kernel", data=np.zeros((25_088, 2), np.float32))

    inner = {"class_name": "InputLayer", "config": {"batch_shape": [None, 25_088]}}
    config = {"config": {"layers": [inner]}}
    contents.refuse_a_bomb(h5_file(tmp_path / "it.h5", config, fill), "h5")


def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "it.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", bytes(80 << 20))
    with pytest.raises(ModelError, match=r"unpacks to 83,886,082 bytes"):
        contents.refuse_a_bomb(path, "keras")


def test_a_model_that_was_trained_to_round_is_known_by_its_operations(tmp_path: Path) -> None:
    rounding = {"config": {"layers": [{"class_name": "FakeQuantWithMinMaxVars"}]}}
    assert contents.rounds(h5_file(tmp_path / "it.h5", rounding, honest), "h5")
    assert not contents.rounds(h5_file(tmp_path / "no.h5", dense(10), honest), "h5")
    assert not contents.rounds(tmp_path / "missing.keras", "keras")
