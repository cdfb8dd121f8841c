"""Faults that have a name: what coaches look at in an exercise, told by one measure each.

Bone by bone a lean of the trunk is one difference among fourteen, and a body built otherwise differs as much. A measure
(`measures.py`) looks at what the fault is: how deep, how far forward, how far apart. A rule says in which exercise it
counts, when, and how much more or less of it than the reference's passes. At that limit a repetition is worth 70, as
everywhere; three quarters of the way there, 90.

The limits lie half way between good form and the fault at dial 0.6 of the virtual gym's person as the pose model sees
them with two cameras (`make eval-gym`), on the half of its people that is told as `designed_on`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.advice.knowledge import canonical
from services.scoring.judging.comparison import READY_ROWS, Comparison
from services.scoring.judging.measures import MEASURES, Body, Measure
from services.scoring.movement.features import BONE, BONE_COUNT
from services.scoring.movement.landmarks import Bools, Floats
from services.scoring.movement.views import Observed
from services.scoring.reference.template import Phase, Template

WORST: Final = 0.24
"""A repetition with one clear fault that is else as it should be is worth 41 at least: wrong, but no collapse."""
_KNEES: Final = ("left_knee", "right_knee")
_HIPS: Final = ("left_hip", "right_hip")
_ANKLES: Final = ("left_ankle", "right_ankle")
_ELBOWS: Final = ("left_elbow", "right_elbow")
_SHOULDERS: Final = ("left_shoulder", "right_shoulder")


@dataclass(frozen=True, slots=True)
class Rule:
    """One fault."""

    part: str
    direction: str
    """As in a cue's code, exercise.part.direction."""
    measure: str
    when: str
    """turn: mean at the far end; change: that less the start's, which leaves builds out; most, least: over all of it."""
    passes: float
    """Difference from the reference's, in the measure's unit, that is worth 70; its sign says to which side."""
    joints: tuple[str, ...]


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "squat": (
        Rule("knee", "less", "knee_bend", "turn", -12.0, _KNEES),
        Rule("trunk", "more", "trunk_forward", "turn", 9.0, ("trunk",)),
        Rule("knees", "in", "knees_out", "change", -2.0, _KNEES),
        Rule("ankle", "more", "heel_rise", "turn", 8.5, _ANKLES),
        Rule("hips", "aside", "hips_aside", "turn", 0.06, _HIPS),
    ),
    "lunge": (
        Rule("knee", "less", "front_knee_bend", "turn", -17.0, _KNEES),
        Rule("trunk", "more", "trunk_forward", "turn", 11.0, ("trunk",)),
        Rule("knees", "in", "front_knee_out", "change", -6.0, _KNEES),
        Rule("step", "less", "step", "most", -0.31, _HIPS),
    ),
    "knee_raise": (
        Rule("hip", "less", "raised_thigh", "most", -19.0, _HIPS),
        Rule("trunk", "less", "trunk_forward", "least", -7.0, ("trunk",)),
    ),
    "biceps_curl": (
        Rule("elbow", "less", "elbow_bend", "most", -7.0, _ELBOWS),
        Rule("shoulder", "more", "arm_forward", "most", 3.0, _SHOULDERS),
        Rule("trunk", "more", "trunk_forward", "change", -2.8, ("trunk",)),
    ),
    "lateral_raise": (
        Rule("shoulder", "less", "arm_lift", "most", -20.0, _SHOULDERS),
        Rule("shoulder", "more", "arm_lift", "most", 8.0, _SHOULDERS),
        Rule("elbow", "more", "arm_forward", "turn", 9.0, _ELBOWS),
        Rule("trunk", "more", "trunk_forward", "change", -5.5, ("trunk",)),
    ),
    "shoulder_press": (
        Rule("shoulder", "less", "arm_lift", "most", -14.0, _SHOULDERS),
        Rule("trunk", "more", "trunk_forward", "least", -4.0, ("trunk",)),
        Rule("hands", "uneven", "arm_gap", "most", 4.0, _SHOULDERS),
    ),
    "plank": (
        Rule("hips", "sag", "sag", "turn", 5.0, _HIPS),
        Rule("hips", "high", "sag", "turn", -6.5, _HIPS),
        Rule("head", "more", "head_nod", "turn", 4.0, ("head",)),
    ),
    "push_up": (
        Rule("elbow", "less", "elbow_bend", "most", -41.0, _ELBOWS),
        Rule("hips", "sag", "sag", "turn", 5.0, _HIPS),
        Rule("hips", "high", "sag", "turn", -14.0, _HIPS),
    ),
    "jumping_jack": (
        Rule("shoulder", "less", "arm_lift", "most", -21.0, _SHOULDERS),
        Rule("hip", "less", "feet_apart", "most", -0.12, _HIPS),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flaw:
    """A fault with a name, as far as it goes."""

    rule: Rule
    excess: float
    """1 at the limit of what passes."""
    degrees: float
    """Difference of the measure from the reference's, whole degrees; NaN where it is no angle."""


def flaws(comparison: Comparison, template: Template) -> tuple[Flaw, ...]:
    """How far a repetition goes towards each fault of its exercise, furthest first; those not seen are left out."""
    user = Body(comparison.user, comparison.user[:READY_ROWS].mean(axis=0))
    shown = Body(template.features, template.ready)
    turn = np.asarray(template.phases == Phase.TURN)
    return _told(template, comparison.known, user, turn, shown, turn)


def held_flaws(seen: Observed, template: Template) -> tuple[Flaw, ...]:
    """How far a held pose goes towards each fault of its exercise now."""
    user, shown = (Body(pose[None], pose) for pose in (seen.features, template.ready))
    now = np.ones(1, dtype=np.bool_)
    return _told(template, seen.known & template.known, user, now, shown, now)


def _told(
    template: Template, known: Bools, user: Body, turn: Bools, shown: Body, shown_turn: Bools
) -> tuple[Flaw, ...]:
    """`known` (60,) features seen in both; `turn`, `shown_turn`: rows of either at the far end."""
    seen = np.asarray(known[: 3 * BONE_COUNT].reshape(BONE_COUNT, 3).all(axis=1))
    found = []
    for rule in RULES.get(canonical(template.exercise), ()):
        measure = _seen(MEASURES[rule.measure], seen)
        if measure is None or (rule.when in ("turn", "change") and not turn.any()):
            continue
        more = _value(measure.of(user), rule.when, turn) - _value(measure.of(shown), rule.when, shown_turn)
        degrees = float(round(more)) if measure.unit == "degrees" else math.nan
        found.append(Flaw(rule, max(0.0, more / rule.passes), degrees))
    return tuple(sorted(found, key=lambda flaw: -flaw.excess))


def deviation(found: tuple[Flaw, ...]) -> float:
    """What the furthest is worth, as a share of the boundary's deviation: 1 at its limit, at most 1 + WORST."""
    excess = found[0].excess if found else 0.0
    return excess if excess <= 1.0 else 1.0 + WORST * math.tanh(excess - 1.0)


def _seen(measure: Measure, seen: Bools) -> Measure | None:
    """The measure, or one that tells as much, of which all bones are seen."""
    for one in (measure, *(MEASURES[name] for name in measure.instead)):
        if all(seen[BONE[name]] for name in one.bones):
            return one
    return None


def _value(values: Floats, when: str, turn: Bools) -> float:
    if when in ("turn", "change"):
        start = float(values[:READY_ROWS].mean()) if when == "change" else 0.0
        return float(values[turn].mean()) - start
    return float(values.max() if when == "most" else values.min())
