"""The operations of a float ONNX model, and what rounding their results to integers does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime

from export.calibration import CalibrationSet
from export.formats.layers import PICTURES, Layer, Operation, Spread, ranked


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
    spreads = _spreads(model, calibration, rounded)
    noise = {name: spread.noise(*spread.limits) for name, spread in spreads.items()}
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


def _spreads(model: Any, calibration: CalibrationSet, names: Sequence[str]) -> dict[str, Spread]:
    open_ = onnx.ModelProto.FromString(model.SerializeToString())
    shown = {value.name for value in open_.graph.output}
    open_.graph.output.extend(
        onnx.helper.make_empty_tensor_value_info(name) for name in names if name not in shown
    )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(open_.SerializeToString(), options)
    given = session.get_inputs()[0].name
    found = {name: Spread() for name in names}
    for batch, _ in zip(calibration.inputs(), range(PICTURES), strict=False):
        for name, values in zip(names, session.run(list(names), {given: batch}), strict=True):
            found[name].add(np.moveaxis(values, 1, -1) if values.ndim == 4 else values)
    return found
