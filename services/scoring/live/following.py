"""One template being followed live: position, cycles, and the deviation of the moment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.judging.deviation import momentary
from services.scoring.judging.localisation import Usual
from services.scoring.live.repetitions import Cycle, CycleDetector
from services.scoring.movement.alignment import OnlineWarping, Position
from services.scoring.movement.features import BONE_COUNT
from services.scoring.movement.landmarks import Bools, Floats
from services.scoring.movement.views import Observed
from services.scoring.reference.template import RATE_HZ, Kind, Template
from services.scoring.reference.tolerance import Limits, tolerances

AXIS_SEEN: Final = 0.4
"""Share of the axis that must be seen for a position on it to be told."""
LOWEST: Final = -0.25
"""Positions lie no further before the ready pose than this: lying down for push-ups is no part of the first one."""
NEAR_CLIP: Final = 3.0
"""A feature this many tolerances away from the ready pose says no more than that it differs."""
_BONES: Final = 3 * BONE_COUNT
"""Features that are bones; angles come after them."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The live frame against the template."""

    position: Position
    row: int
    z: Floats
    """(60,) deviation from the reference's movement, in tolerances; 0 where unknown."""
    difference: Floats
    """(60,) the same in radians."""
    known: Bools
    """(60,)"""
    deviation: float
    """As `deviation.momentary`; NaN if too little was seen."""


class Following:
    """Follows one template. The template is that of the reference, or its mirror image."""

    def __init__(self, template: Template):
        self.template = template
        self.usual = Usual()
        """What this user does in repetitions that pass."""
        self._limits = Limits(template)
        self.tolerances = tolerances(template)
        rows = template.relative()
        self._scale = scale = self.tolerances.scale
        self._absolute = self.tolerances.absolute
        level = rows @ template.axis
        self._far = rows[int(np.argmax(level))] if template.kind is Kind.REPETITIONS else np.zeros(len(scale))
        self._weight = float(self.tolerances.weight.sum())
        self._reach = template.axis * self._far
        self._enough = AXIS_SEEN * max(float(self._reach.sum()), 1e-9)
        self.detector = CycleDetector(returns_to=float(level[-1]) if len(level) else 0.0)
        # The angles are made of the bones: they say nothing new of the place, and add noise where bones are short.
        self.warping = OnlineWarping(
            (rows * scale)[:, :_BONES], RATE_HZ, cyclic=template.returns and template.kind is Kind.REPETITIONS
        )
        self._places = (self.tolerances.weight[:_BONES] > 0).astype(np.float64)
        self.warping.begin(0)

    def sees(self, seen: Observed) -> float:
        """Share of what counts that is seen."""
        return float(self.tolerances.weight @ seen.known) / max(self._weight, 1e-9)

    def level(self, seen: Observed) -> float:
        """Position on the movement's axis from what is seen of it: 0 ready pose, 1 far end; NaN if too little is seen."""
        known = seen.known & self.template.known
        reach = float(self._reach @ known)
        if reach < self._enough or reach <= 0:
            return math.nan
        moved = (seen.features - self.template.ready) * known
        return float(moved @ self.template.axis) / reach

    def from_ready(self, seen: Observed) -> float:
        """Distance from the reference's ready pose in tolerances, of the features that matter; inf if none is seen."""
        known = seen.known & self.template.known
        weight = self.tolerances.weight * known
        total = float(weight.sum())
        if total < 0.3 * self._weight:
            return math.inf
        z = np.minimum(np.abs((seen.features - self.template.ready) / self._absolute), NEAR_CLIP)
        return float(weight @ z) / total

    def push(self, time_s: float, seen: Observed) -> Cycle | None:
        """Takes one frame for counting."""
        return self.detector.push(time_s, max(self.level(seen), LOWEST))

    def place(self, seen: Observed, ready: Floats, dt_s: float) -> Moment:
        """Takes one frame for the position in the template; `ready` is the user's own ready pose."""
        known = seen.known & self.template.known
        moved = np.where(known, seen.features - ready, 0.0)
        position = self.warping.advance((moved * self._scale)[:_BONES], self._places * known[:_BONES], dt_s)
        row = min(round(position.row), len(self.template.features) - 1)
        target = self.template.features[row]
        difference = np.where(known, moved - (target - self.template.ready), 0.0)
        absolute = np.where(known, seen.features - target, 0.0)
        limits = self._limits.seen_with(seen.variance)
        off = momentary(difference, absolute, known, limits)
        return Moment(position, row, difference / limits.relative, difference, known, off)
