"""What faults are told by: named angles and distances of a body, each from a handful of bones.

Bones are unit vectors in reference axes (`views`); here they are read in the body's own frame: left, up (the vertical)
and forward. Prone, forward is where the head points. All values are degrees unless said otherwise; distances are shares
of a leg's length, from the usual lengths of bones, since one camera knows no metres.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.movement.features import (
    ANGLE,
    BONE,
    BONE_COUNT,
    BONE_LENGTHS,
    angles_of,
    bones_of,
    feature_vectors,
)
from services.scoring.movement.landmarks import Floats
from services.scoring.movement.views import bone_variance

STEP: Final = 1e-3
_ONE_CAMERA: Final[Floats] = bone_variance(math.pi).reshape(-1)
"""(42,) error variance of bones seen by a camera whose bias nobody shares, in its own axes."""
_SIDES: Final = ("left", "right")
_LEG: Final = float(BONE_LENGTHS[BONE["left_thigh"]] + BONE_LENGTHS[BONE["left_shin"]])


class Body:
    """Rows of features read in the body's own frame."""

    def __init__(self, features: Floats, ready: Floats):
        """`features` (rows, 60); `ready` (60,) the pose whose hips and shoulders say where left is."""
        self.features, self.ready = features, ready
        self._bones = bones_of(features)
        self._angles = np.degrees(angles_of(features))
        start = bones_of(ready)
        left = (start[BONE["hips"]] + start[BONE["shoulders"]]) * (1.0, 0.0, 1.0)
        left = left / max(float(np.linalg.norm(left)), 1e-6)
        up = np.array([0.0, 1.0, 0.0])
        self._frame = np.stack((left, up, np.cross(left, up)))

    def bone(self, name: str) -> Floats:
        """(rows, 3) a bone's left, up and forward components."""
        out: Floats = self._bones[:, BONE[name]] @ self._frame.T
        return out

    def angle(self, name: str) -> Floats:
        """(rows,) an angle of `features.ANGLES`."""
        out: Floats = self._angles[:, ANGLE[name]]
        return out

    def ankle(self, side: str) -> Floats:
        """(rows, 3) from the hip's middle to an ankle, leg lengths."""
        sign = 1.0 if side == "left" else -1.0
        parts = {"hips": 0.5 * sign, f"{side}_thigh": 1.0, f"{side}_shin": 1.0}
        total: Floats = sum(
            (weight * BONE_LENGTHS[BONE[name]] * self.bone(name) for name, weight in parts.items()),
            start=np.zeros((len(self._bones), 3)),
        )
        return total / _LEG


def _pitch(vectors: Floats) -> Floats:
    """(rows,) lean of what points up towards the front, degrees."""
    out: Floats = np.degrees(np.arctan2(vectors[:, 2], vectors[:, 1]))
    return out


def _rise(vectors: Floats) -> Floats:
    """(rows,) elevation above the horizontal, degrees."""
    length = np.maximum(np.linalg.norm(vectors, axis=1), 1e-6)
    out: Floats = np.degrees(np.arcsin(np.clip(vectors[:, 1] / length, -1.0, 1.0)))
    return out


def _sideways(vectors: Floats) -> Floats:
    """(rows,) lean to the left, degrees."""
    out: Floats = np.degrees(np.arcsin(np.clip(vectors[:, 0], -1.0, 1.0)))
    return out


def _both(body: Body, angle: str) -> Floats:
    return 0.5 * (body.angle(f"left_{angle}") + body.angle(f"right_{angle}"))


def _gap(body: Body, angle: str) -> Floats:
    return np.asarray(np.abs(body.angle(f"left_{angle}") - body.angle(f"right_{angle}")))


def _outwards(body: Body, side: str) -> Floats:
    """(rows,) how far a knee stands outside the line from hip to ankle: half of what thigh and shin differ by."""
    out = 0.5 * (_sideways(body.bone(f"{side}_thigh")) - _sideways(body.bone(f"{side}_shin")))
    return out if side == "left" else -out


def _front(body: Body, left: Floats, right: Floats) -> Floats:
    """(rows,) of the leg that is in front where they are furthest apart."""
    gap = (body.ankle("left") - body.ankle("right"))[:, 2]
    return left if gap[int(np.argmax(np.abs(gap)))] > 0 else right


def _sag(body: Body, *sides: str) -> Floats:
    """(rows,) how far the hips hang below the line from shoulders to ankles; negative: above it."""
    legs: Floats = np.mean([body.ankle(side) for side in sides or _SIDES], axis=0)
    return _rise(legs) - _rise(-body.bone("trunk"))


def _nod(body: Body) -> Floats:
    """(rows,) how far the head is bent towards the chest, against the trunk."""
    trunk, head = body.bone("trunk"), body.bone("head")
    sine = trunk[:, 1] * head[:, 2] - trunk[:, 2] * head[:, 1]
    cosine = trunk[:, 1] * head[:, 1] + trunk[:, 2] * head[:, 2]
    return np.asarray(np.degrees(np.arctan2(sine, cosine)))


def _shins_forward(body: Body) -> Floats:
    """(rows,) how far the knees lean out over the feet, degrees."""
    return 0.5 * (_pitch(-body.bone("left_shin")) + _pitch(-body.bone("right_shin")))


def _tiptoe(body: Body) -> Floats:
    """(rows,) how far the feet tip up and the shins go forward with them: half of both together.

    Either alone is misread: a trunk that leans far forward hides the feet, and deep squats lean the shins.
    """
    feet = -0.5 * (_rise(body.bone("left_foot")) + _rise(body.bone("right_foot")))
    return 0.5 * (feet + _shins_forward(body))


def _flare(body: Body, side: str) -> Floats:
    """(rows,) how far an elbow points away from the trunk: half of the arm's angle to it and of the forearm's lean."""
    lean = _sideways(body.bone(f"{side}_forearm")) * (1.0 if side == "left" else -1.0)
    return 0.5 * (body.angle(f"{side}_shoulder") + lean)


def _hips_aside(body: Body) -> Floats:
    """(rows,) how far the hips stand beside the middle of the ankles, leg lengths, to either side."""
    return np.asarray(np.abs(0.5 * (body.ankle("left") + body.ankle("right"))[:, 0]))


@dataclass(frozen=True, slots=True)
class Measure:
    """A number told of every row, and the bones it needs."""

    of: Callable[[Body], Floats]
    bones: tuple[str, ...]
    unit: str = "degrees"
    instead: tuple[str, ...] = ()
    """Measures that tell as much where these bones are not seen: of one side, when the other lies behind the body."""


def _limbs(*names: str) -> tuple[str, ...]:
    return tuple(f"{side}_{name}" for side in _SIDES for name in names)


_LEGS: Final = (*_limbs("thigh", "shin"), "hips")
_ARMS: Final = _limbs("upper_arm", "forearm")

MEASURES: Final[Mapping[str, Measure]] = {
    "knee_bend": Measure(
        lambda b: _both(b, "knee"), _limbs("thigh", "shin"), instead=("left_knee_bend", "right_knee_bend")
    ),
    "left_knee_bend": Measure(lambda b: b.angle("left_knee"), ("left_thigh", "left_shin")),
    "right_knee_bend": Measure(lambda b: b.angle("right_knee"), ("right_thigh", "right_shin")),
    "trunk_forward": Measure(lambda b: _pitch(b.bone("trunk")), ("trunk",)),
    "knees_out": Measure(lambda b: 0.5 * (_outwards(b, "left") + _outwards(b, "right")), _LEGS),
    "tiptoe": Measure(_tiptoe, _limbs("shin", "foot")),
    "hips_aside": Measure(_hips_aside, _LEGS, "leg lengths"),
    "front_hip_height": Measure(
        lambda b: -_front(b, b.ankle("left")[:, 1], b.ankle("right")[:, 1]), _LEGS, "leg lengths"
    ),
    "front_knee_out": Measure(lambda b: _front(b, _outwards(b, "left"), _outwards(b, "right")), _LEGS),
    "step": Measure(
        lambda b: np.linalg.norm((b.ankle("left") - b.ankle("right"))[:, [0, 2]], axis=1),
        _LEGS,
        "leg lengths",
    ),
    "raised_thigh": Measure(
        lambda b: np.maximum(b.angle("left_thigh_lift"), b.angle("right_thigh_lift")), _limbs("thigh")
    ),
    "elbow_bend": Measure(
        lambda b: _both(b, "elbow"), _ARMS, instead=("left_elbow_bend", "right_elbow_bend")
    ),
    "left_elbow_bend": Measure(lambda b: b.angle("left_elbow"), ("left_upper_arm", "left_forearm")),
    "right_elbow_bend": Measure(lambda b: b.angle("right_elbow"), ("right_upper_arm", "right_forearm")),
    "arm_forward": Measure(
        lambda b: (
            0.5 * sum(np.degrees(np.arcsin(b.bone(f"{s}_upper_arm")[:, 2].clip(-1, 1))) for s in _SIDES)
        ),
        _limbs("upper_arm"),
    ),
    "arm_lift": Measure(lambda b: _both(b, "arm_lift"), _limbs("upper_arm")),
    "arm_gap": Measure(lambda b: _gap(b, "arm_lift"), _limbs("upper_arm")),
    "feet_apart": Measure(lambda b: (b.ankle("left") - b.ankle("right"))[:, 0], _LEGS, "leg lengths"),
    "sag": Measure(_sag, ("trunk", *_limbs("thigh", "shin")), instead=("left_sag", "right_sag")),
    "left_sag": Measure(lambda b: _sag(b, "left"), ("trunk", "left_thigh", "left_shin")),
    "right_sag": Measure(lambda b: _sag(b, "right"), ("trunk", "right_thigh", "right_shin")),
    "head_nod": Measure(_nod, ("trunk", "head")),
    "flare": Measure(
        lambda b: 0.5 * (_flare(b, "left") + _flare(b, "right")),
        ("trunk", *_ARMS),
        instead=("left_flare", "right_flare"),
    ),
    "left_flare": Measure(lambda b: _flare(b, "left"), ("trunk", "left_upper_arm", "left_forearm")),
    "right_flare": Measure(lambda b: _flare(b, "right"), ("trunk", "right_upper_arm", "right_forearm")),
}


def seen_by_one_camera(measure: Measure, pose: Floats, ready: Floats) -> float:
    """Standard error of a measure of a pose (60,) that one camera saw, in the measure's unit.

    The bones' errors as `views` has them for views that share no bias, passed on to first order.
    """
    flat = bones_of(pose).reshape(-1)
    moved = np.vstack((flat, flat + STEP * np.eye(len(flat)))).reshape(-1, BONE_COUNT, 3)
    moved /= np.maximum(np.linalg.norm(moved, axis=2, keepdims=True), 1e-6)
    values = measure.of(Body(feature_vectors(moved), ready))
    slope = (values[1:] - values[0]) / STEP
    return float(np.sqrt(np.square(slope) @ _ONE_CAMERA))
