"""How far a camera looks up or down on the person, against the camera that made the reference.

A pose model's vertical hangs on its camera: seen from above, a person who stands upright leans towards it. Whoever stands
still has the middle of their body over their feet, whatever the pose, so the line between these two shows the tilt; a pose
model shows about half of it, as it has mostly seen level cameras. Somebody who lies, sits or kneels shows none.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from services.scoring.movement.features import BONE
from services.scoring.movement.landmarks import Floats

SHOWN: Final = 0.6
"""Share of the tilt between two cameras that the pose model shows. Measured: 0.37 to 0.59 on the virtual gym, cameras 0.5 to
2.4 m high; 0.58 to 0.76 on a recording of three calibrated cameras that look down by 18 to 25 degrees."""
NONE_DEG: Final = 2.0
"""Differences up to this are people's: of one camera's people they scatter by 0.9 degrees …"""
CERTAIN_DEG: Final = 5.0
"""… and from this on they are the camera's."""
FROM_ELSEWHERE_DEG: Final = 4.5
"""A view from another side shows so much more or less of a tilt that is none, and so has to show more."""
UPRIGHT: Final = math.cos(math.radians(40))
LEVEL_S: Final = 2.0
"""Time constant of the estimate."""
_TRUNK: Final = BONE["trunk"]
_LEGS: Final = tuple(BONE[f"{side}_{bone}"] for bone in ("thigh", "shin") for side in ("left", "right"))
_TO_MIDDLE_M: Final = 0.45
_THIGH_M: Final = 0.42
_SHIN_M: Final = 0.40


def lean(bones: Floats) -> float:
    """How far bones (14, 3) of somebody who stands lean towards the camera, radians; NaN: they do not stand."""
    _, up, near = bones[_TRUNK].tolist()
    legs = [bones[bone].tolist() for bone in _LEGS]
    if not up > UPRIGHT or not all(y < -UPRIGHT for _, y, _ in legs):
        return math.nan
    (_, ly, lz), (_, ry, rz), (_, lsy, lsz), (_, rsy, rsz) = legs
    y = _TO_MIDDLE_M * up - _THIGH_M * (ly + ry) / 2 - _SHIN_M * (lsy + rsy) / 2
    z = _TO_MIDDLE_M * near - _THIGH_M * (lz + rz) / 2 - _SHIN_M * (lsz + rsz) / 2
    return math.atan2(z, y)


def tilt(difference: float, turn: float) -> float:
    """What to turn bones back by, radians, that lean by so much more towards their camera than the reference's do, and are
    seen from `turn` radians beside it.
    """
    off = math.degrees(abs(difference)) - NONE_DEG - FROM_ELSEWHERE_DEG * abs(math.sin(turn))
    share = min(max(off / (CERTAIN_DEG - NONE_DEG), 0.0), 1.0)
    return difference / SHOWN * share * share * (3.0 - 2.0 * share)


def levelled(bones: Floats, angle: float) -> Floats:
    """Bones (…, 3) turned about the picture's horizontal, so that what leans towards the camera by `angle` is upright."""
    cos, sin = math.cos(angle), math.sin(angle)
    out: Floats = bones @ np.array([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]])
    return out


class Levels:
    """Knows how people lean in each camera's picture while they stand; forgets none, since cameras stand still."""

    def __init__(self, reference: Floats) -> None:
        """`reference`: bones (14, 3) of the pose the reference starts from."""
        self._reference = lean(reference)
        self._leans: dict[str, float] = {}

    def level(self, camera_id: str, bones: Floats, dt: float, turn: float, *, settled: bool) -> Floats:
        """Bones (14, 3) as the reference's camera would have them upright. Learnt only while the person is `settled`."""
        if math.isnan(self._reference):
            return bones
        known = self._leans.get(camera_id)
        if settled or known is None:
            now = lean(bones)
            if not math.isnan(now):
                share = 1.0 - math.exp(-dt / LEVEL_S) if known is not None else 1.0
                known = now if known is None else known + share * (now - known)
                self._leans[camera_id] = known
        if known is None:
            return bones
        angle = tilt(known - self._reference, turn)
        return levelled(bones, angle) if angle else bones
