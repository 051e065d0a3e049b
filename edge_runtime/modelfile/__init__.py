"""Model files as bundles: the spec, labels, golden samples and digest inside `.tflite`, `.onnx`
and `.keras` files. Standard library only, so that all is checked before an engine sees the bytes.

docs/model-file.md is the normative description of what is written here.
"""

from __future__ import annotations

import base64
import binascii
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from typing import Final, get_args

from edge_runtime.errors import DamagedModelError, ModelError, SpecError
from edge_runtime.modelfile import protobuf
from edge_runtime.modelfile.digest import sha256
from edge_runtime.spec import MAX_SPEC_BYTES, Format, ModelSpec

MAX_MODEL_BYTES = 1 << 30
MAX_GOLDEN_BYTES = 64 << 20

# Stands at the head of every sealed file, so that a file cut short is known for what it was.
SEAL_MARK: Final = "edge_runtime.sealed"
_TFLITE_MARK_BYTES = 64  # keeps every alignment that a flatbuffer may ask for

_SPEC, _LABELS, _GOLDEN = "spec.json", "labels.txt", "golden.npz"
_ONNX_PREFIX = "edge_runtime."
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # a fixed date: the same model must give the same bytes
_ZIP_SEAL = b"edge_runtime.sha256="
_DIGEST_LENGTH = 64  # hexadecimal digits of a SHA-256

# What zipfile and the decompressors behind it may raise on bad bytes.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    LZMAError,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
)


@dataclass(frozen=True)
class ModelFile:
    """A model file, read once and checked; engines are given `data`, never the path."""

    path: Path
    format: Format
    data: bytes
    sha256: str  # of the whole file
    sealed: bool  # a digest was inside, and holds
    spec: ModelSpec | None
    golden: bytes | None  # an .npz: `images` uint8 (n, height, width, channels), `scores` float32


def read(path: Path) -> ModelFile:
    """Read and check a `.tflite` or `.onnx` file.

    Raises:
        ModelError: there is no such file, or it is of another kind.
        DamagedModelError: the bytes are not those that were exported.
        SpecError: the spec inside is wrong or too new.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind == "keras":
        raise ModelError(
            f"{path} is a Keras model, not a device file; run `python -m export {path.parent}`"
        )
    if kind not in get_args(Format):
        raise ModelError(f"{path}: expected a .tflite or .onnx file")
    try:
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise ModelError(f"{path} is larger than {MAX_MODEL_BYTES >> 20} MiB")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}; check the path") from error
    if not data:
        raise DamagedModelError(f"{path} is empty; copy it again")
    return _read_tflite(path, data) if kind == "tflite" else _read_onnx(path, data)


def seal_tflite(flatbuffer: bytes, spec: ModelSpec, golden: bytes | None) -> bytes:
    """Append spec, labels, golden samples and digest to a TFLite flatbuffer, and mark its head.

    They form a zip archive behind the flatbuffer, which every TFLite engine ignores; its comment
    is the SHA-256 of all the bytes before it.
    """
    file = io.BytesIO(_marked_tflite(flatbuffer))
    with zipfile.ZipFile(file, "a") as archive:
        _add(archive, _SPEC, spec.to_json().encode())
        _add(archive, _LABELS, "".join(f"{label}\n" for label in spec.labels).encode())
        if golden is not None:
            _add(archive, _GOLDEN, golden)
        archive.comment = _ZIP_SEAL + b"0" * _DIGEST_LENGTH
    body = file.getvalue()[: -len(archive.comment)]
    return body + _ZIP_SEAL + sha256(body).encode()


def seal_onnx(model: bytes, spec: ModelSpec, golden: bytes | None) -> bytes:
    """Join mark, spec, golden samples and digest to a serialized ONNX model as `metadata_props`.

    Protobuf lets the fields of a message stand in any order and a repeated one be appended to the
    bytes, so this needs no `onnx` package.
    """
    body = _onnx_property(SEAL_MARK, "") + model
    body += _onnx_property(_ONNX_PREFIX + "spec", spec.to_json())
    if golden is not None:
        body += _onnx_property(_ONNX_PREFIX + "golden", base64.b64encode(golden).decode())
    return body + _onnx_seal(sha256(body))


def read_keras_spec(path: Path) -> ModelSpec | None:
    """The spec inside a `.keras` file; None when there is none.

    Raises:
        ModelError: the file cannot be read or is no `.keras` archive.
        SpecError: the spec inside is wrong or too new.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            text = _member(archive, _SPEC, MAX_SPEC_BYTES)
    except ZIP_ERRORS as error:
        raise ModelError(f"{path} is not a readable .keras file: {error}") from error
    return None if text is None else _parse(path, text)


def add_keras_spec(keras_file: bytes, spec: ModelSpec) -> bytes:
    """Put the spec into the bytes of a `.keras` archive, which Keras still loads."""
    file = io.BytesIO(keras_file)
    with zipfile.ZipFile(file, "a") as archive:
        _add(archive, _SPEC, spec.to_json().encode())
    return file.getvalue()


# --- TFLite: a zip archive behind the flatbuffer ---------------------------------------------


def _read_tflite(path: Path, data: bytes) -> ModelFile:
    if data[4:8] != b"TFL3":
        raise DamagedModelError(f"{path} does not begin like a .tflite file; copy it again")
    seal = data[-len(_ZIP_SEAL) - _DIGEST_LENGTH :]
    sealed = seal.startswith(_ZIP_SEAL)
    _check_digest(path, data, len(seal) if sealed else 0, seal[len(_ZIP_SEAL) :])
    if int.from_bytes(data[:4], "little") + 4 > len(data):  # where the first table stands
        raise DamagedModelError(f"{path} is cut short; copy it again")
    text, golden = _archived(path, data)
    spec = None if text is None else _parse(path, text)
    digest = sha256(data)
    return ModelFile(path, "tflite", data, digest, sealed, spec, golden)


def _archived(path: Path, data: bytes) -> tuple[bytes | None, bytes | None]:
    """Spec and golden samples from the archive behind a flatbuffer, where there is one."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except ZIP_ERRORS:  # nothing appended: a model made by others
        return None, None
    try:
        with archive:
            text = _member(archive, _SPEC, MAX_SPEC_BYTES)
            return text, _member(archive, _GOLDEN, MAX_GOLDEN_BYTES)
    except ZIP_ERRORS as error:
        raise DamagedModelError(f"{path}: the archive at its end is damaged: {error}") from error


def _marked_tflite(flatbuffer: bytes) -> bytes:
    """The same model with the mark between its header and all else.

    A flatbuffer's offsets are relative to where they stand, so only the first one, which leads
    over the gap to the root table, changes.
    """
    root = int.from_bytes(flatbuffer[:4], "little") + _TFLITE_MARK_BYTES
    mark = SEAL_MARK.encode().ljust(_TFLITE_MARK_BYTES, b"\0")
    return root.to_bytes(4, "little") + flatbuffer[4:8] + mark + flatbuffer[8:]


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, date_time=_ZIP_DATE)
    entry.external_attr = 0o644 << 16
    # MediaPipe refuses a model whose archive is compressed, even where it only wants the labels.
    archive.writestr(entry, data, compress_type=zipfile.ZIP_STORED)


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes | None:
    try:
        entry = archive.getinfo(name)
    except KeyError:
        return None
    # Not `archive.read`, which unpacks all there is, whatever size the entry claims.
    with archive.open(entry) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise SpecError(f"{name} inside the model file is larger than {limit} bytes")
    return content


# --- ONNX: appended protobuf fields ----------------------------------------------------------

_METADATA_PROPS = 14  # ModelProto.metadata_props: repeated StringStringEntryProto{key=1, value=2}


def _read_onnx(path: Path, data: bytes) -> ModelFile:
    seal = _onnx_seal("0" * _DIGEST_LENGTH)
    prefix = seal[:-_DIGEST_LENGTH]
    sealed = data[-len(seal) : -_DIGEST_LENGTH] == prefix
    _check_digest(path, data, len(seal) if sealed else 0, data[-_DIGEST_LENGTH:])
    try:
        properties = dict(onnx_properties(data))
        text = properties.get(_ONNX_PREFIX + "spec")
        encoded = properties.get(_ONNX_PREFIX + "golden")
        golden = None if encoded is None else base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise DamagedModelError(f"{path} is not a whole ONNX file: {error}") from error
    spec = None if text is None else _parse(path, text)
    digest = sha256(data)
    return ModelFile(path, "onnx", data, digest, sealed, spec, golden)


def _onnx_seal(digest: str) -> bytes:
    return _onnx_property(_ONNX_PREFIX + "sha256", digest)


def _onnx_property(key: str, value: str) -> bytes:
    entry = protobuf.write(1, key.encode()) + protobuf.write(2, value.encode())
    return protobuf.write(_METADATA_PROPS, entry)


def onnx_properties(data: bytes) -> Iterator[tuple[str, str]]:
    """The `metadata_props` of a serialized ONNX model.

    Raises:
        ValueError: the bytes are no whole protobuf message.
    """
    for _, value in protobuf.delimited(data, _METADATA_PROPS):
        entry = dict(protobuf.delimited(value))
        yield bytes(entry.get(1, b"")).decode(), bytes(entry.get(2, b"")).decode()


# --- both --------------------------------------------------------------------------------------


def _check_digest(path: Path, data: bytes, seal_length: int, digest: bytes) -> None:
    """Refuse a sealed file whose bytes changed, and one that lost its seal."""
    if seal_length == 0:
        if SEAL_MARK.encode() in data:
            raise DamagedModelError(f"{path} is cut short or damaged at its end; copy it again")
        return
    if sha256(memoryview(data)[:-seal_length]).encode() != digest:
        raise DamagedModelError(f"{path} is damaged: its digest does not match; copy it again")


def _parse(path: Path, text: str | bytes) -> ModelSpec:
    try:
        return ModelSpec.from_json(text)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from error
