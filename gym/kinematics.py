"""From pose variables to a body's bones: on its feet, or on hands or forearms and toes.

In a body's own frame it faces -y and stands around the origin, on z = 0.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gym.pose import INDEX, Pose
from gym.rotation import DOWN, FORWARD, Matrix, Vector, about, about_x, about_y, about_z, frame, unit
from gym.skeleton import Configuration, Rotations, Skeleton, point_limb, reach

Support = Literal["feet", "hands", "forearms"]
Anchor = Literal["both", "left", "right", "pelvis"]

_SIGN = {"l": 1.0, "r": -1.0}
_ANCHORS = {"both": "lr", "left": "l", "right": "r", "pelvis": ""}
# Share of the trunk's lean that each part of the spine takes.
_PELVIS_LEAN, _LUMBAR_LEAN = 0.92, 0.97
# The collarbone follows an arm raised beyond this angle, by this share (scapulohumeral rhythm).
_SHRUG_FROM, _SHRUG_SHARE = 35.0, 0.16
# How much higher a leg swinging free is carried on its way, metres.
_CLEARANCE = 0.12
_WRIST_HEIGHT = 0.045
_ELBOW_HEIGHT = 0.05


@dataclass(frozen=True)
class Plant:
    """Where a body on hands or forearms keeps them and its toes, metres along y."""

    hands: float
    toes: float


def solve(
    skeleton: Skeleton, pose: Pose, support: Support, anchor: Anchor, plant: Plant | None
) -> Configuration:
    """Bones for a pose. `plant` comes from `plant_for` and is needed off the feet only."""
    if support == "feet":
        return _stand(skeleton, pose, anchor)
    if plant is None:
        raise ValueError(f"a body on its {support} needs a plant: call plant_for() with its first pose")
    return _prone(skeleton, pose, support, plant)


def _value(pose: Pose, name: str, side: str = "") -> float:
    return float(pose[INDEX[f"{name}_{side}" if side else name]])


def _stand(skeleton: Skeleton, pose: Pose, anchor: Anchor) -> Configuration:
    rotations = _trunk(skeleton, pose)
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
        sign = _SIGN[side]
        rest_ankle, rest_ball = skeleton.rest(f"foot_{side}"), skeleton.rest(f"ball_{side}")
        to_ball = rest_ball - rest_ankle
        rest_turn = math.degrees(math.atan2(sign * to_ball[0], -to_ball[1]))
        turn = about_z(sign * (_value(pose, "toe_out", side) - rest_turn))
        pitch = _value(pose, "heel", side)
        leg = skeleton.leg_length
        flat = np.array(
            [
                sign * _value(pose, "stance", side) * skeleton.half_hips,
                -_value(pose, "foot_forward", side) * leg,
                skeleton.ankle_height + (_value(pose, "foot_lift", side) + _value(pose, "hop")) * leg,
            ]
        )
        # The heel rises about the ball, which stays where it is.
        ankle = flat + turn @ (to_ball - about_x(pitch) @ to_ball)
        return cls(ankle, turn, pitch)


def _pelvis_centre(
    skeleton: Skeleton, pose: Pose, anchor: Anchor, pelvis: Matrix, feet: dict[str, _Foot]
) -> Vector:
    """Where the pelvis must be for the anchoring legs to have the knee flexion and shin lean asked."""
    side_shift = _value(pose, "hips_side") * 2 * skeleton.half_hips
    sides = _ANCHORS[anchor]
    if not sides:
        up = skeleton.ankle_height + (_value(pose, "height") + _value(pose, "hop")) * skeleton.leg_length
        return np.array([side_shift, 0.0, up])
    x = (feet["l"].ankle[0] + feet["r"].ankle[0]) / 2 + side_shift
    centres = []
    for side in sides:
        leg = skeleton.legs[side]
        knee, shin = _value(pose, "knee", side), _value(pose, "shin", side)
        ankle = feet[side].ankle
        offset = pelvis @ (skeleton.rest(f"thigh_{side}") - skeleton.hip_centre)
        forward = leg.lower_length * math.sin(math.radians(shin)) - leg.upper_length * math.sin(
            math.radians(knee - shin)
        )
        forward *= math.cos(math.radians(_value(pose, "toe_out", side)))
        across = x + offset[0] - ankle[0]
        up = math.sqrt(max(leg.span(knee) ** 2 - forward**2 - across**2, 1e-6))
        centres.append((ankle[1] - forward - offset[1], ankle[2] + up - offset[2]))
    # As high as the shorter reach allows: neither leg is pulled off its foot.
    return np.array([x, np.mean([y for y, _ in centres]), min(z for _, z in centres)])


def _leg(skeleton: Skeleton, rotations: Rotations, pose: Pose, side: str, hip: Vector, foot: _Foot) -> None:
    sign, limb = _SIGN[side], skeleton.legs[side]
    outwards = sign * (_value(pose, "toe_out", side) - _value(pose, "knee_in", side))
    turn = about_z(_value(pose, "pelvis_turn") + outwards)
    pole = turn @ FORWARD
    ankle, pitch = foot.ankle, foot.pitch
    free = _value(pose, "free", side)
    if free > 0:
        thigh, knee = _value(pose, "hip", side), _value(pose, "knee", side)
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


def _trunk(skeleton: Skeleton, pose: Pose, *, prone: bool = False) -> Rotations:
    """Rotations of pelvis, spine, collarbones, neck and head; the limbs' are left to set."""
    index = skeleton.index
    rotations = np.tile(np.eye(3), (len(skeleton.joints), 1, 1))
    lean, side = _value(pose, "trunk"), _value(pose, "trunk_side")
    turn, twist = _value(pose, "pelvis_turn"), _value(pose, "trunk_turn")
    share = (1.0, 1.0) if prone else (_PELVIS_LEAN, _LUMBAR_LEAN)
    pelvis = about_z(turn) @ about_x(lean * share[0]) @ about_y(0.3 * side + _value(pose, "pelvis_drop"))
    rotations[[index["Root"], index["pelvis"]]] = pelvis
    rotations[index["spine_01"]] = (
        about_z(turn + 0.3 * twist) @ about_x(lean * share[1]) @ about_y(0.6 * side)
    )
    rotations[index["spine_02"]] = about_z(turn + 0.7 * twist) @ about_x(lean) @ about_y(0.9 * side)
    rounded = lean + _value(pose, "round")
    chest = about_z(turn + twist) @ about_x(rounded) @ about_y(side)
    rotations[index["spine_03"]] = chest
    head = _value(pose, "head")
    facing = turn + twist + _value(pose, "head_turn")
    rotations[index["neck_01"]] = about_z((turn + twist + facing) / 2) @ about_x((rounded + head) / 2)
    rotations[index["head"]] = about_z(facing) @ about_x(head)
    for s, sign in _SIGN.items():
        shrug = _SHRUG_SHARE * max(0.0, _value(pose, "arm", s) - _SHRUG_FROM)
        rotations[index[f"clavicle_{s}"]] = chest @ about_y(-sign * (0.0 if prone else shrug))
    return rotations


def _arm(skeleton: Skeleton, rotations: Rotations, pose: Pose, side: str) -> None:
    """An arm in the air: raised in a plane, twisted about itself, bent at the elbow."""
    sign, limb = _SIGN[side], skeleton.arms[side]
    level = _value(pose, "arms_level")
    base = about_z(_value(pose, "pelvis_turn") + _value(pose, "trunk_turn"))
    base = (
        base
        @ about_x((1 - level) * _value(pose, "trunk"))
        @ about_y((1 - level) * _value(pose, "trunk_side"))
    )
    plane = math.radians(_value(pose, "arm_plane", side))
    # The shortest turn from hanging into the plane; the elbow then still folds forwards or upwards.
    axis = np.array([-math.cos(plane), -sign * math.sin(plane), 0.0])
    swing = base @ about(axis, _value(pose, "arm", side))
    direction = swing @ DOWN
    pole = about(direction, -sign * _value(pose, "arm_twist", side)) @ (swing @ FORWARD)
    lower = point_limb(limb, rotations, direction, pole, _value(pose, "elbow", side))
    palm = -sign * _value(pose, "palm", side)
    rotations[limb.end] = about(lower, palm) @ rotations[limb.lower]
    rotations[limb.lower] = about(lower, palm * 0.4) @ rotations[limb.lower]


# -- on hands or forearms


def plant_for(skeleton: Skeleton, pose: Pose, support: Support) -> Plant:
    """Where hands and toes stay, so that the body in `pose` has its hands under its shoulders.

    The middle of the body then lies about the origin.
    """
    half = 0.45 * (skeleton.leg_length + float(skeleton.rest("upperarm_l")[2] - skeleton.hip_centre[2]))
    far = Plant(hands=0.0, toes=half)
    incline = _incline(skeleton, pose, support, far, fixed_hands=False)
    shoulder = _shoulders(skeleton, pose, incline, far)["l"]
    ahead = _value(pose, "hand_forward", "l")
    return Plant(hands=float(shoulder[1]) - ahead, toes=half)


def _prone(skeleton: Skeleton, pose: Pose, support: Support, plant: Plant) -> Configuration:
    incline = _incline(skeleton, pose, support, plant, fixed_hands=True)
    pose = _leaning(pose, incline)
    rotations = _trunk(skeleton, pose, prone=True)
    pelvis = rotations[0]
    centre = _hips(skeleton, pose, incline, plant)
    for side, sign in _SIGN.items():
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
            flare = math.radians(_value(pose, "arm_plane", side))
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
            gap[1] = -_value(pose, "hand_forward", "l")
        wanted = arm.span(_value(pose, "elbow", "l")) if support == "hands" else arm.upper_length
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
    leaning[INDEX["head"]] = 90.0 - incline + _value(pose, "head")
    return leaning


def _shoulders(skeleton: Skeleton, pose: Pose, incline: float, plant: Plant) -> dict[str, Vector]:
    rotations = _trunk(skeleton, _leaning(pose, incline), prone=True)
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
    slope = math.radians(incline - _value(pose, "sag"))
    span = skeleton.legs["l"].span(_value(pose, "knee", "l"))
    return np.array([0.0, ankle[1] - span * math.cos(slope), ankle[2] + span * math.sin(slope)])


def _toe_pinned(skeleton: Skeleton, pose: Pose, side: str, plant: Plant) -> tuple[Vector, Matrix, float]:
    sign = _SIGN[side]
    rest_ankle, rest_ball = skeleton.rest(f"foot_{side}"), skeleton.rest(f"ball_{side}")
    pitch = _value(pose, "heel", side)
    to_ball = rest_ball - rest_ankle
    ball = np.array(
        [sign * _value(pose, "stance", side) * skeleton.half_hips, plant.toes, float(rest_ball[2])]
    )
    turn = about_z(sign * -math.degrees(math.atan2(sign * to_ball[0], -to_ball[1])))
    return ball - turn @ about_x(pitch) @ to_ball, turn, pitch


def _support_point(skeleton: Skeleton, pose: Pose, side: str, support: Support, plant: Plant) -> Vector:
    """Wrist or elbow on the floor."""
    height = _WRIST_HEIGHT if support == "hands" else _ELBOW_HEIGHT
    x = _SIGN[side] * _value(pose, "hand_width", side) * skeleton.half_shoulders
    return np.array([x, plant.hands, height])


def _flat_hand(skeleton: Skeleton, side: str) -> Matrix:
    along, facing = skeleton.palm(side)
    return np.asarray(frame(FORWARD + 0.15 * DOWN, unit(DOWN)) @ frame(along, facing).T)
