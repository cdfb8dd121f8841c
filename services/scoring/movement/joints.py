"""Body parts people know, and which features tell of each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numba
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
MAIN_ANGLES: Final = tuple(angle_feature(joint.angles[0]) for joint in JOINTS)


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
    rows = np.ascontiguousarray(z).reshape(-1, z.shape[-1])
    return _joint_severity(rows, known, MEMBERS).reshape(*z.shape[:-1], len(JOINTS))


# A loop, since it is asked of every frame.
@numba.njit(cache=True, nogil=True)
def _joint_severity(z: Floats, known: Bools, members: Floats) -> Floats:
    """As above, (n, 12) of (n, 60)."""
    joints, features = members.shape
    out = np.empty((len(z), joints))
    for j in range(joints):
        whole = seen = 0.0
        for k in range(features):
            whole += members[j, k]
            if known[k]:
                seen += members[j, k]
        seen /= whole
        for n in range(len(z)):
            power = 0.0
            for k in range(features):
                if known[k]:
                    power += z[n, k] * z[n, k] * members[j, k]
            out[n, j] = math.sqrt(power / seen) if seen > SEEN_SHARE else np.nan
    return out


def joint_errors(z: Floats, difference: Floats, known: Bools) -> tuple[JointError, ...]:
    """Joints worst first, from features in tolerances (60,) and their differences in radians (60,)."""
    severity = joint_severity(z, known).tolist()
    off, seen = difference.tolist(), known.tolist()
    errors = [
        JointError(joint.name, float(round(math.degrees(off[angle]))) if seen[angle] else 0.0, value)
        for joint, angle, value in zip(JOINTS, MAIN_ANGLES, severity, strict=True)
        if value == value
    ]
    return tuple(sorted(errors, key=lambda error: -error.severity))
