"""Pelvis, spine, collarbones, neck and head from a pose."""

import numpy as np

from gym.pose import SIGN, Pose, value
from gym.rotation import about_x, about_y, about_z
from gym.skeleton import Rotations, Skeleton

# Share of the trunk's lean that each part of the spine takes.
_PELVIS_LEAN, _LUMBAR_LEAN = 0.92, 0.97
# The collarbone follows an arm raised beyond this angle, by this share (scapulohumeral rhythm).
_SHRUG_FROM, _SHRUG_SHARE = 35.0, 0.16


def trunk(skeleton: Skeleton, pose: Pose, *, prone: bool = False) -> Rotations:
    """Rotations of pelvis, spine, collarbones, neck and head; the limbs' are left to set."""
    index = skeleton.index
    rotations = np.tile(np.eye(3), (len(skeleton.joints), 1, 1))
    lean, side = value(pose, "trunk"), value(pose, "trunk_side")
    turn, twist = value(pose, "pelvis_turn"), value(pose, "trunk_turn")
    share = (1.0, 1.0) if prone else (_PELVIS_LEAN, _LUMBAR_LEAN)
    pelvis = about_z(turn) @ about_x(lean * share[0]) @ about_y(0.3 * side + value(pose, "pelvis_drop"))
    rotations[[index["Root"], index["pelvis"]]] = pelvis
    rotations[index["spine_01"]] = (
        about_z(turn + 0.3 * twist) @ about_x(lean * share[1]) @ about_y(0.6 * side)
    )
    rotations[index["spine_02"]] = about_z(turn + 0.7 * twist) @ about_x(lean) @ about_y(0.9 * side)
    rounded = lean + value(pose, "round")
    chest = about_z(turn + twist) @ about_x(rounded) @ about_y(side)
    rotations[index["spine_03"]] = chest
    head = value(pose, "head")
    facing = turn + twist + value(pose, "head_turn")
    rotations[index["neck_01"]] = about_z((turn + twist + facing) / 2) @ about_x((rounded + head) / 2)
    rotations[index["head"]] = about_z(facing) @ about_x(head)
    for s, sign in SIGN.items():
        shrug = _SHRUG_SHARE * max(0.0, value(pose, "arm", s) - _SHRUG_FROM)
        rotations[index[f"clavicle_{s}"]] = chest @ about_y(-sign * (0.0 if prone else shrug))
    return rotations
