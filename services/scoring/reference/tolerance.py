"""How far a feature may lie from the reference before it is off, and how much each counts in following the movement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.movement.features import BONE_COUNT
from services.scoring.movement.landmarks import Floats
from services.scoring.movement.views import angle_variance, bone_variance
from services.scoring.reference.template import Template

RELATIVE_DEG: Final = 8.0
"""Deviation from the reference's movement, ready pose subtracted, that passes in anybody."""
ABSOLUTE_FACTOR: Final = 2.0
"""The pose itself may differ by so much more than the movement: bodies, clothes and cameras differ."""
NOISE_SHARE: Final = 0.75
"""Share of the views' error variance that adds to the tolerance; the rest averages out over a repetition."""
STILL_IMPORTANCE: Final = 0.35
"""Weight, in following and counting, of a feature that does not move in the reference, against 1 for the one that moves
most. The score weighs all bones alike: many faults are movements of what should keep still."""


@dataclass(frozen=True, slots=True)
class Tolerances:
    """What passes, radians, and what counts in following."""

    relative: Floats
    """(60,) of the movement from the ready pose."""
    weight: Floats
    """(60,) 0 to 1; 0 for what the reference does not show."""
    variance: Floats
    """(60,) error variance of what is compared: the worse of the user's views and the reference's one."""

    @property
    def absolute(self) -> Floats:
        """(60,) of the pose itself."""
        return self.relative * ABSOLUTE_FACTOR

    @property
    def scale(self) -> Floats:
        """(60,) factor that turns relative features into rows whose squared distances add up."""
        return np.sqrt(self.weight) / self.relative


def one_view_variance() -> Floats:
    """(60,) error variance of features seen by one camera, itself the reference's camera."""
    bones = bone_variance(0.0)
    return np.concatenate((bones.reshape(-1), angle_variance(bones)))


_OWN: Final = one_view_variance()


class Limits:
    """The tolerances of one template; what no view changes is worked out once."""

    def __init__(self, template: Template):
        spread = template.spread**2
        bones = spread[: 3 * BONE_COUNT].reshape(BONE_COUNT, 3).sum(axis=1)
        # A bone's directions share one spread: a trainer who never strays sideways gives no licence to forbid it.
        spread = np.concatenate((np.repeat(bones, 3), spread[3 * BONE_COUNT :]))
        self._floor = spread + np.radians(RELATIVE_DEG) ** 2
        self._weight = importance(template) * template.known

    def seen_with(self, variance: Floats) -> Tolerances:
        """The trainer's own spread, the floor that passes in anybody, and what the views cannot see.

        `variance` (60,) is the error variance of the user's views; infinite where unknown.
        """
        seen = np.maximum(_OWN, np.where(np.isfinite(variance), variance, _OWN))
        return Tolerances(np.sqrt(self._floor + NOISE_SHARE * seen), self._weight, seen)


def tolerances(template: Template, variance: Floats | None = None) -> Tolerances:
    """As `Limits.seen_with`, for once; None for the reference's own view."""
    return Limits(template).seen_with(_OWN if variance is None else variance)


def bone_movement(template: Template) -> Floats:
    """(14,) root mean square movement of each bone from the ready pose, radians."""
    bones = template.relative()[:, : 3 * BONE_COUNT].reshape(-1, BONE_COUNT, 3)
    out: Floats = np.sqrt(np.square(bones).sum(axis=2).mean(axis=0))
    return out


def importance(template: Template) -> Floats:
    """(60,) weight of each feature by how much its bone or angle moves in the reference."""
    swing = np.ptp(template.features, axis=0)
    bones = np.linalg.norm(swing[: 3 * BONE_COUNT].reshape(-1, 3), axis=1)
    moved = np.concatenate((np.repeat(bones, 3), swing[3 * BONE_COUNT :]))
    top = np.percentile(moved, 95)
    share = np.clip(moved / top, 0.0, 1.0) if top > np.radians(10) else np.ones(len(moved))
    weight: Floats = STILL_IMPORTANCE + (1.0 - STILL_IMPORTANCE) * share
    return weight
