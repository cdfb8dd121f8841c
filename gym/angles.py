"""Joint angles from 33 landmarks: interior angles in degrees (180 is straight), and the trunk's lean."""

from collections.abc import Mapping

import numpy as np

from gym.anatomy import Floats
from gym.landmarks import INDEX
from gym.rotation import angle

# name: the landmarks at whose middle one the angle is measured
_JOINTS: Mapping[str, tuple[str, str, str]] = {
    f"{side}_{name}": (f"{side}_{a}", f"{side}_{b}", f"{side}_{c}")
    for side in ("left", "right")
    for name, (a, b, c) in {
        "elbow": ("shoulder", "elbow", "wrist"),
        "shoulder": ("hip", "shoulder", "elbow"),
        "hip": ("shoulder", "hip", "knee"),
        "knee": ("hip", "knee", "ankle"),
        "ankle": ("knee", "ankle", "foot_index"),
    }.items()
}


def joint_angles(landmarks: Floats) -> dict[str, float]:
    """Of landmarks in metres (33, 3), z up. `trunk_lean` is measured from upright."""
    angles = {}
    for name, (a, b, c) in _JOINTS.items():
        first, middle, last = (landmarks[INDEX[n]] for n in (a, b, c))
        angles[name] = angle(first - middle, last - middle)
    shoulders = (landmarks[INDEX["left_shoulder"]] + landmarks[INDEX["right_shoulder"]]) / 2
    hips = (landmarks[INDEX["left_hip"]] + landmarks[INDEX["right_hip"]]) / 2
    angles["trunk_lean"] = angle(shoulders - hips, np.array([0.0, 0.0, 1.0]))
    return angles
