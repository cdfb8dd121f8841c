"""Chooses the one cue that stands: hysteresis over repetitions, praise once it is mended."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from services.scoring.advice.phrases import Phrase, find
from services.scoring.joints import JointError
from services.scoring.outcome import Advice, CompletedRepetition

WRONG_BELOW: Final = 70.0
"""Repetitions that score less are corrected."""
SEVERE_BELOW: Final = 50.0
"""So low a score is corrected at once; between, the same fault must show twice."""
EXCESS: Final = 1.0
"""Joints further off than this many tolerances are spoken of."""
SMALLEST_DEG: Final = 10.0
"""No angle is corrected by less than this: one camera cannot see it."""
PRAISE_S: Final = 4.0
"""Praise stands for this long."""
MATTERS: Final = {"squat": frozenset({"knees", "knee", "hip", "trunk", "ankle", "tempo"})}
"""Parts worth a cue, where an exercise leaves the others free: how the arms are held is nobody's business in a squat."""
TOO_FAST: Final = 60.0
"""A tempo score below this is spoken of when no joint is."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What a repetition gives cause to say."""

    phrase: Phrase
    joints: tuple[str, ...]
    excess: float


class Coach:
    """Hears repetitions, says at most one thing."""

    def __init__(self, exercise: str) -> None:
        self._exercise = exercise or "any"
        self._suspect: str | None = None
        self._standing: tuple[Fault, int] | None = None
        self._praise: tuple[Advice, float] | None = None
        self._ended_s = -math.inf

    def hear(self, done: CompletedRepetition) -> None:
        """Takes a repetition into account."""
        self._ended_s = done.end_s
        score = done.verdict.score
        if not math.isfinite(score):
            return
        if score >= WRONG_BELOW:
            self._recover(done)
            return
        fault = worst_fault(self._exercise, done)
        if fault is None:
            return
        code = fault.phrase.code
        again = code == self._suspect or (
            self._standing is not None and code == self._standing[0].phrase.code
        )
        self._suspect = code
        if again or score < SEVERE_BELOW:
            self._standing = fault, done.number
            self._praise = None

    def cue(self, time_s: float) -> Advice | None:
        """What stands now."""
        if self._praise is not None:
            advice, until = self._praise
            if time_s <= until:
                return advice
            self._praise = None
        if self._standing is None:
            return None
        fault, number = self._standing
        phrase = fault.phrase
        return Advice(phrase.code, phrase.ko, phrase.en, False, fault.joints, number)

    def _recover(self, done: CompletedRepetition) -> None:
        self._suspect = None
        if self._standing is None:
            return
        fault, _ = self._standing
        phrase = fault.phrase
        praise = Advice(phrase.code, phrase.praise_ko, phrase.praise_en, True, fault.joints, done.number)
        self._praise = praise, done.end_s + PRAISE_S
        self._standing = None


def worst_fault(exercise: str, done: CompletedRepetition) -> Fault | None:
    """The fault of a repetition that is furthest off and has words."""
    phase = done.worst_phase.name.lower()
    for error in done.joint_errors:
        if error.severity < EXCESS:
            break
        if abs(error.degrees) < SMALLEST_DEG or not _matters(exercise, _part(error)):
            continue
        phrase = _phrase(exercise, error, phase)
        if phrase is not None:
            return Fault(phrase, (error.joint,), error.severity)
    if done.verdict.tempo < TOO_FAST:
        quick = done.end_s - done.start_s
        usual = done.verdict.out_s + done.verdict.turn_s + done.verdict.back_s
        direction = "fast" if quick <= usual else "slow"
        phrase = find(exercise, "tempo", direction, phase)
        if phrase is not None:
            return Fault(phrase, (), 1.0)
    return None


def _part(error: JointError) -> str:
    return error.joint.removeprefix("left_").removeprefix("right_")


def _matters(exercise: str, part: str) -> bool:
    return exercise not in MATTERS or part in MATTERS[exercise]


def _phrase(exercise: str, error: JointError, phase: str) -> Phrase | None:
    part = _part(error)
    if part == "knees":  # both together: they err to one side only
        return find(exercise, part, "in", phase)
    return find(exercise, part, "less" if error.degrees < 0 else "more", phase)
