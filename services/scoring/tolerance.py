"""How far a feature may lie from the reference before it is off, and how much each feature counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.features import BONE_COUNT, FEATURES
from services.scoring.landmarks import Floats
from services.scoring.template import Template
from services.scoring.views import angle_variance, bone_variance

RELATIVE_DEG: Final = 8.0
"""Deviation from the reference's movement, ready pose subtracted, that passes in anybody."""
ABSOLUTE_DEG: Final = 16.0
"""Deviation from the reference's pose itself: bodies and cameras differ, so it is wide."""
STILL_IMPORTANCE: Final = 0.35
"""Weight of a feature that does not move in the reference, against 1 for the one that moves most."""


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Standard deviations, radians, and weights of all features."""

    relative: Floats
    """(60,)"""
    absolute: Floats
    """(60,)"""
    weight: Floats
    """(60,) 0 to 1; 0 for what the reference does not show."""

    @property
    def scale(self) -> Floats:
        """(60,) factor that turns relative features into rows whose squared distances add up."""
        return np.sqrt(self.weight) / self.relative


def one_view_variance() -> Floats:
    """(60,) error variance of features seen by one camera, itself the reference's camera."""
    bones = bone_variance(0.0)
    return np.concatenate((bones.reshape(-1), angle_variance(bones)))


def default_tolerances(template: Template) -> Tolerances:
    """Tolerances without any calibration: the trainer's own spread, but no less than the floors and the view's noise."""
    noise = one_view_variance()
    relative = np.sqrt(np.maximum(template.spread**2, np.radians(RELATIVE_DEG) ** 2) + noise)
    absolute = np.sqrt(np.maximum(template.spread**2, np.radians(ABSOLUTE_DEG) ** 2) + noise)
    return Tolerances(relative, absolute, importance(template) * template.known)


def importance(template: Template) -> Floats:
    """(60,) weight of each feature by how much its bone or angle moves in the reference."""
    swing = np.ptp(template.features, axis=0)
    bones = np.linalg.norm(swing[: 3 * BONE_COUNT].reshape(-1, 3), axis=1)
    moved = np.concatenate((np.repeat(bones, 3), swing[3 * BONE_COUNT :]))
    top = np.percentile(moved, 95)
    share = np.clip(moved / top, 0.0, 1.0) if top > np.radians(10) else np.ones(FEATURES)
    weight: Floats = STILL_IMPORTANCE + (1.0 - STILL_IMPORTANCE) * share
    return weight
