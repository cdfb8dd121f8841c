"""A body on hands or forearms and toes: the trunk slopes so that the arms just reach what they rest on."""

import math
from dataclasses import dataclass

import numpy as np

from gym.pose import INDEX, SIGN, Pose, Support, value
from gym.rotation import DOWN, FORWARD, Matrix, Vector, about_x, about_z, frame, unit
from gym.skeleton import Configuration, Rotations, Skeleton, reach
from gym.trunk import trunk

_WRIST_HEIGHT = 0.045
_ELBOW_HEIGHT = 0.05


@dataclass(frozen=True)
class Plant:
    """Where a body on hands or forearms keeps them and its toes, metres along y."""

    hands: float
    toes: float


def plant_for(skeleton: Skeleton, pose: Pose, support: Support) -> Plant:
    """Where hands and toes stay, so that the body in `pose` has its hands under its shoulders.

    The middle of the body then lies about the origin.
    """
    half = 0.45 * (skeleton.leg_length + float(skeleton.rest("upperarm_l")[2] - skeleton.hip_centre[2]))
    far = Plant(hands=0.0, toes=half)
    incline = _incline(skeleton, pose, support, far, fixed_hands=False)
    shoulder = _shoulders(skeleton, pose, incline, far)["l"]
    ahead = value(pose, "hand_forward", "l")
    return Plant(hands=float(shoulder[1]) - ahead, toes=half)


def lie(skeleton: Skeleton, pose: Pose, support: Support, plant: Plant) -> Configuration:
    """Bones of a body on its hands or forearms and toes, which stay at their plant."""
    incline = _incline(skeleton, pose, support, plant, fixed_hands=True)
    pose = _leaning(pose, incline)
    rotations = trunk(skeleton, pose, prone=True)
    pelvis = rotations[0]
    centre = _hips(skeleton, pose, incline, plant)
    for side, sign in SIGN.items():
        hip = centre + pelvis @ (skeleton.rest(f"thigh_{side}") - skeleton.hip_centre)
        ankle, turn, pitch = _toe_pinned(skeleton, pose, side, plant)
        reach(skeleton.legs[side], rotations, hip, ankle, np.array([0.0, -0.3, -1.0]))
        rotations[skeleton.index[f"foot_{side}"]] = turn @ about_x(pitch)
        rotations[skeleton.index[f"ball_{side}"]] = turn
        shoulder = _carried(skeleton, rotations, centre, f"upperarm_{side}")
        hand = _support_point(skeleton, pose, side, support, plant)
        flat = _flat_hand(skeleton, side)
        limb = skeleton.arms[side]
        if support == "hands":
            flare = math.radians(value(pose, "arm_plane", side))
            pole = np.array([sign * math.sin(flare), math.cos(flare), 0.15])
            reach(limb, rotations, shoulder, hand, pole)
        else:
            wrist = hand + np.array([-sign * 0.04, -limb.lower_length, 0.0])
            pole = hand - (shoulder + wrist) / 2
            reach(limb, rotations, shoulder, wrist, pole)
        rotations[limb.end] = flat
    return skeleton.forward(rotations, centre + pelvis @ (skeleton.joints[0] - skeleton.hip_centre))


def _incline(skeleton: Skeleton, pose: Pose, support: Support, plant: Plant, *, fixed_hands: bool) -> float:
    """The trunk's slope, degrees from level, at which the arms just reach what they rest on (secant)."""
    arm = skeleton.arms["l"]

    def beyond(incline: float) -> float:
        shoulder = _shoulders(skeleton, pose, incline, plant)["l"]
        hand = _support_point(skeleton, pose, "l", support, plant)
        gap = hand - shoulder
        if not fixed_hands:
            gap[1] = -value(pose, "hand_forward", "l")
        wanted = arm.span(value(pose, "elbow", "l")) if support == "hands" else arm.upper_length
        return float(np.linalg.norm(gap)) - wanted

    a, b = 12.0, 22.0
    fa, fb = beyond(a), beyond(b)
    for _ in range(12):
        if abs(fb) < 1e-6 or fa == fb:
            break
        a, b, fa = b, b - fb * (b - a) / (fb - fa), fb
        fb = beyond(b)
    return b


def _leaning(pose: Pose, incline: float) -> Pose:
    leaning = pose.copy()
    leaning[INDEX["trunk"]] = 90.0 - incline
    leaning[INDEX["head"]] = 90.0 - incline + value(pose, "head")
    return leaning


def _shoulders(skeleton: Skeleton, pose: Pose, incline: float, plant: Plant) -> dict[str, Vector]:
    rotations = trunk(skeleton, _leaning(pose, incline), prone=True)
    centre = _hips(skeleton, pose, incline, plant)
    return {side: _carried(skeleton, rotations, centre, f"upperarm_{side}") for side in "lr"}


def _carried(skeleton: Skeleton, rotations: Rotations, centre: Vector, bone: str) -> Vector:
    """A joint's place, by the chain of bones from the pelvis up."""
    chain = [skeleton.index[bone]]
    while chain[-1] > 1:
        chain.append(skeleton.parents[chain[-1]])
    place: Vector = centre + rotations[1] @ (skeleton.rest("pelvis") - skeleton.hip_centre)
    for i in reversed(chain[:-1]):
        place = place + rotations[skeleton.parents[i]] @ skeleton.offsets[i]
    return np.asarray(place)


def _hips(skeleton: Skeleton, pose: Pose, incline: float, plant: Plant) -> Vector:
    """The middle of the hips: a leg's length from the ankles, along the slope less the sag."""
    ankle = np.mean([_toe_pinned(skeleton, pose, side, plant)[0] for side in "lr"], axis=0)
    slope = math.radians(incline - value(pose, "sag"))
    span = skeleton.legs["l"].span(value(pose, "knee", "l"))
    return np.array([0.0, ankle[1] - span * math.cos(slope), ankle[2] + span * math.sin(slope)])


def _toe_pinned(skeleton: Skeleton, pose: Pose, side: str, plant: Plant) -> tuple[Vector, Matrix, float]:
    sign = SIGN[side]
    rest_ankle, rest_ball = skeleton.rest(f"foot_{side}"), skeleton.rest(f"ball_{side}")
    pitch = value(pose, "heel", side)
    to_ball = rest_ball - rest_ankle
    ball = np.array(
        [sign * value(pose, "stance", side) * skeleton.half_hips, plant.toes, float(rest_ball[2])]
    )
    turn = about_z(sign * -math.degrees(math.atan2(sign * to_ball[0], -to_ball[1])))
    return ball - turn @ about_x(pitch) @ to_ball, turn, pitch


def _support_point(skeleton: Skeleton, pose: Pose, side: str, support: Support, plant: Plant) -> Vector:
    """Wrist or elbow on the floor."""
    height = _WRIST_HEIGHT if support == "hands" else _ELBOW_HEIGHT
    x = SIGN[side] * value(pose, "hand_width", side) * skeleton.half_shoulders
    return np.array([x, plant.hands, height])


def _flat_hand(skeleton: Skeleton, side: str) -> Matrix:
    along, facing = skeleton.palm(side)
    return np.asarray(frame(FORWARD + 0.15 * DOWN, unit(DOWN)) @ frame(along, facing).T)
