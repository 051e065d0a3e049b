"""LiteRT, or tflite-runtime where there is no LiteRT."""

from __future__ import annotations

import importlib
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_runtime.backends.base import ENGINES, require_shape
from edge_runtime.errors import EngineError, ModelError
from edge_runtime.preprocess import lookup, pixel_table
from edge_runtime.quiet import native_output_hidden
from edge_runtime.spec import ImageInput

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TFLiteBackend:
    """One interpreter. It is not made for concurrent calls, so a lock lets one through at a time."""

    def __init__(self, model: bytes, image: ImageInput, num_threads: int) -> None:
        self._lock = threading.Lock()
        with native_output_hidden():
            self._interpreter = _interpreter(model, num_threads)
        (input_details,) = _only("input", self._interpreter.get_input_details())
        (output_details,) = _only("output", self._interpreter.get_output_details())
        require_shape(tuple(input_details["shape"][1:].tolist()), image)
        self._input, self._output = input_details["index"], output_details["index"]
        self._table = _input_table(image, input_details)
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
        tensor = pixels if self._table is None else lookup(self._table, pixels)
        with self._lock:
            self._interpreter.set_tensor(self._input, tensor)
            self._interpreter.invoke()
            return self._interpreter.get_tensor(self._output)  # type: ignore[no-any-return]


def _interpreter(model: bytes, num_threads: int) -> Any:
    module = _engine()
    try:
        # By content, never by path: a file that changes underneath crashes the process or
        # silently gives other answers, and tflite-runtime checks nothing it loads by path.
        interpreter = module.Interpreter(model_content=model, num_threads=num_threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError, MemoryError, IndexError, UnicodeDecodeError) as error:
        raise ModelError(f"{module.__name__} cannot load the model: {error}") from error
    return interpreter


def _engine() -> Any:
    broken = []
    for name in ENGINES["tflite"]:
        try:
            return importlib.import_module(f"{name}.interpreter")
        except ModuleNotFoundError as error:
            if error.name not in (name, f"{name}.interpreter"):
                broken.append(f"{name} does not start here ({error})")
        # tflite-runtime under NumPy 2 fails with AttributeError or SystemError, not ImportError.
        except Exception as error:  # noqa: BLE001
            broken.append(f"{name} does not start here ({type(error).__name__}: {error})")
    raise EngineError(
        "; ".join([*broken, "no TFLite engine is installed"]) + "; run `pip install ai-edge-litert`"
    )


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
    scale, zero_point = _quantization(details)
    if scale is None:
        return table
    limits = np.iinfo(details["dtype"])
    quantized = np.clip(np.rint(table / scale + zero_point), limits.min, limits.max)
    quantized = quantized.astype(details["dtype"])
    return None if np.array_equal(quantized, [range(256)] * len(quantized)) else quantized
