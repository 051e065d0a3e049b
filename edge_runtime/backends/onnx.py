"""ONNX Runtime."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_runtime import engines
from edge_runtime.backends.base import arranger, require_shape
from edge_runtime.engines import EngineChoice
from edge_runtime.errors import EngineError, ModelError
from edge_runtime.modelfile.tensors import EXPORTED, Arrangement
from edge_runtime.preprocess import lookup, pixel_table
from edge_runtime.quiet import is_verbose, native_output_hidden
from edge_runtime.spec import ImageInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BATCH = 128  # pictures per call: bounds the memory that a long batch takes
_TYPES: Final[dict[str, type[np.generic]]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int16)": np.int16,
}


class OnnxBackend:
    """One session; ONNX Runtime allows concurrent calls of it."""

    def __init__(
        self,
        model: bytes,
        image: ImageInput,
        num_threads: int,
        *,
        engine: EngineChoice = "auto",
        arrangement: Arrangement = EXPORTED,
    ) -> None:
        self.engine, module = engines.start("onnx", engine)
        with native_output_hidden():
            self._session = _session(module, model, num_threads)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        for kind, tensors in (("input", inputs), ("output", outputs)):
            if len(tensors) != 1:
                raise ModelError(
                    f"the model has {len(tensors)} {kind}s: a picture classifier has one"
                )
        shape = require_shape(inputs[0].shape, image, arrangement)
        self._arrange = arranger(arrangement, shape)
        self._table = _input_table(image, inputs[0])
        self._input, self._output = inputs[0].name, outputs[0].name
        batch = inputs[0].shape[0]
        self._fixed = isinstance(batch, int)
        self._batch = batch if isinstance(batch, int) else _BATCH
        sizes = outputs[0].shape[1:]
        self.classes = math.prod(sizes) if all(isinstance(size, int) for size in sizes) else None

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Scores of a batch; see `Backend.run`."""
        rows = [
            self._scores(pixels[start : start + self._batch])
            for start in range(0, len(pixels), self._batch)
        ]
        return rows[0] if len(rows) == 1 else np.concatenate(rows)

    def _scores(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        tensor = lookup(self._table, pixels)
        if self._arrange is not None:
            tensor = self._arrange(tensor)
        count = len(tensor)
        if self._fixed and count < self._batch:  # the last few: filled up with the first of them
            tensor = np.concatenate([tensor, tensor[:1].repeat(self._batch - count, axis=0)])
        try:
            scores = self._session.run([self._output], {self._input: tensor})[0]
        # The engine's own exceptions share no base class below Exception.
        except Exception as error:
            raise EngineError(f"onnxruntime fails on the model: {error}") from error
        scores = scores.astype(np.float32, copy=False)
        return scores.reshape(len(tensor), -1)[:count]  # type: ignore[no-any-return]


def _session(onnxruntime: Any, model: bytes, num_threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 1 if is_verbose() else 3  # 3: errors only
    # Idle threads that spin cost 45 % of a core at 20 pictures a second; asleep, under 1 %.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # On x86 without VNNI, sums of unsigned times signed bytes overflow 16 bits, and answers change
    # without a word; with this they are computed otherwise there, more slowly.
    options.add_session_config_entry("session.x64quantprecision", "1")
    # Weights are where the digest covers them: inside. None are looked for in the working folder.
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", os.devnull
    )
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"onnxruntime cannot load the model: {error}") from error


def _input_table(image: ImageInput, tensor: Any) -> NDArray[Any]:
    """Pixel value → tensor value, shape (channels, 256)."""
    kind = _TYPES.get(tensor.type)
    if kind is None:
        raise ModelError(f"the model takes {tensor.type}, expected floats or 8-bit integers")
    table = pixel_table(image)
    if not issubclass(kind, np.integer):
        return table.astype(kind, copy=False)
    limits = np.iinfo(kind)
    return np.clip(np.rint(table), limits.min, limits.max).astype(kind)
