"""The operations of a float TFLite model that knows its ranges, and what rounding does to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from export.calibration import CalibrationSet
from export.formats.layers import PICTURES, Layer, Operation, Spread, ranked
from export.formats.tflite_file import unpack


def layers(
    calibrated: bytes, calibration: CalibrationSet, known: Sequence[str]
) -> tuple[Layer, ...]:
    """The layers that integers harm, worst first.

    Args:
        calibrated: a float model with the range of every tensor.
        calibration: pictures.
        known: the Keras layers' names.
    """
    model = unpack(calibrated)
    graph = model.subgraphs[0]
    operations = [_operation(model, graph, operator) for operator in graph.operators]
    rounded = [operator.outputs[0] for operator in graph.operators]
    spreads = _spreads(calibrated, calibration, [int(index) for index in rounded])
    noise = {}
    for index in rounded:
        ranges = graph.tensors[index].quantization
        if ranges is not None and ranges.min is not None and len(ranges.min) == 1:
            limits = float(ranges.min[0]), float(ranges.max[0])
            noise[_name(graph, index)] = spreads[int(index)].noise(*limits)
    return ranked(operations, noise, known)


def _name(graph: Any, index: int) -> str:
    return bytes(graph.tensors[index].name).decode()


def _operation(model: Any, graph: Any, operator: Any) -> Operation:
    used = [int(index) for index in operator.inputs if index >= 0]
    stored = {index: model.buffers[graph.tensors[index].buffer].data for index in used}
    constants = [index for index in used if stored[index] is not None and len(stored[index])]
    # A single number has no shape here.
    shapes = [graph.tensors[index].shape for index in constants]
    sizes = [1 if shape is None else int(np.prod(shape)) for shape in shapes]
    return Operation(
        name=_name(graph, operator.outputs[0]),
        inputs=tuple(_name(graph, index) for index in used if index not in constants),
        output=_name(graph, operator.outputs[0]),
        # A few constants, such as a shape or an axis, are no weights.
        weights=sum(size for size in sizes if size > 4),
        origin=";".join(_name(graph, index) for index in (operator.outputs[0], *constants)),
    )


def _spreads(
    model: bytes, calibration: CalibrationSet, indices: Sequence[int]
) -> dict[int, Spread]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    (given,) = interpreter.get_input_details()
    found = {index: Spread() for index in indices}
    for batch, _ in zip(calibration.inputs(), range(PICTURES), strict=False):
        interpreter.set_tensor(given["index"], batch)
        interpreter.invoke()
        for index, spread in found.items():
            spread.add(interpreter.get_tensor(index))
    return found
