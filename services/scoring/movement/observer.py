"""Brings a session's cameras into the reference's axes: where each sees the person from, and what they see together."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from services.scoring.movement.features import bone_vectors
from services.scoring.movement.landmarks import View
from services.scoring.movement.views import SAME_VIEW_DEG, Observed, fuse, heading, turn_between

HEADING_S: Final = 2.0
"""Time constant of the estimate from where each camera sees the person."""


class Observer:
    """Knows each camera's direction; forgets none, since cameras stand still."""

    def __init__(self, reference_heading: float) -> None:
        self._reference = reference_heading
        self._headings: dict[str, complex] = {}

    def see(self, views: tuple[View, ...], dt: float, *, settled: bool) -> Observed:
        """What the views show together. While the person moves (`settled` false) their direction is not measured."""
        good = tuple(view for view in views if np.isfinite(view.world_m).any())
        return fuse(good, tuple(self._turn(view, dt, settled=settled) for view in good))

    def from_reference(self, camera_id: str) -> bool:
        """Whether this camera sees the person from where the reference's did, as far as is known."""
        known = self._headings.get(camera_id)
        if known is None:
            return False
        turn = math.remainder(math.atan2(known.imag, known.real) - self._reference, 2 * math.pi)
        return abs(math.degrees(turn)) <= SAME_VIEW_DEG

    def _turn(self, view: View, dt: float, *, settled: bool) -> float:
        angle = float(heading(bone_vectors(view.world_m)))
        known = self._headings.get(view.camera_id)
        if math.isfinite(angle):
            now = complex(math.cos(angle), math.sin(angle))
            if known is None:
                known = now
            elif settled:
                known += (1.0 - math.exp(-dt / HEADING_S)) * (now - known)
            self._headings[view.camera_id] = known
        if known is None:
            return 0.0
        return turn_between(math.atan2(known.imag, known.real), self._reference)
