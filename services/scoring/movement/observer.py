"""Brings a session's cameras into the reference's axes: where each sees the person from, and what they see together."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from services.scoring.movement.features import BONE, bone_vectors, bone_visibility, bones_of
from services.scoring.movement.landmarks import Floats, View
from services.scoring.movement.levelling import Levels
from services.scoring.movement.pictures import Sight
from services.scoring.movement.views import SAME_VIEW_DEG, UNSEEN, Observed, fused, heading, turn_between

HEADING_S: Final = 2.0
"""Time constant of the estimate from where each camera sees the person."""
SAME_POSTURE_DEG: Final = 20.0
"""A trunk inclined within this of the reference's is in its posture. Whoever lies down for push-ups is seen from elsewhere
than where they stood, by up to 50 degrees as the pose model has it, and begins within two seconds."""
TAKING_UP_S: Final = 0.3
"""The first moments in a posture are still the way into it, and count less."""
_TRUNK: Final = BONE["trunk"]


class Observer:
    """Knows each camera's direction; forgets none, since cameras stand still."""

    def __init__(self, reference_heading: float, ready: Floats | None = None) -> None:
        """`ready` (60,): the pose the reference starts from; None: cameras are taken to be level."""
        self._reference = reference_heading
        self._headings: dict[str, complex] = {}
        self._posture = _inclination(bones_of(ready)) if ready is not None else math.nan
        self._posture_s: dict[str, float] = {}
        """For how long each camera has learnt from the reference's posture; once it has, it learns from no other."""
        self._levels = Levels(bones_of(ready)) if ready is not None else None

    def see(self, views: tuple[View, ...], dt: float, *, settled: bool) -> Observed:
        """What the views show together. While the person moves (`settled` false) their direction is not measured."""
        if not views:
            return UNSEEN
        bones = bone_vectors(np.array([view.world_m for view in views]))
        visible = bone_visibility(np.array([view.visibility for view in views]))
        # One camera has no other to agree with, and its first push-up was lost where its direction changed at once.
        inclinations = [_inclination(one) if len(views) > 1 else math.nan for one in bones]
        turns = [
            self._turn(view.camera_id, angle, dt, settled=settled, inclination=inclination)
            for view, angle, inclination in zip(views, heading(bones).tolist(), inclinations, strict=True)
        ]
        if self._levels is not None:
            for one, view, turn in zip(bones, views, turns, strict=True):
                one[:] = self._levels.level(view.camera_id, one, dt, turn, settled=settled)
        sights = tuple(
            Sight(view.camera_id, self._heading(view.camera_id), view.image_px, view.visibility)
            for view in views
        )
        return fused(bones, visible, turns, sights)

    def _heading(self, camera_id: str) -> float:
        """Where a camera sees the person from as far as is known, radians; NaN: unknown."""
        known = self._headings.get(camera_id)
        return math.atan2(known.imag, known.real) if known is not None else math.nan

    def from_reference(self, camera_id: str) -> bool:
        """Whether this camera sees the person from where the reference's did, as far as is known."""
        turn = math.remainder(self._heading(camera_id) - self._reference, 2 * math.pi)
        return abs(math.degrees(turn)) <= SAME_VIEW_DEG

    def _turn(self, camera_id: str, angle: float, dt: float, *, settled: bool, inclination: float) -> float:
        """What to turn this camera's view by; it sees the person from `angle` now (NaN: that is not seen), their trunk
        inclined by so many degrees (NaN: whatever their posture).
        """
        known = self._headings.get(camera_id)
        if math.isfinite(angle):
            now = complex(math.cos(angle), math.sin(angle))
            if known is None:
                known = now
            elif settled:
                known += self._share(camera_id, dt, inclination) * (now - known)
            self._headings[camera_id] = known
        if known is None:
            return 0.0
        return turn_between(math.atan2(known.imag, known.real), self._reference)

    def _share(self, camera_id: str, dt: float, inclination: float) -> float:
        """What a moment weighs in a camera's direction: a running mean at first, so that what another posture showed is
        soon gone.
        """
        share = 1.0 - math.exp(-dt / HEADING_S)
        if abs(inclination - self._posture) <= SAME_POSTURE_DEG:
            seen_s = self._posture_s[camera_id] = self._posture_s.get(camera_id, 0.0) + dt
            return max(share, dt / (seen_s + TAKING_UP_S))
        return 0.0 if camera_id in self._posture_s and math.isfinite(inclination) else share


def _inclination(bones: Floats) -> float:
    """Degrees between the trunk of bones (14, 3) and the vertical; NaN: it is not seen."""
    up = float(bones[_TRUNK, 1])
    return math.degrees(math.acos(min(max(up, -1.0), 1.0))) if math.isfinite(up) else math.nan
