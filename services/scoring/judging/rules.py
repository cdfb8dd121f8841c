"""What coaches look at in an exercise: which measure of it, when, and how much more or less than expected passes.

What is expected is what the reference shows. But a reference is often one camera's, which knows depth badly: by the same
lunge it sees a trunk lean 4 or 17 degrees. So where coaches agree on what is right (a trunk stays upright, heels stay
down), that is known beforehand, with how much good trainers differ in it, and the two are averaged by their variances.

The limits lie about half way between good form and the fault at dial 0.6 of the virtual gym's person as the pose model
sees them with two cameras (`make eval-gym`): docs/advice.md says on whom they were chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

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
    """One of `MEASURES`, or of `PICTURED`."""
    when: str
    """turn: mean at the far end; whole: of all of it; most, least: over all of it; change, sinking: turn and least less the
    start's, which leaves builds out."""
    passes: float
    """Difference from what is expected, in the measure's unit, that is worth 70; its sign says to which side."""
    joints: tuple[str, ...]
    usual: tuple[float, float] | None = None
    """What coaches ask for and how much good trainers differ (standard deviation); None: whatever the reference shows."""


_SWINGS: Final = Rule("trunk", "more", "lean", "change", -4.0, ("trunk",), usual=(-1.5, 1.5))
"""Lifting arms leans a trunk back by a degree or two; whoever swings with it leans by ten."""

RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "squat": (
        Rule("knee", "less", "knee_bend", "turn", -12.0, _KNEES),
        Rule("trunk", "more", "trunk_forward", "turn", 10.0, ("trunk",)),
        Rule("knees", "in", "knees_out", "change", -2.0, _KNEES),
        Rule("ankle", "more", "tiptoe", "change", 3.2, _ANKLES, usual=(14.0, 3.0)),
        Rule("hips", "aside", "hips_aside", "turn", 0.06, _HIPS),
    ),
    "lunge": (
        Rule("knee", "less", "front_hip_height", "least", 0.045, _KNEES),
        Rule("trunk", "more", "trunk_forward", "turn", 11.0, ("trunk",), usual=(5.0, 5.0)),
        Rule("knees", "in", "front_knee_out", "turn", -2.5, _KNEES),
        Rule("step", "less", "step", "most", -0.18, _HIPS, usual=(0.85, 0.1)),
    ),
    "knee_raise": (
        Rule("hip", "less", "raised_thigh", "most", -12.0, _HIPS),
        Rule("trunk", "less", "trunk_forward", "least", -4.0, ("trunk",), usual=(0.0, 3.0)),
    ),
    "biceps_curl": (
        Rule("elbow", "less", "elbow_bend", "most", -7.0, _ELBOWS),
        Rule("shoulder", "more", "arm_forward", "most", 3.0, _SHOULDERS),
        _SWINGS,
    ),
    "lateral_raise": (
        Rule("shoulder", "less", "arms_up", "most", -14.0, _SHOULDERS, usual=(90.0, 4.0)),
        Rule("shoulder", "more", "arms_up", "most", 12.0, _SHOULDERS, usual=(90.0, 4.0)),
        Rule("elbow", "more", "arm_forward", "turn", 9.0, _ELBOWS),
        _SWINGS,
    ),
    "shoulder_press": (
        Rule("shoulder", "less", "arms_up", "most", -10.0, _SHOULDERS, usual=(163.0, 5.0)),
        _SWINGS,
        Rule("hands", "uneven", "left_higher", "whole", -0.037, _SHOULDERS, usual=(0.0, 0.02)),
        Rule("hands", "uneven", "left_higher", "whole", 0.037, _SHOULDERS, usual=(0.0, 0.02)),
    ),
    "plank": (
        Rule("hips", "sag", "sag", "turn", 4.0, _HIPS),
        Rule("hips", "high", "sag", "turn", -6.5, _HIPS),
        Rule("head", "more", "head_nod", "turn", 7.0, ("head",), usual=(8.0, 5.0)),
    ),
    "push_up": (
        Rule("elbow", "less", "elbow_bend", "most", -19.0, _ELBOWS),
        Rule("shoulder", "more", "flare", "turn", 5.4, _ELBOWS),
        Rule("hips", "sag", "sag", "turn", 4.0, _HIPS),
        Rule("hips", "high", "sag", "turn", -8.0, _HIPS),
    ),
    "jumping_jack": (
        Rule("shoulder", "less", "arm_lift", "most", -21.0, _SHOULDERS),
        Rule("hip", "less", "feet_apart", "most", -0.12, _HIPS),
    ),
}  # fmt: skip
