"""The other ways to classify a picture in Python, each as its makers' pages show it.

Each runs in a process of its own that `benchmarks.peers` starts, so none is imported otherwise.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import fresh
from benchmarks.measures.memory import peak_bytes

Pixels = NDArray[np.uint8]
Predict = Callable[[Pixels], NDArray[Any]]  # (n, height, width, channels) → (n, classes)
Job = Mapping[str, Any]

_WARM_UP_CALLS: Final = 20
_CHUNK: Final = 500


def _edgeproof(job: Job) -> Predict:
    from edge_runtime import Classifier

    return Classifier.open(job["file"]).scores


def _litert(job: Job) -> Predict:
    from ai_edge_litert.interpreter import Interpreter

    return _interpreted(Interpreter(model_path=job["file"], num_threads=1), job)


def _tflite_runtime(job: Job) -> Predict:
    from tflite_runtime.interpreter import Interpreter

    return _interpreted(Interpreter(model_path=job["file"], num_threads=1), job)


def _tensorflow(job: Job) -> Predict:
    import tensorflow as tf

    return _interpreted(tf.lite.Interpreter(model_path=job["file"], num_threads=1), job)


def _interpreted(interpreter: Any, job: Job) -> Predict:
    interpreter.allocate_tensors()
    (given,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()

    def classify(pixels: Pixels) -> NDArray[Any]:
        tensor = pixels if given["dtype"] == np.uint8 else _normalised(pixels, job)
        rows = []
        for index in range(len(pixels)):
            interpreter.set_tensor(given["index"], tensor[index : index + 1])
            interpreter.invoke()
            rows.append(interpreter.get_tensor(answer["index"]))
        return np.concatenate(rows)

    return classify


def _onnx_runtime(job: Job) -> Predict:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(job["file"], options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda pixels: session.run(None, {name: _normalised(pixels, job)})[0]


def _keras(job: Job) -> Any:
    import keras

    return keras.models.load_model(job["file"], compile=False)


def _keras_predict(job: Job) -> Predict:
    model = _keras(job)
    return lambda pixels: model.predict(_normalised(pixels, job), verbose=0)


def _keras_on_batch(job: Job) -> Predict:
    model = _keras(job)
    return lambda pixels: np.asarray(model.predict_on_batch(_normalised(pixels, job)))


def _mediapipe(job: Job) -> Predict:
    # It loads TensorFlow where that is installed, and does as well without.
    sys.modules["tensorflow"] = None  # type: ignore[assignment]
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=job["file"]))
    classifier = vision.ImageClassifier.create_from_options(options)
    classes = len(job["labels"])

    def classify(pixels: Pixels) -> NDArray[Any]:
        scores = np.zeros((len(pixels), classes), np.float32)
        for row, image in zip(scores, pixels, strict=True):
            rgb = np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3)))
            picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb)
            for found in classifier.classify(picture).classifications[0].categories:
                row[found.index] = found.score
        return scores

    return classify


def _normalised(pixels: Pixels, job: Job) -> NDArray[np.float32]:
    tensor: NDArray[np.float32] = (pixels - np.float32(job["mean"])) / np.float32(job["std"])
    return tensor


OPENERS: Final[Mapping[str, Callable[[Job], Predict]]] = {
    "edgeproof": _edgeproof,
    "edgeproof, ONNX": _edgeproof,
    "LiteRT by hand": _litert,
    "tflite-runtime by hand": _tflite_runtime,
    "TensorFlow's Interpreter": _tensorflow,
    "ONNX Runtime by hand": _onnx_runtime,
    "Keras predict": _keras_predict,
    "Keras predict_on_batch": _keras_on_batch,
    "MediaPipe ImageClassifier": _mediapipe,
}


def _measure(job: Job) -> dict[str, Any]:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with np.load(job["pictures"]) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    predict = OPENERS[job["name"]](job)
    predict(images[:1])
    done_ns, cpu_ns = time.monotonic_ns(), time.process_time_ns()
    peak = peak_bytes()
    for _ in range(_WARM_UP_CALLS):
        predict(images[:1])
    durations: list[int] = []
    until = time.perf_counter_ns() + int(job["seconds"] * 1e9)
    while time.perf_counter_ns() < until:
        batch = images[len(durations) % min(64, len(images)) :][:1]
        started = time.perf_counter_ns()
        predict(batch)
        durations.append(time.perf_counter_ns() - started)
    right = 0
    if job["judge"]:
        for start in range(0, len(images), _CHUNK):
            answers = predict(images[start : start + _CHUNK]).argmax(axis=1)
            right += int(np.sum(answers == labels[start : start + _CHUNK]))
    return {
        "done_ns": done_ns,
        "cpu_ns": cpu_ns,
        "peak_bytes": peak,
        "durations_ns": durations,
        "accuracy": right / len(images) if job["judge"] else None,
    }


if __name__ == "__main__":
    raise SystemExit(fresh.serve(_measure))
