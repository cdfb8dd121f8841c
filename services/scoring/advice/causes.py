"""What a repetition or a held pose gives cause to say: its faults that have words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from services.scoring.advice.phrases import Phrase, find
from services.scoring.judging.technique import Flaw
from services.scoring.live.outcome import CompletedRepetition
from services.scoring.movement.joints import JointError
from services.scoring.reference.template import Phase

EXCESS: Final = 1.0
"""Joints further off than this many tolerances, and faults with a name beyond this much of their limit, are spoken of."""
SEVERE_BELOW: Final = 50.0
"""Repetitions that score less are clearly wrong."""
SMALLEST_DEG: Final = 10.0
"""No angle is corrected by less than this: one camera cannot see it."""
_LEGS_AND_TRUNK: Final = frozenset({"knees", "knee", "hip", "trunk", "ankle", "tempo"})
MATTERS: Final = dict.fromkeys(("squat", "lunge", "knee_raise"), _LEGS_AND_TRUNK)
"""Parts worth a cue, where an exercise leaves the others free: how the arms are held is nobody's business in a squat."""
OFF_PACE: Final = 60.0
"""A tempo score below this is spoken of when no joint is."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What there is cause to say."""

    phrase: Phrase
    part: str
    joints: tuple[str, ...]
    """Both sides, where both show it."""
    degrees: float = math.nan
    """Mean signed difference of these joints from the reference; NaN: it is no angle that is wrong."""
    phase: Phase = Phase.UNKNOWN
    """Where it was worst."""


def faults(exercise: str, done: CompletedRepetition, usual_s: float = math.nan) -> tuple[Fault, ...]:
    """Those of a repetition: with a name, else of the joints, else of the tempo; clearest first.

    `usual_s`: how long a repetition of the reference takes; NaN: nothing is said of the tempo.
    """
    named = tuple(of_flaws(exercise, done.flaws, done.worst_phase))
    # What has a name is the cause of what the joints show; where faults have names and none is found, joints speak only
    # when they are clearly off: between people they differ by as much. From no ready pose they say nothing.
    silent = (bool(done.flaws) and done.verdict.score >= SEVERE_BELOW) or not done.settled
    return (
        named
        or (() if silent else of_joints(exercise, done.joint_errors, done.worst_phase))
        or (_of_tempo(exercise, done, usual_s) if done.settled else ())
    )


def of_flaws(exercise: str, flaws: tuple[Flaw, ...], phase: Phase, limit: float = EXCESS) -> Iterator[Fault]:
    """Faults with a name that go beyond `limit`."""
    for flaw in flaws:
        rule = flaw.rule
        phrase = find(exercise, rule.part, rule.direction, phase.name.lower())
        if flaw.excess >= limit and phrase is not None:
            yield Fault(phrase, rule.part, rule.joints, flaw.degrees, phase)


def of_joints(
    exercise: str, errors: tuple[JointError, ...], phase: Phase, limit: float = EXCESS
) -> tuple[Fault, ...]:
    """Joints that are off by more than `limit` tolerances, both sides as one, in the order of the errors."""
    found: dict[str, Fault] = {}
    for error in errors:
        part = error.joint.removeprefix("left_").removeprefix("right_")
        if error.severity < limit or abs(error.degrees) < SMALLEST_DEG or not _matters(exercise, part):
            continue
        direction = "in" if part == "knees" else "less" if error.degrees < 0 else "more"
        phrase = find(exercise, part, direction, phase.name.lower())
        if phrase is not None:
            fault = Fault(phrase, part, (error.joint,), error.degrees, phase)
            found[phrase.code] = _joined(found.get(phrase.code), fault)
    return tuple(found.values())


def _of_tempo(exercise: str, done: CompletedRepetition, usual_s: float) -> tuple[Fault, ...]:
    if done.verdict.tempo >= OFF_PACE or not math.isfinite(usual_s):
        return ()
    direction = "fast" if done.end_s - done.start_s < usual_s else "slow"
    phrase = find(exercise, "tempo", direction, done.worst_phase.name.lower())
    return (Fault(phrase, "tempo", (), phase=done.worst_phase),) if phrase is not None else ()


def _joined(one: Fault | None, other: Fault) -> Fault:
    """Both sides of one fault."""
    if one is None:
        return other
    count = len(one.joints)
    mean = (count * one.degrees + other.degrees) / (count + 1)
    return replace(one, joints=(*one.joints, *other.joints), degrees=float(round(mean)))


def _matters(exercise: str, part: str) -> bool:
    return exercise not in MATTERS or part in MATTERS[exercise]
