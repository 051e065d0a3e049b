"""Any picture classifier → the one shape of it: (n, height, width, channels) to (n, classes)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from edge_runtime.description import Description
from edge_runtime.errors import ModelError, UsageError
from edge_runtime.spec import Scores
from export.source.described import Facts, Inside
from export.source.loading import start_keras

_PROBES: Final = 8  # pictures of noise that show what the scores are
_BY_ARITHMETIC: Final = ("TrueDivide", "Divide", "Multiply")
_MANY: Final = 20  # what pixels 0..255 are divided by is more, what those of 0..1 are is less


def adapt(path: Path, model: Any, description: Description) -> tuple[Any, Facts]:
    """Bring a model to the one shape, inside its graph, and see what it does.

    What is bridged: pictures without an axis for one channel, channels in BGR order, any picture
    size, outputs in a dict, and a single yes-or-no output (which becomes the scores of no and yes).

    Args:
        path: for messages.
        model: any Keras model with one input and one output.
        description: may say the size, and the colour order.

    Returns:
        A `keras.Model` from float32 (n, height, width, channels), RGB or grey, to (n, classes), and
        what it shows of itself.

    Raises:
        ModelError: it is no picture classifier.
        UsageError: a flag is missing, or does not fit the model.
    """
    keras = start_keras()
    taken = _input_shape(path, model)
    height, width, channels = _picture(path, taken, description)
    inside = _inside(model)
    image = keras.Input((height, width, channels), dtype="float32", name="image")
    prepared = image
    if description.color == "bgr":
        # Slices, since a flip becomes an ONNX Reshape that holds for one picture only.
        channels_bgr = [prepared[..., at : at + 1] for at in (2, 1, 0)]
        prepared = keras.layers.Concatenate()(channels_bgr)
    if len(taken) == 2:
        prepared = keras.layers.Reshape((height, width))(prepared)
    try:
        # Not `training=False`, which would stay in the graph, also for a `call` that has no such
        # argument; whoever calls the whole says it.
        output = _only(path, model(prepared))
    except (TypeError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(f"{path} does not take pictures {taken}: {reason}") from error
    classes = output.shape[-1]
    if any(size != 1 for size in output.shape[1:-1]) or classes is None or len(output.shape) < 2:
        raise ModelError(
            f"{path} gives {tuple(output.shape)}, expected (n, classes); add a Flatten or pooling "
            "layer before its first Dense layer, and train it again"
        )
    if len(output.shape) > 2:
        output = keras.layers.Reshape((classes,))(output)
    activation = last_activation(model)
    kind = _kind(path, _noise(keras.Model(image, output), inside), activation)
    if classes == 1:
        output = _no_and_yes(keras, output, kind)
    # Of a functional model, whose layers can be seen; a subclassed one has only just been called.
    own = model.output if getattr(model, "inputs", None) else None
    unchanged = (
        taken == (height, width, channels)
        and description.color != "bgr"
        and isinstance(own, keras.KerasTensor)
        and tuple(own.shape[1:]) == tuple(output.shape[1:])
    )
    return model if unchanged else keras.Model(image, output), Facts(
        height, width, channels, max(classes, 2), kind, inside
    )


def last_activation(model: Any) -> str | None:
    """The name of the activation behind the output, where the model lets it be seen."""
    outputs = getattr(model, "outputs", None) or []
    history = getattr(outputs[0], "_keras_history", None) if outputs else None
    layer = getattr(history, "operation", None) or (getattr(model, "layers", None) or [None])[-1]
    if layer is None:
        return None
    if getattr(layer, "layers", None):
        return last_activation(layer)
    if type(layer).__name__ in ("Softmax", "Sigmoid"):
        return type(layer).__name__.lower()
    return getattr(getattr(layer, "activation", None), "__name__", None)


def _input_shape(path: Path, model: Any) -> tuple[int | None, ...]:
    """Without the batch axis."""
    shape = getattr(model, "input_shape", None) if getattr(model, "inputs", None) else None
    if shape is None:  # a subclassed model knows what it was built with
        shape = (model.get_build_config() or {}).get("input_shape")
    if shape is None:
        raise ModelError(
            f"{path} was never called, so its input is not known; call it on one picture and save"
        )
    if isinstance(shape, dict):
        shape = list(shape.values())
    if isinstance(shape, list) and len(shape) == 1 and isinstance(shape[0], tuple | list):
        shape = shape[0]
    if isinstance(shape, list) and any(isinstance(each, tuple | list) for each in shape):
        raise ModelError(f"{path} takes {len(shape)} inputs, expected one: the pictures")
    return tuple(shape[1:])


def _picture(
    path: Path, taken: tuple[int | None, ...], description: Description
) -> tuple[int, int, int]:
    """Height, width, channels."""
    if len(taken) not in (2, 3):
        raise ModelError(f"{path} takes {taken}, expected pictures (height, width, channels)")
    channels = 1 if len(taken) == 2 else taken[2]
    if channels is None:
        if description.color is None:
            raise UsageError(f"{path} takes any number of channels; add --color gray|rgb|bgr")
        channels = 1 if description.color == "gray" else 3
    if channels not in (1, 3):
        raise ModelError(
            f"{path} takes {taken}, expected (height, width, channels) with 1 channel or 3"
        )
    if description.color is not None and (channels == 1) != (description.color == "gray"):
        raise UsageError(
            f"{path} takes {channels} channel(s), but was described as {description.color}"
        )
    size = cast("tuple[int | None, int | None]", taken[:2])
    if None in size and description.size is None:
        raise UsageError(f"{path} takes pictures of any size; add --size HEIGHTxWIDTH")
    if None not in size and description.size not in (None, size):
        told = "x".join(map(str, description.size or ()))
        raise UsageError(
            f"{path} takes pictures of {size[0]}x{size[1]}, but was described as {told}"
        )
    height, width = description.size if None in size and description.size else size
    return cast("tuple[int, int, int]", (height, width, channels))


def _only(path: Path, output: Any) -> Any:
    outputs = list(output.values()) if isinstance(output, dict) else output
    if isinstance(outputs, list | tuple):
        if len(outputs) != 1:
            raise ModelError(f"{path} gives {len(outputs)} outputs, expected one: the scores")
        return outputs[0]
    return outputs


def _noise(model: Any, inside: Inside) -> np.ndarray[Any, np.dtype[np.float32]]:
    span = 255 if inside == "from 0..255" else 1
    noise = np.random.default_rng(0).random((_PROBES, *model.input_shape[1:]), np.float32)
    return np.asarray(model.predict_on_batch(noise * np.float32(span)))


def _kind(path: Path, scores: np.ndarray[Any, Any], activation: str | None) -> Scores:
    """Probabilities or logits, by the numbers and by the last activation, which must agree."""
    if not np.isfinite(scores).all():
        raise ModelError(f"{path} gives scores that are no numbers; train it again")
    within = bool((scores >= 0).all() and (scores <= 1).all())
    if scores.shape[1] == 1:
        told: dict[str | None, Scores] = {"sigmoid": "probabilities", "linear": "logits"}
        return told.get(activation, "probabilities" if within else "logits")
    whole = within and np.allclose(scores.sum(axis=1), 1, atol=1e-3)
    if activation == "sigmoid" and not whole:
        raise ModelError(
            f"{path} ends in {scores.shape[1]} sigmoids, each a yes or no of its own; "
            "expected scores of which one wins: softmax or logits"
        )
    if activation == "softmax" and not whole:
        raise ModelError(f"{path} ends in softmax, but its scores do not sum to 1; check its axis")
    return "probabilities" if whole else "logits"


def _no_and_yes(keras: Any, score: Any, kind: Scores) -> Any:
    """The scores of "no" and "yes" from the one of "yes": [1 - p, p], or the logits [0, x]."""
    no = 1.0 - score if kind == "probabilities" else 0.0 * score
    return keras.layers.Concatenate()([no, score])


def _inside(model: Any) -> Inside:
    """What the layers before the first learned one normalise."""
    for layer in _layers(model):
        kind = type(layer).__name__
        if kind == "Rescaling" and np.max(np.abs(np.asarray(layer.scale))) < 1 / _MANY:
            return "from 0..255"
        if kind == "Normalization":
            return "from 0..255" if _seen(layer) > 1.5 else "from 0..1"
        if kind in _BY_ARITHMETIC and _shrinks(layer):
            return "from 0..255"
        if getattr(layer, "weights", None):  # frozen ones too
            break
    return "nothing"


def _shrinks(operation: Any) -> bool:
    """Whether an operation scales by a constant as pixels 0..255 want it; yes where none is seen."""
    node = operation._inbound_nodes[0]  # noqa: SLF001  Keras tells it nowhere else
    given = (*node.arguments.args, *node.arguments.kwargs.values())
    factors = [abs(float(value)) for value in given if isinstance(value, int | float | np.number)]
    if not factors:
        return True
    divides = "Divide" in type(operation).__name__
    return max(factors) > _MANY if divides else min(factors) < 1 / _MANY


def _seen(layer: Any) -> float:
    """The largest value, about, that a Normalization layer was adapted to."""
    mean, variance = (np.asarray(values) for values in (layer.mean, layer.variance))
    return float(np.max(np.abs(mean) + np.sqrt(variance)))


def _layers(model: Any) -> Iterator[Any]:
    """All operations in the order of the graph, those of nested models in their place."""
    for layer in getattr(model, "operations", None) or getattr(model, "layers", None) or []:
        if getattr(layer, "layers", None):
            yield from _layers(layer)
        else:
            yield layer
