"""A trained model rebuilt so that it computes in floats what its int8 file will compute.

Batch normalisation is folded into the layer before it, kernels are rounded to 255 steps a channel,
and every value that an integer engine keeps between two layers goes through Keras' own
`fake_quant_with_min_max_vars`. Only Keras' own layers are used, so the saved model loads anywhere,
and TensorFlow's converter takes the ranges from it (docs/decisions/0005). Jacob et al. 2018,
"Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from edge_runtime.errors import UsageError
from edge_runtime.preprocess import normalise, pixel_table
from edge_runtime.spec import ImageInput

Range = tuple[float, float]

_WEIGHTED: Final = (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)
_NEW_RANGE: Final = (*_WEIGHTED, layers.Add, layers.ReLU, layers.GlobalAveragePooling2D)
_SAME_RANGE: Final = (layers.InputLayer, layers.Flatten, layers.MaxPooling2D)
_STEPS: Final = 127  # to either side of zero

# The share of values beyond either end of a range. Logits far below the winner decide nothing, and
# the finer steps above do.
_OUTLIERS: Final = 1e-4
_LOW_LOGITS: Final = 0.1
_VALUES: Final = 1 << 22  # of a layer; all values of a thousand large pictures would fill memory
_BATCH: Final = 16


def simulated(model: keras.Model, pixels: NDArray[np.uint8], image: ImageInput) -> keras.Model:
    """A copy of a trained float model that rounds as int8 does, but for its kernels: see `settle`.

    Args:
        model: dense and convolutional layers, ReLU, additions and pooling.
        pixels: training pictures, 0..255, shape (n, height, width, channels), for the ranges.
        image: the model's picture contract.

    Raises:
        UsageError: a layer is of another kind.
    """
    _require_known(model)
    folded = _folded(model)
    places = [layer for layer in folded.layers if _keeps_values(layer)]
    values = zip(places, _measured(folded, places, pixels, image), strict=True)
    last = folded.layers[-1]
    ranges = {layer.name: _range(each, logits=layer is last) for layer, each in values}
    table = pixel_table(image)
    inputs = (min(0.0, float(table.min())), max(0.0, float(table.max())))
    return _rounding(folded, ranges, inputs)


def settle(model: keras.Model) -> None:
    """Round the kernels of a model in place, as its int8 file will have them."""
    for kernel, channel in _kernels(model):
        kernel.assign(_rounded(tf.convert_to_tensor(kernel), channel))


def rounded_kernels(model: keras.Model) -> list[tuple[Any, Any]]:
    """Each kernel and its rounded values, whose gradient is passed to the kernel unchanged."""
    pairs = []
    for kernel, channel in _kernels(model):
        exact = tf.convert_to_tensor(kernel)
        pairs.append((kernel, exact + tf.stop_gradient(_rounded(exact, channel) - exact)))
    return pairs


def _kernels(model: keras.Model) -> Iterator[tuple[Any, int]]:
    """Each kernel, and which of its axes counts output channels."""
    for layer in model.layers:
        if isinstance(layer, layers.DepthwiseConv2D):
            yield layer.kernel, 2
        elif isinstance(layer, _WEIGHTED):
            yield layer.kernel, layer.kernel.ndim - 1


def _rounded(kernel: Any, channel: int) -> Any:
    """The nearest of 255 evenly spaced values, each channel by its own largest."""
    others = [axis for axis in range(len(kernel.shape)) if axis != channel]
    largest = tf.reduce_max(tf.abs(kernel), axis=others, keepdims=True)
    step = tf.maximum(largest, 1e-12) / _STEPS
    return tf.round(kernel / step) * step


def _require_known(model: keras.Model) -> None:
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            known = isinstance(_before(layer), _WEIGHTED)
        else:
            known = isinstance(layer, _NEW_RANGE + _SAME_RANGE)
        if not known:
            raise UsageError(
                f"--quantize: the layer {layer.name!r} ({type(layer).__name__}) cannot be rounded "
                "as int8 does it; it takes runs of mlp, cnn, ds-cnn, resnet and ds-resnet that give "
                "logits"
            )


def _folded(model: keras.Model) -> keras.Model:
    """A copy without batch normalisation."""
    norms = {
        _before(layer).name: layer
        for layer in model.layers
        if isinstance(layer, layers.BatchNormalization)
    }

    def clone(layer: Any) -> Any:
        config = layer.get_config()
        return type(layer).from_config(
            {**config, "use_bias": True} if layer.name in norms else config
        )

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        return args[0] if isinstance(layer, layers.BatchNormalization) else layer(*args, **kwargs)

    copy = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer in copy.layers:
        trained = model.get_layer(layer.name)
        norm = norms.get(layer.name)
        layer.set_weights(trained.get_weights() if norm is None else _merged(trained, norm))
    return copy


def _merged(layer: Any, norm: Any) -> list[NDArray[np.float32]]:
    """Kernel and bias of a layer and the batch normalisation behind it, as one."""
    kernel, *bias = layer.get_weights()
    mean, variance = (np.asarray(values) for values in (norm.moving_mean, norm.moving_variance))
    factor = 1 / np.sqrt(variance + norm.epsilon)
    if norm.scale:
        factor = factor * np.asarray(norm.gamma)
    shift = (sum(bias) - mean) * factor
    if norm.center:
        shift = shift + np.asarray(norm.beta)
    depthwise = isinstance(layer, layers.DepthwiseConv2D)
    return [kernel * (factor[:, None] if depthwise else factor), shift]


def _rounding(folded: keras.Model, ranges: Mapping[str, Range], inputs: Range) -> keras.Model:
    """A copy that rounds its input and every value that is kept between two layers."""
    first = [layer.name for layer in folded.layers if layer.input is folded.inputs[0]]

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if layer.name in first:
            args = (_fake_quantized(args[0], inputs), *args[1:])
        output = layer(*args, **kwargs)
        limits = ranges.get(layer.name)
        return output if limits is None else _fake_quantized(output, limits)

    copy = keras.models.clone_model(folded, call_function=call)
    copy.set_weights(folded.get_weights())
    return copy


def _fake_quantized(values: Any, limits: Range) -> Any:
    return keras.quantizers.fake_quant_with_min_max_vars(values, *limits)


def _keeps_values(layer: Any) -> bool:
    """Whether an engine writes this layer's output down: ReLU is done on the way there."""
    after = [node.operation for node in layer._outbound_nodes]  # noqa: SLF001  no public way
    fused = len(after) == 1 and isinstance(after[0], layers.ReLU)
    return isinstance(layer, _NEW_RANGE) and not fused


def _before(layer: Any) -> Any:
    """The layer whose output this one takes."""
    return layer._inbound_nodes[0].parent_nodes[0].operation  # noqa: SLF001  no public way


def _measured(
    folded: keras.Model, places: Sequence[Any], pixels: NDArray[np.uint8], image: ImageInput
) -> list[NDArray[np.float32]]:
    """What each of these layers gives for the pictures: all of it, or of much an even sample."""
    observed = keras.Model(folded.inputs, [layer.output for layer in places])
    most, random = _VALUES // len(pixels), np.random.default_rng(0)
    kept: list[list[NDArray[np.float32]]] = [[] for _ in places]
    for start in range(0, len(pixels), _BATCH):
        inputs = normalise(pixels[start : start + _BATCH], image)
        for values, output in zip(kept, observed.predict_on_batch(inputs), strict=True):
            each = output.reshape(len(output), -1)
            if each.shape[1] > most:
                each = each[:, random.integers(each.shape[1], size=most)]
            values.append(each)
    return [np.concatenate(values) for values in kept]


def _range(values: NDArray[np.float32], *, logits: bool) -> Range:
    low, high = np.quantile(values, (_LOW_LOGITS if logits else _OUTLIERS, 1 - _OUTLIERS))
    return min(0.0, float(low)), max(1e-6, float(high))
