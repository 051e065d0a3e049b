"""ONNX Runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_runtime.backends.base import require_shape
from edge_runtime.errors import EngineError, ModelError
from edge_runtime.preprocess import normalise
from edge_runtime.quiet import native_output_hidden
from edge_runtime.spec import ImageInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BATCH = 128  # pictures per call: bounds the memory that a long batch takes


class OnnxBackend:
    """One session; ONNX Runtime allows concurrent calls of it."""

    def __init__(self, model: bytes, image: ImageInput, num_threads: int) -> None:
        with native_output_hidden():
            self._session = _session(model, num_threads)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        for kind, tensors in (("input", inputs), ("output", outputs)):
            if len(tensors) != 1:
                raise ModelError(
                    f"the model has {len(tensors)} {kind}s: a picture classifier has one"
                )
        batch, *shape = inputs[0].shape
        require_shape(tuple(shape), image)
        self._image = image
        self._input, self._output = inputs[0].name, outputs[0].name
        self._batch = batch if isinstance(batch, int) else _BATCH

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Scores of a batch; see `Backend.run`."""
        rows = [
            self._scores(pixels[start : start + self._batch])
            for start in range(0, len(pixels), self._batch)
        ]
        return rows[0] if len(rows) == 1 else np.concatenate(rows)

    def _scores(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        tensor = normalise(pixels, self._image)
        scores = self._session.run([self._output], {self._input: tensor})[0]
        return scores.astype(np.float32, copy=False)  # type: ignore[no-any-return]


def _session(model: bytes, num_threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise EngineError("ONNX Runtime is not installed; run `pip install onnxruntime`") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    # Idle threads that spin cost 45 % of a core at 20 pictures a second; asleep, under 1 %.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    # The engine's own exceptions share no base class below Exception.
    except Exception as error:
        raise ModelError(f"onnxruntime cannot load the model: {error}") from error
