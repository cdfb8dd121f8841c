"""Leaves out of the landmark model what draws the person's mask: a third of a frame's time.

No landmark depends on it: they come out the same to the last bit.
"""

import struct

import numpy as np
from flatbuffers.number_types import Int32Flags
from flatbuffers.table import Table
from numpy.typing import NDArray

_IDENTIFIER = b"TFL3"
"""Bytes 4 to 8 of a TensorFlow Lite model."""
_OUTPUTS = 5
_PRESENCE, _MASK = 1, 2
"""Places among the outputs: how sure it is of a person, (1, 1), and the mask, (1, height, width, 1)."""

# Places of what is read here in their tables, by TensorFlow Lite's schema.
_MODEL_SUBGRAPHS = 8
_GRAPH_TENSORS, _GRAPH_OUTPUTS, _GRAPH_OPERATORS = 4, 8, 10
_OPERATOR_INPUTS, _OPERATOR_OUTPUTS = 6, 8
_TENSOR_SHAPE = 4


def without_mask(model: bytes) -> bytes | None:
    """The model without the operators that only the mask needs. None: it is not built as expected.

    It has five outputs still: in the mask's place stands what presence is made of, one number that is computed anyway.
    """
    data = bytearray(model)
    if data[4:8] != _IDENTIFIER:
        return None
    try:
        return _pruned(data)
    except (struct.error, IndexError, TypeError):  # a table that leads beyond the file
        return None


def _pruned(data: bytearray) -> bytes | None:
    root = Table(data, struct.unpack_from("<I", data)[0])
    graphs = _tables(root, _MODEL_SUBGRAPHS)
    if len(graphs) != 1:
        return None
    (graph,) = graphs
    operators, tensors = _tables(graph, _GRAPH_OPERATORS), _tables(graph, _GRAPH_TENSORS)
    outputs = _numbers(graph, _GRAPH_OUTPUTS)  # in place, as all that follows
    if len(outputs) != _OUTPUTS:
        return None
    presence, mask = (_numbers(tensors[outputs[place]], _TENSOR_SHAPE) for place in (_PRESENCE, _MASK))
    if presence.tolist() != [1, 1] or len(mask) != 4 or mask[3] != 1:
        return None
    reads = [_numbers(operator, _OPERATOR_INPUTS).tolist() for operator in operators]
    maker = {
        tensor: number
        for number, operator in enumerate(operators)
        for tensor in _numbers(operator, _OPERATOR_OUTPUTS).tolist()
    }
    outputs[_MASK] = reads[maker[int(outputs[_PRESENCE])]][0]
    _keep(data, graph, _needed(outputs.tolist(), reads, maker))
    return bytes(data)


def _tables(table: Table, place: int) -> list[Table]:
    """A vector of tables."""
    offset = table.Offset(place)
    start = table.Vector(offset)
    return [
        Table(table.Bytes, table.Indirect(start + 4 * number)) for number in range(table.VectorLen(offset))
    ]


def _numbers(table: Table, place: int) -> NDArray[np.int32]:
    """A vector of numbers, in place."""
    return np.asarray(table.GetVectorAsNumpy(Int32Flags, table.Offset(place)))


def _needed(tensors: list[int], reads: list[list[int]], maker: dict[int, int]) -> list[int]:
    """The operators that lead to these tensors, in order."""
    found: set[int] = set()
    while tensors:
        operator = maker.get(tensors.pop())
        if operator is not None and operator not in found:
            found.add(operator)
            tensors += reads[operator]
    return sorted(found)


def _keep(data: bytearray, graph: Table, operators: list[int]) -> None:
    """Shorten the list of operators to these, which lie behind it and are pointed to from where their entry is."""
    start = graph.Vector(graph.Offset(_GRAPH_OPERATORS))
    places = [graph.Indirect(start + 4 * number) for number in operators]
    data[start - 4 : start] = len(places).to_bytes(4, "little")
    for number, place in enumerate(places):
        entry = start + 4 * number
        data[entry : entry + 4] = (place - entry).to_bytes(4, "little")
