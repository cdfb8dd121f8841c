"""A body on its feet: feet planted on the floor, legs by inverse kinematics, arms in the air."""

import math
from dataclasses import dataclass

import numpy as np

from gym.pose import SIGN, Anchor, Pose, value
from gym.rotation import DOWN, FORWARD, Matrix, Vector, about, about_x, about_y, about_z
from gym.skeleton import Configuration, Rotations, Skeleton, point_limb, reach
from gym.trunk import trunk

_ANCHORS = {"both": "lr", "left": "l", "right": "r", "pelvis": ""}
# How much higher a leg swinging free is carried on its way, metres.
_CLEARANCE = 0.12


def stand(skeleton: Skeleton, pose: Pose, anchor: Anchor) -> Configuration:
    """Bones of a body on its feet; the anchoring legs decide where the pelvis is."""
    rotations = trunk(skeleton, pose)
    pelvis = rotations[skeleton.index["pelvis"]]
    feet = {side: _Foot.of(skeleton, pose, side) for side in "lr"}
    centre = _pelvis_centre(skeleton, pose, anchor, pelvis, feet)
    root = centre + pelvis @ (skeleton.joints[0] - skeleton.hip_centre)
    for side in "lr":
        hip = centre + pelvis @ (skeleton.rest(f"thigh_{side}") - skeleton.hip_centre)
        _leg(skeleton, rotations, pose, side, hip, feet[side])
        _arm(skeleton, rotations, pose, side)
    return skeleton.forward(rotations, root)


@dataclass(frozen=True)
class _Foot:
    """A foot on the floor (or lifted off it): its ankle, and where it points."""

    ankle: Vector
    turn: Matrix
    pitch: float

    @classmethod
    def of(cls, skeleton: Skeleton, pose: Pose, side: str) -> "_Foot":
        sign = SIGN[side]
        rest_ankle, rest_ball = skeleton.rest(f"foot_{side}"), skeleton.rest(f"ball_{side}")
        to_ball = rest_ball - rest_ankle
        rest_turn = math.degrees(math.atan2(sign * to_ball[0], -to_ball[1]))
        turn = about_z(sign * (value(pose, "toe_out", side) - rest_turn))
        pitch = value(pose, "heel", side)
        leg = skeleton.leg_length
        flat = np.array(
            [
                sign * value(pose, "stance", side) * skeleton.half_hips,
                -value(pose, "foot_forward", side) * leg,
                skeleton.ankle_height + (value(pose, "foot_lift", side) + value(pose, "hop")) * leg,
            ]
        )
        # The heel rises about the ball, which stays where it is.
        ankle = flat + turn @ (to_ball - about_x(pitch) @ to_ball)
        return cls(ankle, turn, pitch)


def _pelvis_centre(
    skeleton: Skeleton, pose: Pose, anchor: Anchor, pelvis: Matrix, feet: dict[str, _Foot]
) -> Vector:
    """Where the pelvis must be for the anchoring legs to have the knee flexion and shin lean asked."""
    side_shift = value(pose, "hips_side") * 2 * skeleton.half_hips
    sides = _ANCHORS[anchor]
    if not sides:
        up = skeleton.ankle_height + (value(pose, "height") + value(pose, "hop")) * skeleton.leg_length
        return np.array([side_shift, 0.0, up])
    x = (feet["l"].ankle[0] + feet["r"].ankle[0]) / 2 + side_shift
    centres = []
    for side in sides:
        leg = skeleton.legs[side]
        knee, shin = value(pose, "knee", side), value(pose, "shin", side)
        ankle = feet[side].ankle
        offset = pelvis @ (skeleton.rest(f"thigh_{side}") - skeleton.hip_centre)
        forward = leg.lower_length * math.sin(math.radians(shin)) - leg.upper_length * math.sin(
            math.radians(knee - shin)
        )
        forward *= math.cos(math.radians(value(pose, "toe_out", side)))
        across = x + offset[0] - ankle[0]
        up = math.sqrt(max(leg.span(knee) ** 2 - forward**2 - across**2, 1e-6))
        centres.append((ankle[1] - forward - offset[1], ankle[2] + up - offset[2]))
    # As high as the shorter reach allows: neither leg is pulled off its foot.
    return np.array([x, np.mean([y for y, _ in centres]), min(z for _, z in centres)])


def _leg(skeleton: Skeleton, rotations: Rotations, pose: Pose, side: str, hip: Vector, foot: _Foot) -> None:
    sign, limb = SIGN[side], skeleton.legs[side]
    outwards = sign * (value(pose, "toe_out", side) - value(pose, "knee_in", side))
    turn = about_z(value(pose, "pelvis_turn") + outwards)
    pole = turn @ FORWARD
    ankle, pitch = foot.ankle, foot.pitch
    free = value(pose, "free", side)
    if free > 0:
        thigh, knee = value(pose, "hip", side), value(pose, "knee", side)
        hanging = (
            hip
            + limb.upper_length * (about_x(-thigh) @ DOWN)
            + limb.lower_length * (about_x(knee - thigh) @ DOWN)
        )
        ankle = (1 - free) * ankle + free * hanging
        pitch += free * 0.7 * (knee - thigh)
        # Up before forwards: a foot that leaves the floor does not brush along it.
        ankle[2] += _CLEARANCE * free * (1 - free)
    reach(limb, rotations, hip, ankle, pole)
    rotations[limb.end] = foot.turn @ about_x(pitch)
    rotations[skeleton.index[f"ball_{side}"]] = foot.turn @ about_x(free * pitch)


def _arm(skeleton: Skeleton, rotations: Rotations, pose: Pose, side: str) -> None:
    """An arm in the air: raised in a plane, twisted about itself, bent at the elbow."""
    sign, limb = SIGN[side], skeleton.arms[side]
    level = value(pose, "arms_level")
    base = about_z(value(pose, "pelvis_turn") + value(pose, "trunk_turn"))
    base = (
        base @ about_x((1 - level) * value(pose, "trunk")) @ about_y((1 - level) * value(pose, "trunk_side"))
    )
    plane = math.radians(value(pose, "arm_plane", side))
    # The shortest turn from hanging into the plane; the elbow then still folds forwards or upwards.
    axis = np.array([-math.cos(plane), -sign * math.sin(plane), 0.0])
    swing = base @ about(axis, value(pose, "arm", side))
    direction = swing @ DOWN
    pole = about(direction, -sign * value(pose, "arm_twist", side)) @ (swing @ FORWARD)
    lower = point_limb(limb, rotations, direction, pole, value(pose, "elbow", side))
    palm = -sign * value(pose, "palm", side)
    rotations[limb.end] = about(lower, palm) @ rotations[limb.lower]
    rotations[limb.lower] = about(lower, palm * 0.4) @ rotations[limb.lower]
