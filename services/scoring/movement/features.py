"""What a pose is compared by: 14 unit bone vectors and 18 angles.

Bones are directions, so the size of the body and its place in the room fall out. All vectors here have x to the
picture's right, y up and z towards the camera. The angles are *included* or *inclination* angles between bones; they are
no ISB joint angles, for which 33 landmarks carry too little (no epicondyles, no pelvis markers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.movement.landmarks import Floats, Landmark


@dataclass(frozen=True, slots=True)
class Bone:
    """A direction from the middle of some landmarks to the middle of others."""

    name: str
    start: tuple[Landmark, ...]
    end: tuple[Landmark, ...]
    length_m: float
    """Usual length in an adult; short bones turn landmark error into more angle."""


_L = Landmark
BONES: Final[tuple[Bone, ...]] = (
    Bone("trunk", (_L.LEFT_HIP, _L.RIGHT_HIP), (_L.LEFT_SHOULDER, _L.RIGHT_SHOULDER), 0.50),
    Bone("head", (_L.LEFT_SHOULDER, _L.RIGHT_SHOULDER), (_L.LEFT_EAR, _L.RIGHT_EAR), 0.22),
    Bone("shoulders", (_L.RIGHT_SHOULDER,), (_L.LEFT_SHOULDER,), 0.34),
    Bone("hips", (_L.RIGHT_HIP,), (_L.LEFT_HIP,), 0.22),
    Bone("left_upper_arm", (_L.LEFT_SHOULDER,), (_L.LEFT_ELBOW,), 0.28),
    Bone("right_upper_arm", (_L.RIGHT_SHOULDER,), (_L.RIGHT_ELBOW,), 0.28),
    Bone("left_forearm", (_L.LEFT_ELBOW,), (_L.LEFT_WRIST,), 0.25),
    Bone("right_forearm", (_L.RIGHT_ELBOW,), (_L.RIGHT_WRIST,), 0.25),
    Bone("left_thigh", (_L.LEFT_HIP,), (_L.LEFT_KNEE,), 0.42),
    Bone("right_thigh", (_L.RIGHT_HIP,), (_L.RIGHT_KNEE,), 0.42),
    Bone("left_shin", (_L.LEFT_KNEE,), (_L.LEFT_ANKLE,), 0.40),
    Bone("right_shin", (_L.RIGHT_KNEE,), (_L.RIGHT_ANKLE,), 0.40),
    Bone("left_foot", (_L.LEFT_HEEL,), (_L.LEFT_FOOT_INDEX,), 0.20),
    Bone("right_foot", (_L.RIGHT_HEEL,), (_L.RIGHT_FOOT_INDEX,), 0.20),
)
BONE_COUNT: Final = len(BONES)
BONE: Final = {bone.name: index for index, bone in enumerate(BONES)}
BONE_LENGTHS: Final[Floats] = np.array([bone.length_m for bone in BONES])

UP: Final = -1
DOWN: Final = -2
"""Stand for a vertical direction where an angle wants a second bone."""


@dataclass(frozen=True, slots=True)
class Angle:
    """The angle between two bones, or between a bone and a vertical direction."""

    name: str
    first: int
    second: int
    """Index of a bone, or `UP` or `DOWN`."""
    turned: bool = False
    """Measured to the second bone's opposite, so that a limb in line with the trunk reads 0."""
    tilt: bool = False
    """Measured from the horizontal, -90 to 90 degrees, as tilts are."""


_SIDES: Final = ("left", "right")
_TRUNK: Final = BONE["trunk"]
ANGLES: Final[tuple[Angle, ...]] = (
    *(Angle(f"{side}_elbow", BONE[f"{side}_upper_arm"], BONE[f"{side}_forearm"]) for side in _SIDES),
    *(Angle(f"{side}_shoulder", BONE[f"{side}_upper_arm"], _TRUNK, turned=True) for side in _SIDES),
    *(Angle(f"{side}_hip", BONE[f"{side}_thigh"], _TRUNK, turned=True) for side in _SIDES),
    *(Angle(f"{side}_knee", BONE[f"{side}_thigh"], BONE[f"{side}_shin"]) for side in _SIDES),
    *(Angle(f"{side}_ankle", BONE[f"{side}_shin"], BONE[f"{side}_foot"]) for side in _SIDES),
    Angle("trunk_lean", _TRUNK, UP),
    *(Angle(f"{side}_thigh_lift", BONE[f"{side}_thigh"], DOWN) for side in _SIDES),
    *(Angle(f"{side}_arm_lift", BONE[f"{side}_upper_arm"], DOWN) for side in _SIDES),
    Angle("shoulder_tilt", BONE["shoulders"], UP, tilt=True),
    Angle("hip_tilt", BONE["hips"], UP, tilt=True),
    Angle("neck", BONE["head"], _TRUNK),
)
ANGLE_COUNT: Final = len(ANGLES)
ANGLE: Final = {angle.name: index for index, angle in enumerate(ANGLES)}

FEATURES: Final = 3 * BONE_COUNT + ANGLE_COUNT
"""Length of a feature vector: x, y, z of each bone, then each angle in radians."""

_FIRST: Final = np.array([angle.first for angle in ANGLES])
_SECOND: Final = np.array([angle.second for angle in ANGLES])
_TILT: Final = np.array([angle.tilt for angle in ANGLES])
_TURN: Final = np.array([-1.0 if angle.turned else 1.0 for angle in ANGLES])[:, None]
_TO_UP_AND_TOWARDS: Final = np.array([1.0, -1.0, -1.0])

_VERTICALS: Final = np.array([[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]])  # at DOWN = -2 and UP = -1

_AVERAGE: Final = np.zeros((BONE_COUNT, 33))
for _index, _bone in enumerate(BONES):
    _AVERAGE[_index, list(_bone.end)] += 1.0 / len(_bone.end)
    _AVERAGE[_index, list(_bone.start)] -= 1.0 / len(_bone.start)
_USES: Final = (_AVERAGE != 0.0).T
_ENDS: Final = np.array([(*bone.start, *bone.end, *(bone.end[-1:] * 4))[:4] for bone in BONES])
"""(14, 4) landmarks at each bone's ends; one is named again where there are fewer."""


def bone_vectors(world_m: Floats) -> Floats:
    """Unit bone vectors (…, 14, 3) of world landmarks (…, 33, 3) given in MediaPipe's axes. NaN stays NaN."""
    missing = np.asarray(~np.isfinite(world_m).all(axis=-1))
    # Zero times NaN is NaN, so a missing landmark would spoil every bone; only those that end there shall be.
    filled = np.where(missing[..., None], 0.0, world_m)
    vectors = np.einsum("bl,...lk->...bk", _AVERAGE, filled * _TO_UP_AND_TOWARDS)
    vectors = np.where((missing @ _USES)[..., None], np.nan, vectors)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Floats = vectors / np.where(lengths > 1e-6, lengths, np.nan)
    return unit


def bone_visibility(visibility: Floats) -> Floats:
    """Visibility (…, 14) of each bone: that of its least visible end."""
    least: Floats = visibility[..., _ENDS].min(axis=-1)
    return least


def joint_angles(bones: Floats) -> Floats:
    """Angles (…, 18) in radians of unit bone vectors (…, 14, 3), as flexion.

    A straight knee or elbow reads 0, a hanging arm and a standing hip read 0, an upright trunk reads 0; an ankle reads
    about 1.6 when standing.
    """
    # The verticals are two more bones, so that the indices UP and DOWN find them at the end.
    verticals = np.broadcast_to(_VERTICALS, (*bones.shape[:-2], 2, 3))
    known = np.concatenate((bones, verticals), axis=-2)
    first = known[..., _FIRST, :]
    second = known[..., _SECOND, :] * _TURN
    dot = np.clip(np.sum(first * second, axis=-1), -1.0, 1.0)
    # Near 0 and pi the arc cosine magnifies noise; the two-argument form does not.
    x, y, z = np.moveaxis(first, -1, 0)
    a, b, c = np.moveaxis(second, -1, 0)
    cross = np.sqrt((y * c - z * b) ** 2 + (z * a - x * c) ** 2 + (x * b - y * a) ** 2)
    out: Floats = np.where(_TILT, np.arcsin(dot), np.arctan2(cross, dot))
    return out


def feature_vectors(bones: Floats) -> Floats:
    """Feature vectors (…, 60): the bones' x, y, z and then the angles."""
    flat = bones.reshape(*bones.shape[:-2], 3 * BONE_COUNT)
    return np.concatenate((flat, joint_angles(bones)), axis=-1)


def bones_of(features: Floats) -> Floats:
    """The bones (…, 14, 3) within feature vectors (…, 60)."""
    return features[..., : 3 * BONE_COUNT].reshape(*features.shape[:-1], BONE_COUNT, 3)


def angles_of(features: Floats) -> Floats:
    """The angles (…, 18) within feature vectors (…, 60), radians."""
    return features[..., 3 * BONE_COUNT :]


def renormalised(features: Floats) -> Floats:
    """Features of bones brought back to unit length, with angles recomputed: after averaging or interpolating."""
    bones = bones_of(features)
    return feature_vectors(bones / np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-6))


_MIRROR: Final = np.array(
    [BONE[b.name.replace("left", "#").replace("right", "left").replace("#", "right")] for b in BONES]
)


def mirrored(bones: Floats, lateral: Floats) -> Floats:
    """Bones (…, 14, 3) of the performance seen in a mirror: sides exchanged, `lateral` (3,) direction reversed."""
    swapped = bones[..., _MIRROR, :].copy()
    swapped -= 2.0 * (swapped @ lateral)[..., None] * lateral
    for line in (
        "shoulders",
        "hips",
    ):  # they run from right to left, so exchanging the sides turns them round
        swapped[..., BONE[line], :] = bones[..., BONE[line], :] - 2.0 * (
            (bones[..., BONE[line], :] @ lateral)[..., None] * lateral
        )
        swapped[..., BONE[line], :] *= -1.0
    return swapped
