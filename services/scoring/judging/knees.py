"""Knees that fall inwards at the bottom of a squat: a fault of a few degrees that whole-body differences drown.

What counts is how far the knees stand inside the line from hip to ankle, in the plane of the hips: thighs point less
outwards and shins more. Taking half the difference of the two leaves the width of the stance out.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from services.scoring.judging.comparison import Comparison
from services.scoring.movement.features import BONE, BONE_COUNT, bones_of
from services.scoring.movement.joints import JointError
from services.scoring.movement.landmarks import Floats
from services.scoring.reference.template import Phase, Template

EXERCISES: Final = frozenset({"squat"})
PASSES: Final = math.radians(8.5)
"""Further inwards than the sample by this much passes: knees are seen no better."""
WEIGHT: Final = 0.6
"""What knees far inside add to the deviation, at most."""
_LEGS: Final = ("left_thigh", "right_thigh", "left_shin", "right_shin")


def inwards(comparison: Comparison, template: Template) -> float:
    """How much further in than the sample's the knees are at the far end, radians; NaN where it cannot be told."""
    rows = np.asarray(template.phases == Phase.TURN)
    seen = np.asarray(comparison.known[: 3 * BONE_COUNT].reshape(BONE_COUNT, 3).all(axis=1))
    if (
        template.exercise not in EXERCISES
        or not rows.any()
        or not all(seen[BONE[name]] for name in (*_LEGS, "hips"))
    ):
        return math.nan
    return _outwards(template.features[rows]) - _outwards(comparison.user[rows])


def penalty(inwards_rad: float) -> float:
    """What it adds to a repetition's deviation."""
    return WEIGHT * math.tanh(max(0.0, inwards_rad - PASSES) / PASSES) if math.isfinite(inwards_rad) else 0.0


def error(inwards_rad: float) -> JointError | None:
    """As an error of both knees, if they are too far in."""
    if not inwards_rad > PASSES:
        return None
    return JointError("knees", -float(np.round(math.degrees(inwards_rad))), inwards_rad / PASSES)


def _outwards(features: Floats) -> float:
    """Mean angle by which the knees stand outside the line from hip to ankle; features (rows, 60)."""
    bones = bones_of(features)
    across = bones[:, BONE["hips"]] * (1.0, 0.0, 1.0)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    left_thigh, right_thigh, left_shin, right_shin = (
        np.arcsin(np.clip((bones[:, BONE[name]] * across).sum(axis=1), -1.0, 1.0)) for name in _LEGS
    )
    return float(((left_thigh - right_thigh) - (left_shin - right_shin)).mean() / 4.0)
