"""Along what a movement goes, and in which part of it each row lies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.scoring.movement.landmarks import Bools, Floats
from services.scoring.reference.preparation import rough_scale
from services.scoring.reference.template import Phase


def movement_axis(features: Floats, ready: Floats, known: Bools) -> tuple[Floats, NDArray[np.int8]]:
    """Principal axis of a repetition (0 at the ready pose, 1 at the far end) and the phase of each row."""
    sigma = rough_scale()
    rows = np.where(known, (features - ready) / sigma, 0.0)
    # About the ready pose, not the mean: the axis points from there to the far end.
    _, _, axes = np.linalg.svd(rows, full_matrices=False)
    axis = axes[0]
    level = rows @ axis
    if level[np.argmax(np.abs(level))] < 0:
        axis, level = -axis, -level
    top = float(level.max())
    scaled = axis / sigma / max(top, 1e-9)
    return scaled, phases_of(level / max(top, 1e-9))


def phases_of(level: Floats) -> NDArray[np.int8]:
    """Phase of each row from the position on the axis: velocity changes sign within the turn."""
    peak = int(np.argmax(level))
    phases = np.full(len(level), Phase.OUT, dtype=np.int8)
    phases[peak:] = Phase.BACK
    first = last = peak
    while first > 0 and level[first - 1] >= 0.92 * level[peak]:
        first -= 1
    while last + 1 < len(level) and level[last + 1] >= 0.92 * level[peak]:
        last += 1
    phases[first : last + 1] = Phase.TURN
    return phases
