"""How performances of one movement differ though nothing is wrong with them: people from people, and repetitions of one.

Two people who both do it well differ by how they stand, are built and are seen, which is much the same in all phases; by
how far they go, which is along the reference's own movement and grows with it; and by where they stray to on the way,
which grows with it too. What is left is each phase's own. A limb that does not move in the reference hardly differs in
one phase alone, so that 20 degrees there are conspicuous in a first repetition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.movement.features import BONES
from services.scoring.movement.landmarks import Floats


@dataclass(frozen=True, slots=True)
class Variation:
    """Variances of a bone's direction, each (14,)."""

    pose: Floats
    """rad², common to all phases."""
    phase: Floats
    """rad², each phase's own."""
    reach: Floats
    """How much further or less far, along the reference's movement: share of it, squared."""
    stray: Floats
    """To any side, in proportion to how far the reference has moved: share of it, squared."""

    def covariance(self, moved: Floats) -> Floats:
        """(14, 9, 9) rad² between each bone's components in each phase, phase by phase, x, y and z.

        `moved` (3, 14, 3) is how each bone's direction differs from the ready pose in each phase of the reference.
        """
        far = np.linalg.norm(moved, axis=2).T
        alike = (
            self.pose[:, None, None]
            + self.phase[:, None, None] * np.eye(3)
            + self.stray[:, None, None] * far[:, :, None] * far[:, None, :]
        )
        along = moved.transpose(1, 0, 2).reshape(-1, 9)
        out: Floats = between(alike, np.ones((len(alike), 3)))
        out += self.reach[:, None, None] * along[:, :, None] * along[:, None, :]
        return out


def between(phases: Floats, components: Floats) -> Floats:
    """(14, 9, 9) covariance from one between phases (14, 3, 3) and each component's share of it (14, 3)."""
    spread = phases[:, :, None, :, None] * (np.eye(3) * components[:, None, :])[:, None, :, None, :]
    return spread.reshape(-1, 9, 9)


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
    pose=_degrees(     3,    10,     3,   2.5,    13,    13,     7,   7.5,  11.5),
    phase=_degrees(  1.2,   2.2,     1,   1.3,   1.4,   1.6,   0.9,   1.2,   1.3),
    reach=_shares(   0.5,  0.95,   0.9,     1,     1,  0.65,  0.35,  0.75,  0.95),
    stray=_shares(  0.15,     0,   0.2,   0.3,  0.33,  0.36,  0.23,   0.5,  0.95),
)
"""Between what is usual for two people."""
REPETITION: Final = Variation(
    pose=_degrees(   0.8,     3,   0.7,   0.3,   3.7,   4.8,   2.3,   1.6,   5.2),
    phase=_degrees(    1,   1.6,   0.8,   0.8,   2.1,   3.4,     1,   1.1,   0.7),
    reach=_shares(  0.06,  0.55,  0.27,  0.15,   0.3,     0,  0.06,  0.07,  0.13),
    stray=_shares(  0.03,  0.14,  0.07,  0.04,     0,     0,     0,     0,  0.27),
)
"""Between correct repetitions of one person."""
# fmt: on
