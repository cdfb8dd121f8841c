"""What a pose is compared by: 14 unit bone vectors and 18 angles.

Bones are directions, so the size of the body and its place in the room fall out. All vectors here have x to the
picture's right, y up and z towards the camera. The angles are *included* or *inclination* angles between bones; they are
no ISB joint angles, for which 33 landmarks carry too little (no epicondyles, no pelvis markers).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numba
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
_TURN: Final = np.array([-1.0 if angle.turned else 1.0 for angle in ANGLES])
_START: Final = np.array([(bone.start * 2)[:2] for bone in BONES])
_END: Final = np.array([(bone.end * 2)[:2] for bone in BONES])
"""(14, 2) landmarks at each bone's ends; where there is one, it is named twice, and so its own middle."""


def bone_vectors(world_m: Floats) -> Floats:
    """Unit bone vectors (…, 14, 3) of world landmarks (…, 33, 3) given in MediaPipe's axes. NaN stays NaN."""
    rows = np.ascontiguousarray(world_m, dtype=np.float64).reshape(-1, *world_m.shape[-2:])
    return _bone_vectors(rows).reshape(*world_m.shape[:-2], BONE_COUNT, 3)


@numba.njit(cache=True, nogil=True)
def _bone_vectors(world: Floats) -> Floats:
    """As above, (n, 14, 3) of (n, 33, 3): as arrays it took thirty times as long for one frame."""
    out = np.empty((world.shape[0], BONE_COUNT, 3))
    for n in range(world.shape[0]):
        for b in range(BONE_COUNT):
            one, other = world[n, _END[b, 0]], world[n, _END[b, 1]]
            a, c = world[n, _START[b, 0]], world[n, _START[b, 1]]
            x = 0.5 * (one[0] + other[0]) - 0.5 * (a[0] + c[0])
            y = 0.5 * (a[1] + c[1]) - 0.5 * (one[1] + other[1])
            z = 0.5 * (a[2] + c[2]) - 0.5 * (one[2] + other[2])
            length = math.sqrt(x * x + y * y + z * z)
            if not 1e-6 < length < np.inf:
                length = np.nan
            out[n, b, 0], out[n, b, 1], out[n, b, 2] = x / length, y / length, z / length
    return out


def bone_visibility(visibility: Floats) -> Floats:
    """Visibility (…, 14) of each bone: that of its least visible end."""
    rows = np.ascontiguousarray(visibility, dtype=np.float64).reshape(-1, visibility.shape[-1])
    return _bone_visibility(rows).reshape(*visibility.shape[:-1], BONE_COUNT)


@numba.njit(cache=True, nogil=True)
def _bone_visibility(visibility: Floats) -> Floats:
    """As above, (n, 14) of (n, 33). NaN stays NaN."""
    out = np.empty((visibility.shape[0], BONE_COUNT))
    for n in range(visibility.shape[0]):
        for b in range(BONE_COUNT):
            least = np.inf
            for end in range(2):
                for value in (visibility[n, _START[b, end]], visibility[n, _END[b, end]]):
                    if value < least or math.isnan(value):
                        least = value
            out[n, b] = least
    return out


def joint_angles(bones: Floats) -> Floats:
    """Angles (…, 18) in radians of unit bone vectors (…, 14, 3), as flexion.

    A straight knee or elbow reads 0, a hanging arm and a standing hip read 0, an upright trunk reads 0; an ankle reads
    about 1.6 when standing.
    """
    rows = np.ascontiguousarray(bones).reshape(-1, BONE_COUNT, 3)
    return _joint_angles(rows).reshape(*bones.shape[:-2], ANGLE_COUNT)


@numba.njit(cache=True, nogil=True)
def _joint_angles(bones: Floats) -> Floats:
    """As above, (n, 18) of (n, 14, 3)."""
    out = np.empty((bones.shape[0], ANGLE_COUNT))
    for n in range(bones.shape[0]):
        for k in range(ANGLE_COUNT):
            x, y, z = bones[n, _FIRST[k], 0], bones[n, _FIRST[k], 1], bones[n, _FIRST[k], 2]
            if _SECOND[k] < 0:
                a, b, c = 0.0, 1.0 if _SECOND[k] == UP else -1.0, 0.0
            else:
                a, b, c = bones[n, _SECOND[k], 0], bones[n, _SECOND[k], 1], bones[n, _SECOND[k], 2]
            dot = _TURN[k] * (x * a + y * b + z * c)
            if dot > 1.0:
                dot = 1.0
            elif dot < -1.0:
                dot = -1.0
            if _TILT[k]:
                out[n, k] = math.asin(dot)
            else:
                # Near 0 and pi the arc cosine magnifies noise; the two-argument form does not.
                cross = (y * c - z * b) ** 2 + (z * a - x * c) ** 2 + (x * b - y * a) ** 2
                out[n, k] = math.atan2(math.sqrt(cross), dot)
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
