"""Small operations on ONNX graphs: a free batch, plain names, a last layer worth its bits."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

# In Reshape's target: whatever is left, and as in the input.
_REST, _COPY = -1, 0


def tidy(model: Any) -> Any:
    """A model for one picture as one for any number, the same bytes for the same model."""
    graph = model.graph
    _free_batch(graph)
    _order(graph)
    _rename(graph)
    del graph.value_info[:]  # shapes for one picture; engines infer them anew
    used = {node.domain for node in graph.node}
    kept = [opset for opset in model.opset_import if opset.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return model


def leave_output_float(model: Any) -> None:
    """Take the last QuantizeLinear and DequantizeLinear out: the scores keep all their digits.

    The last layer computes in integers all the same; only its sums are no longer rounded to 256
    steps, which alone would change the answer to one picture in a hundred.
    """
    graph = model.graph
    producers = by_output(graph)
    output = graph.output[0].name
    dequantize = producers[output]
    quantize = producers.get(dequantize.input[0])
    if dequantize.op_type != "DequantizeLinear" or quantize is None:
        return
    layer = producers[quantize.input[0]]
    layer.output[0] = output
    graph.node.remove(dequantize)
    graph.node.remove(quantize)


def shift_last_bias(model: Any, error: NDArray[np.floating]) -> None:
    """Take the mean error of the logits, one value per class, out of the last layer's bias.

    The rounding of all the weights adds up to an error whose mean is not zero. A last layer
    without an integer bias is left as it is.
    """
    producers = by_output(model.graph)
    constants = {constant.name: constant for constant in model.graph.initializer}
    layer = producers[model.graph.output[0].name]
    if layer.op_type != "Gemm" or len(layer.input) < 3 or layer.input[2] not in producers:
        return
    bias, scale = (constants.get(name) for name in producers[layer.input[2]].input[:2])
    if bias is None or scale is None or bias.data_type != onnx.TensorProto.INT32:
        return
    steps = numpy_helper.to_array(bias) - np.rint(error / numpy_helper.to_array(scale))
    bias.CopyFrom(numpy_helper.from_array(steps.astype(np.int32), bias.name))


def by_output(graph: Any) -> dict[str, Any]:
    """Value name → the node that gives it."""
    return {name: node for node in graph.node for name in node.output}


def _free_batch(graph: Any) -> None:
    """Let the first dimension be free; a Reshape to one picture becomes one to as many as came."""
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    constants = {constant.name: constant for constant in graph.initializer}
    pictures = _depending(graph)
    for node in graph.node:
        name = node.input[1] if node.op_type == "Reshape" else None
        if name is None or node.input[0] not in pictures:
            continue
        shape = numpy_helper.to_array(constants[name]).copy()
        if shape[0] == 1:
            # A Squeeze before it takes the batch away as well when there is one picture only.
            shape[0] = _COPY if _REST in shape else _REST
            constants[name].CopyFrom(numpy_helper.from_array(shape, name))


def _depending(graph: Any) -> set[str]:
    """The values that depend on the pictures; others have no batch, whatever their shape."""
    found = {value.name for value in graph.input}
    for node in graph.node:  # in the order they run
        if found & set(node.input):
            found |= set(node.output)
    return found


def _order(graph: Any) -> None:
    """Put what depends on constants only before what takes it first.

    ONNX Runtime has it at the beginning, sorted by names that differ from run to run.
    """
    producers, pictures = by_output(graph), _depending(graph)
    ordered: list[Any] = []
    placed: set[str] = set()

    def place(node: Any) -> None:
        for name in node.input:
            if name in producers and name not in pictures | placed:
                place(producers[name])
        ordered.append(node)
        placed.update(node.output)

    for node in [node for node in graph.node if pictures & set(node.output)]:
        place(node)
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in ordered]
    del graph.node[:]
    graph.node.extend(copies)


def _rename(graph: Any) -> None:
    """Name everything by its place: tf2onnx counts names up for as long as a process lives.

    Constants take the order of their first use as well, and unused ones go.
    """
    names = {"": "", graph.input[0].name: "image", graph.output[0].name: "scores"}
    constants = {constant.name: constant for constant in graph.initializer}
    counts: Counter[str] = Counter()
    ordered = []
    for node in graph.node:
        node.name = f"{node.op_type}_{counts[node.op_type]}"
        counts[node.op_type] += 1
        for slot, name in enumerate(node.input):
            if name in constants and name not in names:
                ordered.append(constants[name])
                names[name] = f"{node.name}.{slot}"
        for slot, name in enumerate(node.output):
            names.setdefault(name, f"{node.name}:{slot}")
    for node in graph.node:
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
        node.doc_string = ""
    graph.doc_string = ""
    for value in (*graph.input, *graph.output):
        value.name = names[value.name]
    renamed = [onnx.TensorProto.FromString(constant.SerializeToString()) for constant in ordered]
    for constant in renamed:
        constant.name = names[constant.name]
    del graph.initializer[:]
    graph.initializer.extend(renamed)
