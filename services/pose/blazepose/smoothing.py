"""Takes the trembling out of landmarks, more of it the slower they move.

Casiez, Roussel, Vogel, "1 € Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive Systems" (2012).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Cutoff:
    """How much is smoothed."""

    least_hz: float
    """At rest."""
    by_speed: float
    """Hertz more for each unit a second."""


IMAGE = Cutoff(0.05, 80.0)
"""Speed in sizes of the person a second."""
WORLD = Cutoff(0.1, 40.0)
"""Speed in metres a second."""
SPEED_HZ = 1.0
"""Cutoff of the speed itself."""
VISIBILITY_SHARE = 0.1
"""What a new visibility counts against those before."""


class OneEuro:
    """Smooths an array of one shape, value by value."""

    def __init__(self, cutoff: Cutoff) -> None:
        self._cutoff = cutoff
        self._raw: Floats | None = None
        self._speed: Floats | None = None
        self._smooth: Floats | None = None

    def smooth(self, values: Floats, step_s: float, unit: float = 1.0) -> Floats:
        """The next values, `step_s` (> 0) after the last; `unit` is what speed is measured in, in units of `values`."""
        if self._raw is None or self._smooth is None or self._speed is None:
            self._raw, self._smooth = values, values
            self._speed = np.zeros_like(values)
            return values
        speed = (values - self._raw) * np.float32(1 / (unit * step_s))
        self._speed = self._speed + np.float32(_share(SPEED_HZ, step_s)) * (speed - self._speed)
        radians = np.float32(2 * math.pi * step_s) * (
            np.float32(self._cutoff.least_hz) + np.float32(self._cutoff.by_speed) * np.abs(self._speed)
        )
        self._smooth = self._smooth + radians / (1 + radians) * (values - self._smooth)
        self._raw = values
        return self._smooth


class Smoothing:
    """What is smoothed of one person."""

    def __init__(self) -> None:
        self._image, self._world = OneEuro(IMAGE), OneEuro(WORLD)
        self._visibility: Floats | None = None

    def smooth(
        self, image: Floats, world: Floats, visibility: Floats, step_s: float, size: float
    ) -> tuple[Floats, Floats, Floats]:
        """Landmarks in the image, whose person is of this `size` there, in metres, and their visibility."""
        before = visibility if self._visibility is None else self._visibility
        self._visibility = before + np.float32(VISIBILITY_SHARE) * (visibility - before)
        return (
            self._image.smooth(image, step_s, size),
            self._world.smooth(world, step_s),
            self._visibility,
        )


def _share(cutoff_hz: float, step_s: float) -> float:
    """What a new value counts in a low pass of first order."""
    radians = 2 * math.pi * cutoff_hz * step_s
    return radians / (1 + radians)
