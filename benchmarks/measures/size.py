"""What the bytes of a model file are for: the model itself, its metadata, its golden samples."""

from __future__ import annotations

import base64
import io
import zipfile
from dataclasses import dataclass

from edge_runtime.modelfile import ModelFile


@dataclass(frozen=True)
class Size:
    """The parts of a model file; together they are the whole file."""

    model_bytes: int  # weights and graph, as the engine reads them
    metadata_bytes: int  # spec, labels, digest, and what holds them
    golden_bytes: int  # golden samples


def parts(file: ModelFile) -> Size:
    """Split a model file's size."""
    whole, golden = len(file.data), 0 if file.golden is None else len(file.golden)
    if file.format == "onnx":
        # The file holds golden samples as base64, and the spec as it is in JSON.
        golden = len(base64.b64encode(file.golden)) if file.golden else 0
        metadata = 0 if file.spec is None else len(file.spec.to_json().encode())
        return Size(whole - metadata - golden, metadata, golden)
    try:
        with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
            appended = whole - min(entry.header_offset for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError):  # nothing appended
        appended = 0
    return Size(whole - appended, appended - golden, golden)
