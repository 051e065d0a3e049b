"""Keras, legacy HDF5 and SavedModel → a Keras model, and no code that was not asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from edge_runtime import modelfile
from edge_runtime.errors import EngineError, ModelError
from export.source import contents, keras2
from export.source.origin import Origin

# Operations of a TensorFlow graph that reach out of it: files, and Python itself.
_REACHING_OUT: Final = frozenset(
    {
        *("ReadFile", "WriteFile", "MatchingFiles", "PyFunc", "PyFuncStateless", "EagerPyFunc"),
        *("InitializeTableFromTextFile", "InitializeTableFromTextFileV2"),
        *("TextLineDataset", "FixedLengthRecordDataset", "FixedLengthRecordDatasetV2"),
        *("TFRecordDataset", "TFRecordDatasetV2", "LoadDataset", "SaveDataset", "SaveDatasetV2"),
        *("TextLineReader", "TextLineReaderV2", "WholeFileReader", "WholeFileReaderV2"),
    }
)


def load(origin: Origin) -> Any:
    """Load a model as it was saved.

    Returns:
        A `keras.Model`; a SavedModel becomes one with a single layer.

    Raises:
        ModelError: it cannot be loaded, or holds code that was not trusted.
        EngineError: Keras or TensorFlow do not start.
    """
    if origin.kind in ("keras", "h5"):
        _check(origin)  # before TensorFlow's seconds
    start_keras()
    if origin.kind == "memory":
        return origin.model
    if origin.kind == "saved-model":
        _check(origin)
    try:
        match origin.kind:
            case "saved-model":
                return _saved_model(origin.path)
            case "h5":
                with keras2.readable(origin.path) as path:
                    return _from_file(path, origin)
            case _:
                return _from_file(origin.path, origin)
    except ModelError:
        raise
    except Exception as error:  # Keras lets anything through that its layers raise
        raise _unloadable(origin, error) from error


def _unloadable(origin: Origin, error: Exception) -> ModelError:
    reason = str(error.args[0] if error.args else error).strip().partition("\n")[0]
    way_out = (
        "train it again"
        if origin.run
        else "save it as a SavedModel (`model.export(folder)`) and name that folder"
    )
    return ModelError(f"Keras cannot load {origin.path}: {reason}; {way_out}")


def start_keras() -> Any:
    """Keras on TensorFlow, the only backend that the converters know."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    try:
        import keras
    except ImportError as error:
        raise EngineError(
            f"Keras does not start here ({error}); run `pip install '.[export]'` in edgeproof's folder"
        ) from error
    return keras


def _check(origin: Origin) -> None:
    """Refuse what would exhaust memory, and code that was not trusted."""
    try:
        if origin.kind == "saved-model":
            found = _graph_code(origin.path)
        else:
            contents.refuse_a_bomb(origin.path, origin.kind)
            found = next(contents.code_in(contents.config(origin.path, origin.kind)), None)
    except (*modelfile.ZIP_ERRORS, KeyError) as error:
        raise _unloadable(origin, error) from error
    if found is not None and not origin.trusted:
        raise ModelError(
            f"{origin.path} holds code of its own: {found}; "
            "add --trust-model-code if you know who made it"
        )


def _graph_code(folder: Path) -> str | None:
    """The first operation that reaches out of the graph, unless saving and restoring need it."""
    from tensorflow.core.protobuf import saved_model_pb2

    document = saved_model_pb2.SavedModel()
    try:
        document.ParseFromString((folder / "saved_model.pb").read_bytes())
    except Exception as error:  # protobuf's own kind, of whichever implementation
        raise ValueError(str(error)) from error
    for graph in (meta.graph_def for meta in document.meta_graphs):
        functions = [node for function in graph.library.function for node in function.node_def]
        for node in (*graph.node, *functions):
            # Words for a person are harmless where they do not end up in a file.
            if node.op in _REACHING_OUT or node.attr["output_stream"].s.startswith(b"file:"):
                return f"the operation {node.op}"
    return None


def _saved_model(folder: Path) -> Any:
    import keras
    import tensorflow as tf

    signatures = tf.saved_model.load(folder).signatures
    name = "serving_default" if "serving_default" in signatures else next(iter(signatures), None)
    if name is None:
        raise ModelError(f"{folder} has no signature to call; save it with `model.export`")
    specs = list(signatures[name].structured_input_signature[1].values())
    if len(specs) != 1:
        raise ModelError(f"{folder} takes {len(specs)} inputs, expected one: the pictures")
    image = keras.Input(specs[0].shape[1:], dtype=specs[0].dtype.name)
    return keras.Model(image, keras.layers.TFSMLayer(folder, call_endpoint=name)(image))


def _from_file(path: Path, origin: Origin) -> Any:
    import keras

    return keras.models.load_model(path, compile=False, safe_mode=not origin.trusted)


@contextmanager
def constants_inside(model: Any) -> Iterator[None]:
    """Let a model's Normalization layers hold arrays for the length of the block.

    As tensors their mean and variance are captured from outside the graph, where Keras' ONNX export
    (3.15) loses them; as arrays they are constants inside it.
    """
    import keras

    layers = [
        layer
        for layer in model._flatten_layers()  # noqa: SLF001  nested ones too; nothing public does it
        if isinstance(layer, keras.layers.Normalization) and layer.built
    ]
    held = [(layer.mean, layer.variance) for layer in layers]
    try:
        for layer in layers:
            layer.mean, layer.variance = np.asarray(layer.mean), np.asarray(layer.variance)
        yield
    finally:
        for layer, (mean, variance) in zip(layers, held, strict=True):
            layer.mean, layer.variance = mean, variance
