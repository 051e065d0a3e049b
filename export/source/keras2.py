"""What Keras 2 wrote into its HDF5 files that Keras 3 no longer understands, put into its words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


@contextmanager
def readable(path: Path) -> Iterator[Path]:
    """An `.h5` file that Keras 3 can load: the file itself, or a mended copy of an old one."""
    import h5py

    with h5py.File(path) as file:
        version = _text(file.attrs.get("keras_version", b"3"))
    if version.partition(".")[0] not in ("1", "2"):
        yield path
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        with h5py.File(copy, "r+") as file:
            config = json.loads(_text(file.attrs["model_config"]))
            file.attrs["model_config"] = json.dumps(mended(config))
        yield copy


def mended(config: Any) -> Any:
    """A model's configuration without what Keras 3 trips over, nested models included."""
    if isinstance(config, list):
        return [mended(member) for member in config]
    if not isinstance(config, dict):
        return config
    config = {key: mended(member) for key, member in config.items()}
    match config:
        case {"class_name": "DepthwiseConv2D", "config": {"groups": _}}:
            del config["config"]["groups"]  # Keras 3 has no such setting; it was always 1
        case {"class_name": "BatchNormalization", "config": {"axis": [axis]}}:
            config["config"]["axis"] = axis  # Keras 3 wants the number, and says so in inner models
        case {"class_name": "Sequential", "config": {"layers": [first, *_]}}:
            shape = first.get("config", {}).pop("batch_input_shape", None)
            if shape is not None:
                # Keras 3 takes it for the shape without the batch, and adds the batch again.
                image = {"batch_shape": shape, "dtype": "float32", "name": "image"}
                inputs = {"class_name": "InputLayer", "config": image}
                rest = [layer for layer in config["config"]["layers"] if not _is_input(layer)]
                config["config"]["layers"] = [inputs, *rest]
        case _:
            pass
    return config


def _is_input(layer: Any) -> bool:
    return isinstance(layer, dict) and layer.get("class_name") == "InputLayer"


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
