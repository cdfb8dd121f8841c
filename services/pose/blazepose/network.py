"""One network, run by LiteRT."""

from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


class Network:
    """A network with one square RGB image as its input. For one thread at a time, any thread."""

    def __init__(self, model: bytes, *, low: float, threads: int) -> None:
        """Load it. Pixels enter as `low` to 1. Raises ValueError or RuntimeError for what is no network."""
        self._interpreter: Any = Interpreter(model_content=model, num_threads=threads)
        self._interpreter.allocate_tensors()
        (source,) = self._interpreter.get_input_details()
        made = self._interpreter.get_output_details()
        self._input = self._interpreter.tensor(source["index"])
        self._outputs = [self._interpreter.tensor(one["index"]) for one in made]
        self._low = low
        self.size = int(source["shape"][1])
        """Side of its input, pixels."""
        self.shapes = tuple(tuple(int(length) for length in one["shape"][1:]) for one in made)
        """Of its outputs."""

    def run(self, square: Pixels) -> list[Floats]:
        """The outputs for an image (size, size, 3); they are the network's own memory, good until the next run.

        Let go of them before that: it refuses otherwise (RuntimeError). Releases the GIL.
        """
        tensor: Floats = self._input()[0]
        tensor[...] = square
        tensor *= np.float32((1 - self._low) / 255)
        if self._low:
            tensor += np.float32(self._low)
        del tensor
        self._interpreter.invoke()
        return [output()[0] for output in self._outputs]
