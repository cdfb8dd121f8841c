"""Body parts people know, and which features tell of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.movement.features import ANGLE, BONE, BONE_COUNT
from services.scoring.movement.landmarks import Bools, Floats

_FIRST_ANGLE: Final = 3 * BONE_COUNT


def angle_feature(name: str) -> int:
    """Index of an angle within a feature vector."""
    return _FIRST_ANGLE + ANGLE[name]


@dataclass(frozen=True, slots=True)
class Joint:
    """A joint with the limb it moves."""

    name: str
    part: str
    """Group it belongs to: trunk, head, left_arm, right_arm, left_leg, right_leg."""
    bones: tuple[str, ...]
    angles: tuple[str, ...]
    """The first one is the angle reported in degrees."""

    @property
    def features(self) -> list[int]:
        """Indices within a feature vector."""
        bones = [3 * BONE[bone] + axis for bone in self.bones for axis in range(3)]
        return bones + [angle_feature(angle) for angle in self.angles]


def _limbs(side: str) -> tuple[Joint, ...]:
    return (
        Joint(
            f"{side}_shoulder",
            f"{side}_arm",
            (f"{side}_upper_arm",),
            (f"{side}_shoulder", f"{side}_arm_lift"),
        ),
        Joint(f"{side}_elbow", f"{side}_arm", (f"{side}_forearm",), (f"{side}_elbow",)),
        Joint(f"{side}_hip", f"{side}_leg", (f"{side}_thigh",), (f"{side}_hip", f"{side}_thigh_lift")),
        Joint(f"{side}_knee", f"{side}_leg", (f"{side}_shin",), (f"{side}_knee",)),
        Joint(f"{side}_ankle", f"{side}_leg", (f"{side}_foot",), (f"{side}_ankle",)),
    )


JOINTS: Final[tuple[Joint, ...]] = (
    Joint("trunk", "trunk", ("trunk", "shoulders", "hips"), ("trunk_lean", "shoulder_tilt", "hip_tilt")),
    Joint("head", "head", ("head",), ("neck",)),
    *_limbs("left"),
    *_limbs("right"),
)

PAIRED_ANGLES: Final = np.array(
    [
        (angle_feature(name), angle_feature(name.replace("left", "right")))
        for name in ANGLE
        if name.startswith("left") and not name.endswith("ankle")
    ]
)
"""(pairs, 2) indices of each left angle and its right one."""

MEMBERS: Final = np.zeros((len(JOINTS), _FIRST_ANGLE + len(ANGLE)))
"""(joints, 60) share of each squared feature in its joint: a bone's three components are one vector, and count as one."""
for _row, _joint in enumerate(JOINTS):
    MEMBERS[_row, _joint.features] = 1.0 / (len(_joint.bones) + len(_joint.angles))
SEEN_SHARE: Final = 0.3
"""A joint of which less than this is seen is left out."""
MAIN_ANGLES: Final = np.array([angle_feature(joint.angles[0]) for joint in JOINTS])


@dataclass(frozen=True, slots=True)
class JointError:
    """How far one joint is off."""

    joint: str
    degrees: float
    """Signed difference of its main angle, rounded to whole degrees: one camera cannot say more."""
    severity: float
    """In tolerances: 1 is the edge of what passes."""


def joint_severity(z: Floats, known: Bools) -> Floats:
    """Root mean square deviation (…, 12) of each joint from features in tolerances (…, 60); NaN where nothing is known."""
    share = MEMBERS * known
    seen = share.sum(axis=1) / MEMBERS.sum(axis=1)
    power = np.square(np.where(known, z, 0.0)) @ share.T
    out: Floats = np.sqrt(power / np.where(seen > SEEN_SHARE, seen, np.nan))
    return out


def joint_errors(z: Floats, difference: Floats, known: Bools) -> tuple[JointError, ...]:
    """Joints worst first, from features in tolerances (60,) and their differences in radians (60,)."""
    severity = joint_severity(z, known).tolist()
    degrees = np.round(np.degrees(np.where(known, difference, 0.0)[MAIN_ANGLES])).tolist()
    errors = [
        JointError(joint.name, off, value)
        for joint, off, value in zip(JOINTS, degrees, severity, strict=True)
        if value == value
    ]
    return tuple(sorted(errors, key=lambda error: -error.severity))
