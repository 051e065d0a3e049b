"""LiteRT, and the packages that hold its older forms: tflite-runtime and TensorFlow."""

from __future__ import annotations

import math
import threading
import warnings
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_runtime import engines
from edge_runtime.backends.base import arranger, require_shape
from edge_runtime.engines import ENGINES, Engine, EngineChoice
from edge_runtime.errors import EngineError, ModelError
from edge_runtime.modelfile.tensors import EXPORTED, Arrangement
from edge_runtime.preprocess import lookup, pixel_table
from edge_runtime.quiet import native_output_hidden
from edge_runtime.spec import ImageInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What an interpreter raises on a model that it cannot load or run.
_REFUSALS = (ValueError, RuntimeError, MemoryError, LookupError, SystemError)
_ROOM = 4  # times a model's size that must be free for one more interpreter, which takes about one


class TFLiteBackend:
    """Interpreters, which are not made for concurrent calls: one, and more where threads wait.

    At most one for each core: every one has memory of its own, for weights that were rearranged too.
    """

    def __init__(
        self,
        model: bytes,
        image: ImageInput,
        num_threads: int,
        *,
        engine: EngineChoice = "auto",
        arrangement: Arrangement = EXPORTED,
    ) -> None:
        self.engine, module = engines.start("tflite", engine)
        with native_output_hidden():
            interpreter = _interpreter(self.engine, module, model, num_threads)
            (input_details,) = _only("input", interpreter.get_input_details())
            shape = require_shape(_shape(input_details), image, arrangement)
            input_details = _resized(interpreter, input_details, shape)
        (output_details,) = _only("output", interpreter.get_output_details())
        self._idle: SimpleQueue[Any] = SimpleQueue()
        self._idle.put(interpreter)
        self._lock = threading.Lock()
        self._made = 1
        self._another = partial(_another, self.engine, module, model, num_threads, shape)
        self._input, self._output = input_details["index"], output_details["index"]
        self._batch = int(input_details["shape"][0])
        self.classes = math.prod(output_details["shape"][1:].tolist())
        self._plain = tuple(output_details["shape"].tolist()) == (1, self.classes)
        self._arrange = arranger(arrangement, shape)
        self._table = _input_table(image, input_details)
        self._takes_pixels = self._table is None and self._arrange is None and self._batch == 1
        scale, zero_point = _quantization(output_details)
        self._scale, self._zero_point = scale, zero_point
        of_8_bits = np.dtype(output_details["dtype"]).itemsize == 1
        self.unit = float(scale) if scale is not None and of_8_bits else None

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Scores of a batch, one picture after the other; see `Backend.run`."""
        scores = self.raw(pixels).astype(np.float32, copy=False)
        return scores if self._scale is None else (scores - self._zero_point) * self._scale

    def raw(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """The output tensor's values; see `IntegerBackend.raw`."""
        if len(pixels) != 1:
            one_by_one = (pixels[index : index + 1] for index in range(len(pixels)))
            return np.concatenate([self.raw(picture) for picture in one_by_one])
        tensor = pixels if self._takes_pixels else self._tensor(pixels)
        interpreter = self._free()
        try:
            interpreter.set_tensor(self._input, tensor)
            interpreter.invoke()
            scores = interpreter.get_tensor(self._output)
        except _REFUSALS as error:
            raise EngineError(f"{_name(self.engine)} fails on the model: {error}") from error
        finally:
            self._idle.put(interpreter)
        return scores if self._plain else scores[:1].reshape(1, -1)  # type: ignore[no-any-return]

    def _free(self) -> Any:
        """An interpreter that nobody uses, for the caller to put back among the idle."""
        with suppress(Empty):
            return self._idle.get_nowait()
        from edge_runtime import parallel  # a single thread does without

        with self._lock:
            missing = self._made < parallel.cores()
            self._made += missing
        another = self._another() if missing else None
        return self._idle.get() if another is None else another

    def _tensor(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        tensor = pixels if self._table is None else lookup(self._table, pixels)
        if self._arrange is not None:
            tensor = self._arrange(tensor)
        # A size that the file fixes: the same picture so many times.
        return tensor if self._batch == 1 else tensor.repeat(self._batch, axis=0)


def _interpreter(engine: Engine, module: Any, model: bytes, num_threads: int) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # TensorFlow's announces that it will be gone
            # By content, never by path: a file that changes underneath crashes the process or
            # silently gives other answers, and tflite-runtime checks nothing it loads by path.
            interpreter = module.Interpreter(model_content=model, num_threads=num_threads)
            interpreter.allocate_tensors()
    except _REFUSALS as error:
        raise ModelError(f"{_name(engine)} cannot load the model: {error}") from error
    return interpreter


def _another(
    engine: Engine, module: Any, model: bytes, num_threads: int, shape: tuple[int, ...]
) -> Any | None:
    """One more interpreter; None where memory is short, so that those that there are have to do."""
    from edge_runtime import machine  # a single thread does without

    free = machine.memory_bytes(kind="MemAvailable")
    if free is not None and free < _ROOM * len(model):
        return None
    with suppress(ModelError):
        # Not hiding native output: the first has said it all, and other threads have words to say.
        interpreter = _interpreter(engine, module, model, num_threads)
        _resized(interpreter, interpreter.get_input_details()[0], shape)
        return interpreter
    return None


def _shape(details: dict[str, Any]) -> list[int | None]:
    """The input's shape; None is free."""
    sizes = details["shape_signature"].tolist() or details["shape"].tolist()
    return [None if size < 0 else size for size in sizes]


def _resized(interpreter: Any, details: dict[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    """The input's details, once it has the size of our pictures, where the file leaves that open."""
    if tuple(details["shape"][1:].tolist()) == shape:
        return details
    try:
        interpreter.resize_tensor_input(details["index"], [1, *shape])
        interpreter.allocate_tensors()
    except _REFUSALS as error:
        raise ModelError(f"the model cannot be given pictures of shape {shape}: {error}") from error
    resized: dict[str, Any] = interpreter.get_input_details()[0]
    return resized


def _name(engine: Engine) -> str:
    return ENGINES[engine].distribution


def _only(kind: str, details: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(details) != 1:
        raise ModelError(f"the model has {len(details)} {kind}s: a picture classifier has one")
    return details


def _quantization(details: dict[str, Any]) -> tuple[np.float32 | None, np.float32]:
    """(scale, zero point) of an integer tensor; (None, 0) of a float tensor."""
    if np.issubdtype(details["dtype"], np.floating):
        return None, np.float32(0)
    scale, zero_point = details["quantization"]
    if scale == 0:
        raise ModelError(f"the model's tensor {details['name']} is integer but has no scale")
    return np.float32(scale), np.float32(zero_point)


def _input_table(image: ImageInput, details: dict[str, Any]) -> NDArray[Any] | None:
    """Pixel value → tensor value, shape (channels, 256); None where a pixel is the tensor value."""
    table = pixel_table(image)
    if details["dtype"] == np.uint8 and details["quantization"][0] == 0:
        details = {**details, "quantization": (1, 0)}  # whole numbers, which the model casts
    scale, zero_point = _quantization(details)
    if scale is None:
        return table
    limits = np.iinfo(details["dtype"])
    quantized = np.clip(np.rint(table / scale + zero_point), limits.min, limits.max)
    quantized = quantized.astype(details["dtype"])
    return None if np.array_equal(quantized, [range(256)] * len(quantized)) else quantized
