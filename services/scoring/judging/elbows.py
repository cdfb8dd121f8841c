"""Elbows that flare in a push-up: the direction in which the arms bend, seen from above, by the pictures of two cameras.

Of how far an elbow points out one camera sees almost nothing, and bones held against its guess blame good form. Where two
pictures place shoulder, elbow and wrist, the elbow's way out of the line between the other two tells it whatever the hands'
width and however deep the push-up.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from services.scoring.movement.landmarks import Floats, Landmark
from services.scoring.movement.stereo import Placed

_L = Landmark
_ARMS: Final = (
    (_L.LEFT_SHOULDER, _L.LEFT_ELBOW, _L.LEFT_WRIST),
    (_L.RIGHT_SHOULDER, _L.RIGHT_ELBOW, _L.RIGHT_WRIST),
)
_SHOULDERS: Final = [_L.LEFT_SHOULDER, _L.RIGHT_SHOULDER]
_HIPS: Final = [_L.LEFT_HIP, _L.RIGHT_HIP]


def flare(pose: Placed) -> tuple[float, float]:
    """Mean of the arms and its standard error, degrees, by the inverse of their variances."""
    back = _flat(pose.points[_HIPS].mean(axis=0) - pose.points[_SHOULDERS].mean(axis=0))
    back = back / max(float(np.linalg.norm(back)), 1e-6)
    left = np.array([-back[1], back[0]])
    if left @ _flat(pose[_L.LEFT_SHOULDER] - pose[_L.RIGHT_SHOULDER]) < 0.0:
        left = -left
    told = [_of_arm(pose, arm, back, out) for arm, out in zip(_ARMS, (left, -left), strict=True)]
    weights = np.array([variance**-1.0 for _, variance in told])
    if not weights.sum() > 0.0:
        return math.nan, math.inf
    mean = float(weights @ [degrees for degrees, _ in told] / weights.sum())
    return mean, float(weights.sum() ** -0.5)


def _of_arm(
    pose: Placed, arm: tuple[Landmark, Landmark, Landmark], back: Floats, out: Floats
) -> tuple[float, float]:
    """Degrees from `back` towards `out`, both (2,), and their variance."""
    shoulder, elbow, wrist = (pose[mark] for mark in arm)
    line = wrist - shoulder
    share = float((elbow - shoulder) @ line / max(float(line @ line), 1e-6))
    weights = np.array([share - 1.0, 1.0, -share])
    bend = weights @ np.stack([_flat(at) for at in (shoulder, elbow, wrist)])
    length = max(float(np.linalg.norm(bend)), 1e-6)
    covariance = np.einsum("m,mij->ij", weights**2, pose.covariance[list(arm)])
    across = np.array([-bend[1], bend[0]]) / length
    variance = float(across @ covariance @ across) / length**2
    return math.degrees(math.atan2(bend @ out, bend @ back)), variance * math.degrees(1.0) ** 2


def _flat(point: Floats) -> Floats:
    """(2,) left and forward."""
    out: Floats = point[[0, 2]]
    return out
