"""How fast the person moves, and since when they are still."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from services.scoring.movement.landmarks import Floats
from services.scoring.movement.views import Observed
from services.scoring.reference.template import RATE_HZ, Kind, Template
from services.scoring.reference.tolerance import tolerances

STILL: Final = 0.12
"""Share of the reference's usual speed below which somebody is still."""
SPEED_S: Final = 0.15
"""Time constant of the speed."""
HOLD_SPEED: Final = 30.0
"""Speed a hold is measured by, which has none of its own, in tolerances a second."""


class Motion:
    """Watches the speed of what the reference moves."""

    def __init__(self, template: Template) -> None:
        self._limit = STILL * usual_speed(template)
        self._before: Floats | None = None
        self._speed = 0.0
        self._still_since = math.nan

    def push(self, time_s: float, dt_s: float, seen: Observed, scale: Floats) -> None:
        """Takes one frame; `scale` (60,) turns features into tolerances."""
        scale = scale * seen.known
        now = seen.features * scale
        if self._before is not None:
            moved = now - self._before * (scale > 0)
            speed = math.sqrt(float(moved @ moved)) / dt_s
            self._speed += (1.0 - math.exp(-dt_s / SPEED_S)) * (speed - self._speed)
        self._before = now
        if self._speed > self._limit:
            self._still_since = math.nan
        elif math.isnan(self._still_since):
            self._still_since = time_s

    def still_for(self, time_s: float) -> float:
        """Seconds without movement."""
        return 0.0 if math.isnan(self._still_since) else time_s - self._still_since

    def forget(self) -> None:
        """Nobody is seen."""
        self._before = None
        self._still_since = math.nan


def usual_speed(template: Template) -> float:
    """Median speed of the reference while it moves, in tolerances a second."""
    if template.kind is Kind.HOLD or len(template.features) < 3:
        return HOLD_SPEED
    rows = template.features * tolerances(template).scale
    speed = np.linalg.norm(np.diff(rows, axis=0), axis=1) * RATE_HZ
    return float(max(np.median(speed), 1.0))
