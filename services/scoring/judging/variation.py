"""How performances of one movement differ though nothing is wrong with them: people from people, and repetitions of one.

Two people who both do it well differ by how they stand, are built and are seen, which is much the same in all phases; by
how far they go, which is along the reference's own movement and grows with it; and by where they stray to on the way,
which grows with it too. What is left is each phase's own. A limb that does not move in the reference hardly differs in
one phase alone, so that 20 degrees there are conspicuous in a first repetition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.movement.features import BONES
from services.scoring.movement.landmarks import Floats


def of_bones(**values: float) -> Floats:
    """(14,) from a figure for each kind of bone, left and right alike."""
    return np.array([values[bone.name.removeprefix("left_").removeprefix("right_")] for bone in BONES])


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


# Fitted to UI-PRMD m01-m05, correct repetitions, marker truth (`bench/eval/variation.py`), rounded by hand.
PERSON: Final = Variation(
    pose=np.radians(
        of_bones(
            trunk=3, head=10, shoulders=3, hips=2.5, upper_arm=13, forearm=13, thigh=7, shin=7.5, foot=11.5
        )
    )
    ** 2,
    phase=np.radians(
        of_bones(
            trunk=1.2,
            head=2.2,
            shoulders=1,
            hips=1.3,
            upper_arm=1.4,
            forearm=1.6,
            thigh=0.9,
            shin=1.2,
            foot=1.3,
        )
    )
    ** 2,
    reach=of_bones(
        trunk=0.5,
        head=0.95,
        shoulders=0.9,
        hips=1,
        upper_arm=1,
        forearm=0.65,
        thigh=0.35,
        shin=0.75,
        foot=0.95,
    )
    ** 2,
    stray=of_bones(
        trunk=0.15,
        head=0,
        shoulders=0.2,
        hips=0.3,
        upper_arm=0.33,
        forearm=0.36,
        thigh=0.23,
        shin=0.5,
        foot=0.95,
    )
    ** 2,
)
"""Between what is usual for two people."""
REPETITION: Final = Variation(
    pose=np.radians(
        of_bones(
            trunk=0.8,
            head=3,
            shoulders=0.7,
            hips=0.3,
            upper_arm=3.7,
            forearm=4.8,
            thigh=2.3,
            shin=1.6,
            foot=5.2,
        )
    )
    ** 2,
    phase=np.radians(
        of_bones(
            trunk=1,
            head=1.6,
            shoulders=0.8,
            hips=0.8,
            upper_arm=2.1,
            forearm=3.4,
            thigh=1,
            shin=1.1,
            foot=0.7,
        )
    )
    ** 2,
    reach=of_bones(
        trunk=0.06,
        head=0.55,
        shoulders=0.27,
        hips=0.15,
        upper_arm=0.3,
        forearm=0,
        thigh=0.06,
        shin=0.07,
        foot=0.13,
    )
    ** 2,
    stray=of_bones(
        trunk=0.03, head=0.14, shoulders=0.07, hips=0.04, upper_arm=0, forearm=0, thigh=0, shin=0, foot=0.27
    )
    ** 2,
)
"""Between correct repetitions of one person."""
