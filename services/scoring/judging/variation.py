"""How performances of one movement differ though nothing is wrong with them: people from people, and repetitions of one.

Two people who both do it well differ by how they stand, are built and are seen, which is much the same in all phases; by
how far they are in each phase, which is along the reference's own movement and grows with it; and by where they stray to
on the way, which grows with how far the bone and the one that carries it move. What is left is each phase's own. A limb
that keeps still in the reference hardly differs in one phase alone, so that 20 degrees there are conspicuous in a first
repetition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.movement.features import BONE, BONES
from services.scoring.movement.landmarks import Floats


@dataclass(frozen=True, slots=True)
class Variation:
    """Variances of a bone's direction, each (14,)."""

    pose: Floats
    """rad², common to all phases."""
    phase: Floats
    """rad², each phase's own."""
    reach: Floats
    """How much further or less far along the reference's movement, each phase by itself: share of it, squared."""
    stray: Floats
    """To any side, in proportion to how far the bone and its carrier have moved in the reference: share of it, squared."""

    def covariance(self, moved: Floats) -> Floats:
        """(14, 9, 9) rad² between each bone's components in each phase, phase by phase, x, y and z.

        `moved` (3, 14, 3) is how each bone's direction differs from the ready pose in each phase of the reference.
        """
        own = np.linalg.norm(moved, axis=2).T
        far = np.hypot(own, own[_CARRIERS])
        alike = (
            self.pose[:, None, None]
            + self.phase[:, None, None] * np.eye(3)
            + self.stray[:, None, None] * far[:, :, None] * far[:, None, :]
        )
        out: Floats = between(alike, np.ones((len(alike), 3)))
        along = moved.transpose(1, 0, 2)
        reach = self.reach[:, None, None, None] * along[..., None] * along[..., None, :]
        for phase in range(len(moved)):
            part = slice(3 * phase, 3 * phase + 3)
            out[:, part, part] += reach[:, phase]
        return out


def between(phases: Floats, components: Floats) -> Floats:
    """(14, 9, 9) covariance from one between phases (14, 3, 3) and each component's share of it (14, 3)."""
    spread = phases[:, :, None, :, None] * (np.eye(3) * components[:, None, :])[:, None, :, None, :]
    return spread.reshape(-1, 9, 9)


_CARRIER: Final = {"trunk": "hips", "forearm": "upper_arm", "shin": "thigh", "foot": "shin"}
"""The bone that another hangs from, of the same side; of those not named it is the trunk."""


def _carrier(bone: str) -> int:
    side = bone[: bone.index("_") + 1] if bone.startswith(("left_", "right_")) else ""
    carrier = _CARRIER.get(bone.removeprefix(side))
    return BONE[side + carrier if carrier else "trunk"]


_CARRIERS: Final = [_carrier(bone.name) for bone in BONES]


def _shares(*values: float) -> Floats:
    """(14,) squares, from a figure for each of `_KINDS`, left and right alike."""
    of = dict(zip(_KINDS, values, strict=True))
    return np.array([of[bone.name.removeprefix("left_").removeprefix("right_")] for bone in BONES]) ** 2


def _degrees(*values: float) -> Floats:
    """The same from degrees, in rad²."""
    return _shares(*map(math.radians, values))


# Fitted to UI-PRMD m01-m05, correct repetitions, marker truth (`bench/eval/variation.py`), rounded by hand.
_KINDS: Final = ("trunk", "head", "shoulders", "hips", "upper_arm", "forearm", "thigh", "shin", "foot")
# fmt: off
PERSON: Final = Variation(
    pose=_degrees(   2.7,    10,   3.1,   2.2,    13,    13,   6.1,     5,  12.7),
    phase=_degrees(  0.5,   0.9,   0.6,   0.8,   1.2,   1.5,   0.9,   0.7,   0.4),
    reach=_shares(  0.16,  0.87,  0.33,  0.46,  0.27,  0.05,     0,  0.08,  0.46),
    stray=_shares(  0.24,  0.13,  0.11,  0.22,  0.19,  0.35,  0.18,  0.15,  0.09),
)
"""Between what is usual for two people."""
REPETITION: Final = Variation(
    pose=_degrees(   0.7,   3.2,   0.7,     0,   3.6,   3.4,     1,   0.9,   3.9),
    phase=_degrees(  0.6,   1.2,   0.7,   0.7,   1.9,   2.3,   0.9,   0.8,   0.7),
    reach=_shares(  0.07,  0.51,  0.18,  0.13,  0.04,  0.05,  0.02,  0.06,  0.06),
    stray=_shares(  0.04,  0.04,  0.03,  0.02,  0.06,  0.03,  0.02,  0.02,  0.04),
)
"""Between correct repetitions of one person."""
# fmt: on
