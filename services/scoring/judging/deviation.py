"""How far a repetition is off, bone by bone, on a scale on which no bone can outweigh the others.

Each bone gives three numbers between 0 and 1: the form of its movement, the range of its movement, and its pose.
They saturate (hyperbolic tangent): past a few tolerances a bone is simply wrong, and one limb that the camera misreads
does not decide the score. On UI-PRMD this separates right from wrong better than any sum of squares
(docs/scoring.md has the table).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numba
import numpy as np

from services.scoring.judging.comparison import Comparison
from services.scoring.movement.features import BONE_COUNT
from services.scoring.movement.landmarks import Bools, Floats
from services.scoring.reference.template import Template
from services.scoring.reference.tolerance import Tolerances, bone_movement

SATURATION: Final = 2.0
"""Tolerances at which a bone is three quarters wrong."""
RANGE_WEIGHT: Final = 0.6
POSE_WEIGHT: Final = 0.4
"""Against 1 for the form. The pose counts least: it carries the differences of bodies and cameras."""
WORST: Final = 4
WORST_WEIGHT: Final = 0.25
"""Weight of the mean of the four worst bones against that of all: a fault of one limb is a fault."""
FULL_RANGE: Final = 0.6
SHORT_WEIGHT: Final = 0.5
"""A movement of less than this share of the sample's range is cut short, at most by so much."""
EXCESS_RANGE: Final = 0.5
"""More range than the sample's is half as wrong as less."""
_BONES: Final = 3 * BONE_COUNT


@dataclass(frozen=True, slots=True)
class Deviations:
    """How far each bone is off, 0 (not at all) to 1; of all bones, known or not."""

    form: Floats
    """(14,)"""
    range: Floats
    """(14,)"""
    pose: Floats
    """(14,)"""
    signed_range: Floats
    """(42,) range of each bone component less the template's, radians."""
    height: float
    """Range of the whole movement, the template's being 1."""
    known: Bools
    """(14,)"""

    def total(self, full_range: float = FULL_RANGE) -> float:
        """One number, 0 to about 1; NaN if fewer than half the bones were seen."""
        if self.known.sum() < BONE_COUNT / 2:
            return math.nan
        form, reach, pose = (part[self.known] for part in (self.form, self.range, self.pose))
        parts = (form + RANGE_WEIGHT * reach + POSE_WEIGHT * pose) / (1.0 + RANGE_WEIGHT + POSE_WEIGHT)
        moved = (form + RANGE_WEIGHT * reach) / (1.0 + RANGE_WEIGHT)
        worst = np.sort(moved)[-WORST:].mean()
        short = SHORT_WEIGHT * math.tanh(max(0.0, full_range - self.height) / 0.2)
        return float(parts.mean() + WORST_WEIGHT * worst) / (1.0 + WORST_WEIGHT) + short

    def mean(self, part: Floats) -> float:
        """Mean of `form`, `range` or `pose` over the bones that were seen; NaN if none was."""
        return float(part[self.known].mean()) if self.known.any() else math.nan


def deviations(comparison: Comparison, template: Template) -> Deviations:
    """Of a repetition laid onto the template's rows."""
    limits = comparison.limits
    signed = np.ptp(comparison.user, axis=0)[:_BONES] - np.ptp(template.features, axis=0)[:_BONES]
    weighed = np.where(signed < 0.0, signed, EXCESS_RANGE * signed)
    noise = np.sqrt(comparison.jitter[:_BONES])
    form, pose = limits.relative[:_BONES], limits.absolute[:_BONES]
    return Deviations(
        form=_saturated(comparison.relative[:, :_BONES] / form, noise / form),
        range=_saturated(weighed[None] / form),
        pose=_saturated(comparison.absolute[:, :_BONES] / pose, noise / pose),
        signed_range=signed,
        height=comparison.height,
        known=np.asarray(comparison.known[:_BONES].reshape(BONE_COUNT, 3).all(axis=1)),
    )


def momentary(relative: Floats, absolute: Floats, known: Bools, limits: Tolerances) -> float:
    """As `Deviations.total`, of one frame (60,): its form stands in for the range, which one frame does not show."""
    return float(_momentary(relative, absolute, known, limits.relative, limits.absolute, BONE_COUNT))


# A loop over bones, since it is asked of every frame.
@numba.njit(cache=True, nogil=True)
def _momentary(
    relative: Floats, absolute: Floats, known: Bools, limit: Floats, wide: Floats, bones: int
) -> float:
    form = np.empty(bones)
    seen, total = 0, 0.0
    for b in range(bones):
        moved = off = 0.0
        there = True
        for k in range(3 * b, 3 * b + 3):
            moved += (relative[k] / limit[k]) ** 2
            off += (absolute[k] / wide[k]) ** 2
            there = there and known[k]
        if there:
            form[seen] = math.tanh(math.sqrt(moved) / SATURATION)
            total += (1.0 + RANGE_WEIGHT) * form[seen] + POSE_WEIGHT * math.tanh(math.sqrt(off) / SATURATION)
            seen += 1
    if 2 * seen < bones:
        return np.nan
    worst = np.sort(form[:seen])[-WORST:].mean()
    mean = total / (seen * (1.0 + RANGE_WEIGHT + POSE_WEIGHT))
    return float((mean + WORST_WEIGHT * worst) / (1.0 + WORST_WEIGHT))


def _saturated(z: Floats, noise: Floats | None = None) -> Floats:
    """(14,) from deviations in tolerances (rows, 42): the root mean square over time of each bone's length.

    `noise` (42,), standard deviations in tolerances, has added its own square to the mean square, and is taken off.
    """
    square = np.square(z).mean(axis=0) - (0.0 if noise is None else np.square(noise))
    length = np.sqrt(np.maximum(square.reshape(BONE_COUNT, 3).sum(axis=1), 0.0))
    out: Floats = np.tanh(length / SATURATION)
    return out


def extent(template: Template, limits: Tolerances) -> float:
    """How much of the body moves in the reference, 0 to 1: a squat about 0.45, an arm raise about 0.2."""
    own = limits.relative[:_BONES].reshape(BONE_COUNT, 3).mean(axis=1)
    return float(np.tanh(bone_movement(template) / own / SATURATION).mean())
