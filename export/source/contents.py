"""What a Keras file holds, looked at before Keras reads it: how it is built, and how large it gets.

Loading is not isolated in a process of its own: TensorFlow takes seconds to start. So what can make
a small file cost gigabytes, read other files or run code is refused here.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

from edge_runtime import modelfile
from edge_runtime.errors import ModelError

Kind = Literal["keras", "h5", "saved-model", "memory"]

_SPARE: Final = 64 << 20  # bytes that any file may unpack to
_RATIO: Final = 20  # times its own size that a larger one may; weights hardly shrink
_LONGEST: Final = 4096  # pixels to a side, as in `edge_runtime.spec`
_SIZES: Final = ("units", "filters", "output_dim", "input_dim", "vocabulary_size", "max_tokens")
_WEIGHTS: Final = "model.weights.h5"
_FAKE_QUANT: Final = "FakeQuantWithMinMaxVars"


def config(path: Path, kind: Kind) -> Any:
    """The JSON that says how the model is built.

    Raises:
        ValueError, KeyError, OSError, zipfile.BadZipFile: there is none that can be read.
    """
    if kind == "keras":
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("config.json"))
    import h5py

    with h5py.File(path) as file:
        found = file.attrs.get("model_config")
    if found is None:
        raise ValueError("it holds weights without a model; save the whole model with `model.save`")
    return json.loads(found)


def rounds(path: Path, kind: Kind) -> bool:
    """Whether the model was trained with rounding in it, and so brings its own ranges.

    A file that cannot be read does not: loading it will say what is wrong with it.
    """
    if kind not in ("keras", "h5"):
        return False
    try:
        return any(
            member.get("class_name") == _FAKE_QUANT for member in _objects(config(path, kind))
        )
    except (*modelfile.ZIP_ERRORS, KeyError):
        return False


def code_in(config: Any) -> Iterator[str]:
    """Names of what in a Keras model's configuration is code, or leads to code, outside Keras.

    Keras' own safe mode has been led around more than once (CVE-2025-1550, CVE-2025-9906), so what
    may appear is decided here, before Keras reads the file.
    """
    for member in _objects(config):
        kind, module = member.get("class_name"), member.get("module")
        if not isinstance(kind, str):
            continue
        inner = member.get("config")
        name = inner.get("name", kind) if isinstance(inner, dict) else kind
        if kind in ("Lambda", "__lambda__"):
            yield f"the layer {name!r} ({kind})"
        elif isinstance(module, str) and module.partition(".")[0] not in ("keras", "builtins"):
            yield f"{module}.{kind}"
        elif member.get("registered_name") and ">" in str(member["registered_name"]):
            yield f"{member['registered_name']}"


def refuse_a_bomb(path: Path, kind: Kind) -> None:
    """Refuse a file that would take far more memory than its size, or that reads other files.

    What is looked at: the archive's own sizes, the shapes of all stored weights, links out of the
    HDF5 file, and the layers' sizes, which cannot exceed the largest weight.

    Raises:
        ModelError: it would; the message says what it claims and what it has.
        ValueError, KeyError, OSError, zipfile.BadZipFile: it cannot be read at all.
    """
    import h5py

    allowed = _SPARE + _RATIO * path.stat().st_size
    weights: Any = path
    if kind == "keras":
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            if unpacked > allowed:
                raise _bomb(path, f"unpacks to {unpacked:,} bytes")
            # Checked again while unpacking: zipfile stops at the size that an entry claims.
            weights = io.BytesIO(archive.read(_WEIGHTS))
    with h5py.File(weights) as file:
        shapes = list(_shapes(path, file))
    stored = sum(size for _, size in shapes)
    if stored > allowed:
        raise _bomb(path, f"claims weights of {stored:,} bytes")
    largest = max((max(shape, default=1) for shape, _ in shapes), default=1)
    limits = {"vector": max(largest, _LONGEST), **dict.fromkeys(_SIZES, largest)}
    for name, size in _sizes(config(path, kind)):
        limit = limits.get(name, _LONGEST)
        if size > limit:
            raise _bomb(path, f"claims {name} of {size:,} where {limit:,} is the most there can be")


def _bomb(path: Path, claim: str) -> ModelError:
    return ModelError(
        f"{path} {claim} and is {path.stat().st_size:,} bytes large; it is damaged or made to "
        "exhaust memory, get it from where it was trained"
    )


def _shapes(path: Path, file: Any) -> Iterator[tuple[tuple[int, ...], int]]:
    """Shape and size in bytes of every array in an HDF5 file, which must be in the file itself."""
    import h5py

    links: list[tuple[str, Any]] = []
    file.visititems_links(lambda name, link: links.append((name, link)))
    for name, link in links:
        if isinstance(link, h5py.ExternalLink):
            raise ModelError(f"{path} reads another file, {link.filename}; it is not to be trusted")
        found = file.get(name)
        if isinstance(found, h5py.Dataset):
            if found.external or found.is_virtual:
                raise ModelError(f"{path} keeps {name} in another file; it is not to be trusted")
            yield found.shape or (), found.nbytes


def _sizes(config: Any) -> Iterator[tuple[str, int]]:
    """How large layers say they are, and pictures."""
    for member in _objects(config):
        for name in _SIZES:
            if isinstance(size := member.get(name), int):
                yield name, size
        for name in ("batch_shape", "batch_input_shape"):
            shape = member.get(name)
            sizes = shape if isinstance(shape, list) else []
            # What goes into an inner model may be features, as many as a layer has weights for.
            kind = "vector" if len(sizes) == 2 else name
            yield from ((kind, size) for size in sizes if isinstance(size, int))


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON document, outer ones first."""
    if isinstance(config, dict):
        yield config
    members = config.values() if isinstance(config, dict) else config
    for member in members if isinstance(config, dict | list) else ():
        yield from _objects(member)
