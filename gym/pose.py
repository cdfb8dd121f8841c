"""The variables a body is posed by, and vectors of them.

Movements name these in YAML; a name without a side sets both sides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Pose = NDArray[np.float64]
Support = Literal["feet", "hands", "forearms"]
Anchor = Literal["both", "left", "right", "pelvis"]  # the legs that decide where the pelvis is, or itself

SIGN = {"l": 1.0, "r": -1.0}  # of x

# Angles in degrees. Lengths marked "of leg" are shares of thigh + shank.
WHOLE_BODY: dict[str, tuple[float, str]] = {
    "trunk": (2.0, "forward lean of the trunk from upright"),
    "trunk_side": (0.0, "lean to the left"),
    "trunk_turn": (0.0, "chest turned to the left against the pelvis"),
    "pelvis_turn": (0.0, "pelvis turned to the left"),
    "pelvis_drop": (0.0, "left hip lower than the right"),
    "round": (0.0, "upper back flexed beyond the trunk"),
    "head": (2.0, "head pitched down, against the room"),
    "head_turn": (0.0, "head turned to the left"),
    "hips_side": (0.0, "pelvis shifted to the left, in hip widths"),
    "hop": (0.0, "whole body off the floor, of leg"),
    "height": (0.97, "pelvis above the ankles, of leg; only where nothing else decides it"),
    "sag": (0.0, "hips below the line from shoulder to ankle; on hands or forearms only"),
    "arms_level": (1.0, "1: arms are held against the room, 0: against the trunk"),
}
EACH_SIDE: dict[str, tuple[float, str]] = {
    "knee": (6.0, "knee flexion"),
    "shin": (3.0, "shank leaning forward"),
    "stance": (1.15, "foot away from the middle, in half hip widths"),
    "toe_out": (8.0, "foot turned out"),
    "knee_in": (0.0, "knee falling inwards from the foot's direction"),
    "foot_forward": (0.0, "foot ahead of the middle, of leg"),
    "foot_lift": (0.0, "foot above the floor, of leg"),
    "heel": (0.0, "heel raised about the ball of the foot"),
    "free": (0.0, "1: the leg hangs from `hip` and `knee`, 0: its foot is on the floor"),
    "hip": (0.0, "hip flexion of a free leg"),
    "arm": (8.0, "upper arm raised from hanging"),
    "arm_plane": (65.0, "plane of the raised arm: 0 forwards, 90 sideways"),
    "arm_twist": (0.0, "upper arm turned outwards"),
    "elbow": (14.0, "elbow flexion"),
    "palm": (0.0, "forearm turned outwards (palm up)"),
    "hand_width": (1.2, "hand away from the middle, in half shoulder widths; on hands only"),
    "hand_forward": (0.0, "hand ahead of the shoulder, in metres; on hands only"),
}
# Where a foot stands: between two key poses that differ in these it steps, that is, it is lifted.
PLANTED = ("stance", "toe_out", "foot_forward")

NAMES: tuple[str, ...] = (*WHOLE_BODY, *(f"{name}_{side}" for name in EACH_SIDE for side in "lr"))
INDEX: dict[str, int] = {name: i for i, name in enumerate(NAMES)}
STANDING: Pose = np.array(
    [v[0] for v in WHOLE_BODY.values()] + [v[0] for v in EACH_SIDE.values() for _ in "lr"]
)
STANDING.setflags(write=False)

_LEFT = [INDEX[f"{name}_l"] for name in EACH_SIDE]
_RIGHT = [INDEX[f"{name}_r"] for name in EACH_SIDE]
_SIGNED = [
    INDEX[n] for n in ("trunk_side", "trunk_turn", "pelvis_turn", "pelvis_drop", "head_turn", "hips_side")
]


@dataclass(frozen=True)
class Placement:
    """Where a body's own frame lies in the room: metres, and degrees turned to its left."""

    x: float = 0.0
    y: float = 0.0
    turn: float = 0.0


def value(pose: Pose, name: str, side: str = "") -> float:
    """One variable of a pose."""
    return float(pose[INDEX[f"{name}_{side}" if side else name]])


def indices(name: str) -> tuple[int, ...]:
    """Positions in a pose that `name` (with or without side) stands for.

    Raises:
        KeyError: no such variable.
    """
    if name in INDEX:
        return (INDEX[name],)
    return INDEX[f"{name}_l"], INDEX[f"{name}_r"]


def with_values(base: Pose, values: Mapping[str, float]) -> Pose:
    """A copy of `base` with the named variables set; sided names win over unsided ones."""
    pose = base.copy()
    for name in sorted(values, key=lambda n: n in INDEX):
        pose[list(indices(name))] = values[name]
    return pose


def mirrored(pose: Pose) -> Pose:
    """The same pose with left and right exchanged."""
    other = pose.copy()
    other[_LEFT], other[_RIGHT] = pose[_RIGHT], pose[_LEFT]
    other[_SIGNED] = -pose[_SIGNED]
    return other
