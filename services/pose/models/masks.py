"""Leaves out of the landmark model what draws the person's mask.

MediaPipe computes the mask in every frame and throws it away where nobody asked for it: a third of a frame's time. No
landmark depends on it: they come out the same to the last bit.
"""

import os
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.pose.models.archive import LANDMARKS, packed

_LEAST_BYTES = 8
"""Where a model says that it is one."""
_OUTPUTS = 5
_PRESENCE, _MASK = 1, 2
"""Places among the outputs: how sure it is of a person, (1, 1), and the mask, (1, height, width, 1)."""
_OPERATORS = 10
"""Place of a subgraph's operators in its table, by TensorFlow Lite's schema."""


@cache
def without_masks(task: Path) -> Path:
    """A bundle as `task`, in memory, that finds the same landmarks and no mask.

    `task` itself where it is no bundle or its landmark model is built in another way, and on systems that have no
    files in memory.
    """
    if not hasattr(os, "memfd_create") or not zipfile.is_zipfile(task):
        return task
    with zipfile.ZipFile(task) as archive:
        models = {name: archive.read(name) for name in archive.namelist()}
    pruned = _pruned(models.get(LANDMARKS, b""))
    if pruned is None:
        return task
    # It stays open: its path is good for as long as this process lives.
    handle = os.memfd_create("pose-model")
    with os.fdopen(os.dup(handle), "wb") as file:
        file.write(packed((models | {LANDMARKS: pruned}).items()))
    return Path(f"/proc/self/fd/{handle}")


def _pruned(model: bytes) -> bytes | None:
    """The model without the operators that only the mask needs. None: it is not built as expected."""
    # Brings all of mediapipe.
    from mediapipe.tasks.metadata.schema_py_generated import Model

    data = bytearray(model)
    if len(data) < _LEAST_BYTES or not Model.ModelBufferHasIdentifier(data, 0):
        return None
    if Model.GetRootAsModel(data, 0).SubgraphsLength() != 1:
        return None
    graph = Model.GetRootAsModel(data, 0).Subgraphs(0)
    outputs: NDArray[np.int32] = graph.OutputsAsNumpy()  # in place, as all that follows
    if len(outputs) != _OUTPUTS:
        return None
    presence, mask = (graph.Tensors(outputs[place]).ShapeAsNumpy() for place in (_PRESENCE, _MASK))
    if presence.tolist() != [1, 1] or len(mask) != 4 or mask[3] != 1:
        return None
    reads, maker = _wiring(graph)
    # MediaPipe wants five outputs still. What presence is made of is one number, and is computed anyway.
    outputs[_MASK] = reads[maker[int(outputs[_PRESENCE])]][0]
    _keep(data, graph, _needed([int(tensor) for tensor in outputs], reads, maker))
    return bytes(data)


def _wiring(graph: Any) -> tuple[list[list[int]], dict[int, int]]:
    """The tensors that each operator reads, and the operator that makes each tensor."""
    operators = [graph.Operators(number) for number in range(graph.OperatorsLength())]
    reads = [[int(tensor) for tensor in operator.InputsAsNumpy()] for operator in operators]
    maker = {int(tensor): number for number, one in enumerate(operators) for tensor in one.OutputsAsNumpy()}
    return reads, maker


def _needed(tensors: list[int], reads: list[list[int]], maker: dict[int, int]) -> list[int]:
    """The operators that lead to these tensors, in order."""
    found: set[int] = set()
    while tensors:
        operator = maker.get(tensors.pop())
        if operator is not None and operator not in found:
            found.add(operator)
            tensors += reads[operator]
    return sorted(found)


def _keep(data: bytearray, graph: Any, operators: list[int]) -> None:
    """Shorten the list of operators to these, which lie behind it and are pointed to from where their entry is."""
    table = graph._tab  # noqa: SLF001
    start = table.Vector(table.Offset(_OPERATORS))
    places = [table.Indirect(start + 4 * number) for number in operators]
    data[start - 4 : start] = len(places).to_bytes(4, "little")
    for number, place in enumerate(places):
        entry = start + 4 * number
        data[entry : entry + 4] = (place - entry).to_bytes(4, "little")
