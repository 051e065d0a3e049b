"""The operations of a float ONNX model, and what rounding their results to integers does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime

from export.calibration import CalibrationSet
from export.formats.layers import PICTURES, Layer, Operation, channel_noise, ranked


def layers(model: Any, calibration: CalibrationSet, known: Sequence[str]) -> tuple[Layer, ...]:
    """The layers that integers harm, worst first.

    Args:
        model: a float `onnx.ModelProto` for one picture.
        calibration: pictures.
        known: the Keras layers' names.
    """
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    operations = [_operation(node, constants) for node in model.graph.node]
    rounded = [operation.output for operation in operations]
    noise = {
        name: channel_noise(values, float(values.min()), float(values.max()))
        for name, values in _values(model, calibration, rounded).items()
    }
    return ranked(operations, noise, known)


def _operation(node: Any, constants: dict[str, Any]) -> Operation:
    stored = [name for name in node.input if name in constants]
    sizes = [int(np.prod(constants[name].dims)) for name in stored]
    return Operation(
        name=node.name,
        inputs=tuple(name for name in node.input if name and name not in constants),
        output=node.output[0],
        # A few constants, such as a shape or an axis, are no weights.
        weights=sum(size for size in sizes if size > 4),
        origin=";".join((node.name, *stored)),
    )


def _values(model: Any, calibration: CalibrationSet, names: Sequence[str]) -> dict[str, Any]:
    """What the tensors held, channels last."""
    open_ = onnx.ModelProto.FromString(model.SerializeToString())
    shown = {value.name for value in open_.graph.output}
    open_.graph.output.extend(
        onnx.helper.make_empty_tensor_value_info(name) for name in names if name not in shown
    )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(open_.SerializeToString(), options)
    given = session.get_inputs()[0].name
    found: dict[str, list[Any]] = {name: [] for name in names}
    for batch, _ in zip(calibration.inputs(), range(PICTURES), strict=False):
        for name, value in zip(names, session.run(list(names), {given: batch}), strict=True):
            found[name].append(np.moveaxis(value, 1, -1) if value.ndim == 4 else value)
    return {name: np.concatenate(values) for name, values in found.items()}
