"""Brings a session's cameras into the reference's axes: where each sees the person from, and what they see together."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from services.scoring.movement.features import bone_vectors, bone_visibility, bones_of
from services.scoring.movement.landmarks import Floats, View
from services.scoring.movement.levelling import Levels
from services.scoring.movement.views import SAME_VIEW_DEG, UNSEEN, Observed, fused, heading, turn_between

HEADING_S: Final = 2.0
"""Time constant of the estimate from where each camera sees the person."""


class Observer:
    """Knows each camera's direction; forgets none, since cameras stand still."""

    def __init__(self, reference_heading: float, ready: Floats | None = None) -> None:
        """`ready` (60,): the pose the reference starts from; None: cameras are taken to be level."""
        self._reference = reference_heading
        self._headings: dict[str, complex] = {}
        self._levels = Levels(bones_of(ready)) if ready is not None else None

    def see(self, views: tuple[View, ...], dt: float, *, settled: bool) -> Observed:
        """What the views show together. While the person moves (`settled` false) their direction is not measured."""
        if not views:
            return UNSEEN
        bones = bone_vectors(np.stack([view.world_m for view in views]))
        visible = bone_visibility(np.stack([view.visibility for view in views]))
        turns = [
            self._turn(view.camera_id, angle, dt, settled=settled)
            for view, angle in zip(views, heading(bones).tolist(), strict=True)
        ]
        if self._levels is not None:
            for one, view, turn in zip(bones, views, turns, strict=True):
                one[:] = self._levels.level(view.camera_id, one, dt, turn, settled=settled)
        return fused(bones, visible, turns)

    def from_reference(self, camera_id: str) -> bool:
        """Whether this camera sees the person from where the reference's did, as far as is known."""
        known = self._headings.get(camera_id)
        if known is None:
            return False
        turn = math.remainder(math.atan2(known.imag, known.real) - self._reference, 2 * math.pi)
        return abs(math.degrees(turn)) <= SAME_VIEW_DEG

    def _turn(self, camera_id: str, angle: float, dt: float, *, settled: bool) -> float:
        """What to turn this camera's view by; it sees the person from `angle` now (NaN: that is not seen)."""
        known = self._headings.get(camera_id)
        if math.isfinite(angle):
            now = complex(math.cos(angle), math.sin(angle))
            if known is None:
                known = now
            elif settled:
                known += (1.0 - math.exp(-dt / HEADING_S)) * (now - known)
            self._headings[camera_id] = known
        if known is None:
            return 0.0
        return turn_between(math.atan2(known.imag, known.real), self._reference)
