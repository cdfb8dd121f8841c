"""Faults that are seen where knees, hips, feet and elbows are in the room, if cameras at an angle tell it.

Bones say these badly: each comes with a guess of depth, and a knee that falls inwards by a hand's breadth is a few degrees
of two bones. What is right here coaches agree on whatever the reference shows (knees over the feet, weight on both of them,
a leg that is stood on is straight), and a reference is one camera's, which cannot tell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.advice.knowledge import canonical
from services.scoring.judging.comparison import Comparison
from services.scoring.judging.elbows import flare
from services.scoring.movement.landmarks import Bools, Landmark
from services.scoring.movement.pictures import Picture
from services.scoring.movement.stereo import Placed, leg, placed, placed_propped
from services.scoring.reference.template import Phase, Template

FURTHEST: Final = 0.97
"""Rows that go so far, of the furthest."""
LEFT: Final = 0
FORWARD: Final = 1
Weights = Mapping[Landmark, float]
_L = Landmark
_LEG: Final = (
    (_L.LEFT_HIP, _L.LEFT_KNEE, _L.LEFT_ANKLE),
    (_L.RIGHT_HIP, _L.RIGHT_KNEE, _L.RIGHT_ANKLE),
)


def _front(pose: Placed) -> int:
    """0: the left foot is in front, 1: the right."""
    return 0 if pose[_L.LEFT_ANKLE][2] > pose[_L.RIGHT_ANKLE][2] else 1


def _stood_on(pose: Placed) -> int:
    """0: the left foot is lower, 1: the right."""
    return 0 if pose[_L.LEFT_ANKLE][1] < pose[_L.RIGHT_ANKLE][1] else 1


KNEES_OVER_TOES: Final[Weights] = {
    _L.LEFT_KNEE: 1.0,
    _L.RIGHT_KNEE: -1.0,
    _L.LEFT_FOOT_INDEX: -1.0,
    _L.RIGHT_FOOT_INDEX: 1.0,
}
"""How much wider the knees stand than the toes: over them, however far the feet point out."""


def _hips_aside(pose: Placed) -> Weights:
    """How far the hips stand beside the middle of the ankles, to the side they do."""
    side = -0.5 if float(pose[_L.LEFT_ANKLE][0] + pose[_L.RIGHT_ANKLE][0]) < 0.0 else 0.5
    return {_L.LEFT_ANKLE: side, _L.RIGHT_ANKLE: side, _L.LEFT_HIP: -side, _L.RIGHT_HIP: -side}


def _front_knee(pose: Placed) -> Weights:
    """How far the front knee stands outside its ankle."""
    front = _front(pose)
    _, knee, ankle = _LEG[front]
    out = 1.0 if front == 0 else -1.0
    return {knee: out, ankle: -out}


def _step(pose: Placed) -> Weights:
    """How far the front ankle is ahead of the other."""
    front = _front(pose)
    return {_LEG[front][2]: 1.0, _LEG[1 - front][2]: -1.0}


def _support_bent(pose: Placed) -> Weights:
    """How far the knee of the leg that is stood on is ahead of the line from hip to ankle."""
    hip, knee, ankle = _LEG[_stood_on(pose)]
    return {hip: -0.5, knee: 1.0, ankle: -0.5}


@dataclass(frozen=True, slots=True)
class Stand:
    """One fault: what is right where the movement turns, and how much more or less of it passes, in its measure's unit."""

    part: str
    direction: str
    """As in a cue's code, exercise.part.direction."""
    joints: tuple[str, ...]
    right: float
    passes: float
    alone: bool = True
    """Whether this tells the fault better than bones do, so that they are not asked. Not of one leg: cameras on one side
    see the far one worse than the near one."""

    def excess(self, value: float, error: float = 0.0) -> float:
        """How far `value` goes towards the fault, 1 at the limit; NaN: its standard deviation is more than what passes."""
        return (value - self.right) / self.passes if error <= abs(self.passes) else math.nan


KNEES_IN: Final = Stand("knees", "in", ("left_knee", "right_knee"), 0.0, -0.07)
FRONT_KNEE_IN: Final = Stand("knees", "in", ("left_knee", "right_knee"), 0.03, -0.055, alone=False)
HEELS: Final = Stand("ankle", "more", ("left_ankle", "right_ankle"), 0.0, 0.0285)
"""A squat's heels leave the floor: by their mean rise since the person stood, in all pictures that show them."""
ELBOWS: Final = Stand("shoulder", "more", ("left_elbow", "right_elbow"), 45.0, 8.0)
"""A push-up's arms bend outwards: degrees from the trunk, by `elbows.flare`. Coaches ask for some 45, 30 to 60; at 70 they
flare. The pose model shows the gym's 48 of good form as 42 to 51 and the fault's 72 as 53 to 65; the limit is between."""


@dataclass(frozen=True, slots=True)
class Placing:
    """How a fault is measured in leg lengths where two cameras place the joints."""

    stand: Stand
    weights: Callable[[Placed], Weights]
    """What to add up of the places of which landmarks."""
    axis: int

    def excess(self, pose: Placed) -> float:
        """How far it goes towards the fault, 1 at the limit; NaN: it is not seen well enough to tell."""
        weights = self.weights(pose)
        axis = 0 if self.axis == LEFT else 2
        value = sum(float(pose[mark][axis]) * weight for mark, weight in weights.items())
        variance = sum(
            float(pose.covariance[mark, self.axis, self.axis]) * weight**2 for mark, weight in weights.items()
        )
        return self.stand.excess(value, math.sqrt(variance))


PLACED: Final[Mapping[str, tuple[Placing, ...]]] = {
    "squat": (
        Placing(KNEES_IN, lambda _: KNEES_OVER_TOES, LEFT),
        Placing(Stand("hips", "aside", ("left_hip", "right_hip"), 0.0, 0.032), _hips_aside, LEFT),
    ),
    "lunge": (
        Placing(FRONT_KNEE_IN, _front_knee, LEFT),
        Placing(Stand("step", "less", ("left_hip", "right_hip"), 0.85, -0.2), _step, FORWARD),
    ),
    "knee_raise": (
        Placing(Stand("knee", "more", ("left_knee", "right_knee"), 0.02, 0.03), _support_bent, FORWARD),
    ),
}


def heels_up(pictures: tuple[Picture, ...], rows: Bools) -> float:
    """Excess of `HEELS` in some rows (n,); NaN: no picture shows a heel."""
    rises = [
        float(one.points[rows, heel, 1].mean() + one.hips[rows, 1].mean() - one.stood[heel, 1]) / leg(one)
        for one in pictures
        for heel in (_L.LEFT_HEEL, _L.RIGHT_HEEL)
        if one.seen[heel]
    ]
    return HEELS.excess(float(np.mean(rises))) if rises else math.nan


def excesses(comparison: Comparison, template: Template) -> list[tuple[Stand, float]]:
    """How far a repetition goes towards each of its exercise's faults; those that cannot be told are left out."""
    if canonical(template.exercise) == "push_up":
        lying = placed_propped(comparison.pictures, far_end(comparison, template))
        flared = ELBOWS.excess(*flare(lying)) if lying is not None else math.nan
        return [(ELBOWS, max(0.0, flared))] if math.isfinite(flared) else []
    placings = PLACED.get(canonical(template.exercise))
    if placings is None:
        return []
    pose = placed(comparison.pictures, far_end(comparison, template))
    if pose is None:
        return []
    told = [(one.stand, one.excess(pose)) for one in placings]
    if canonical(template.exercise) == "squat":
        told.append((HEELS, heels_up(comparison.pictures, far_end(comparison, template))))
    return [(stand, max(0.0, excess)) for stand, excess in told if math.isfinite(excess)]


def far_end(comparison: Comparison, template: Template) -> Bools:
    """(rows,) where the movement goes furthest: within the turn knees still fall in and come out again."""
    axis = np.where(comparison.known, template.axis, 0.0)
    level = np.where(template.phases == Phase.TURN, (comparison.user - comparison.user[0]) @ axis, -np.inf)
    return np.asarray(level >= FURTHEST * level.max()) & np.isfinite(level)
