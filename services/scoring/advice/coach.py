"""Chooses the one cue that stands: hysteresis over repetitions, praise once it is mended."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from services.scoring.advice.knowledge import canonical
from services.scoring.advice.phrases import Phrase, find, phrases
from services.scoring.advice.tips import tip
from services.scoring.live.outcome import Advice, CompletedRepetition
from services.scoring.movement.joints import JointError
from services.scoring.reference.template import Phase

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
_LEGS_AND_TRUNK: Final = frozenset({"knees", "knee", "hip", "trunk", "ankle", "tempo"})
MATTERS: Final = dict.fromkeys(("squat", "lunge", "knee_raise"), _LEGS_AND_TRUNK)
"""Parts worth a cue, where an exercise leaves the others free: how the arms are held is nobody's business in a squat."""
OFF_PACE: Final = 60.0
"""A tempo score below this is spoken of when no joint is."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What a repetition gives cause to say."""

    phrase: Phrase
    part: str
    joints: tuple[str, ...]
    """Both sides, where both show it."""
    degrees: float = math.nan
    """Mean signed difference of these joints from the reference; NaN: it is no angle that is wrong."""
    phase: Phase = Phase.UNKNOWN
    """Where it was worst."""


class Coach:
    """Hears repetitions, says at most one thing."""

    def __init__(self, exercise: str, usual_s: float = math.nan) -> None:
        """`usual_s`: how long a repetition of the reference takes; NaN: nothing is said of the tempo."""
        self._exercise = canonical(exercise)
        self._usual_s = usual_s
        self._suspect: str | None = None
        self._standing: Advice | None = None
        self._praise: tuple[Advice, float] | None = None

    def hear(self, done: CompletedRepetition) -> CompletedRepetition:
        """Takes a repetition into account; returns it with its faults and with what is said of it."""
        score = done.verdict.score
        if not math.isfinite(score):
            return done
        if score >= WRONG_BELOW:
            self._recover(done)
            return self._told(done, ())
        found = tuple(faults(self._exercise, done, self._usual_s))
        if found:
            self._consider(found[0], done)
        return self._told(done, found)

    def cue(self, time_s: float) -> Advice | None:
        """What stands now."""
        if self._praise is not None:
            advice, until = self._praise
            if time_s <= until:
                return advice
            self._praise = None
        return self._standing

    def state(self) -> dict[str, Any]:
        """What a successor must know so that it does not say again what was said; plain JSON values."""
        praise, until = self._praise if self._praise is not None else (None, 0.0)
        return {
            "suspect": self._suspect,
            "standing": _kept(self._standing),
            "praise": _kept(praise),
            "praise_until_s": until,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where another coach stopped. What it said in words that are no more is forgotten."""
        self._suspect = state.get("suspect")
        self._standing = _read(state.get("standing"))
        praise = _read(state.get("praise"))
        self._praise = (praise, float(state["praise_until_s"])) if praise is not None else None

    def _consider(self, fault: Fault, done: CompletedRepetition) -> None:
        code = fault.phrase.code
        again = code == self._suspect or (self._standing is not None and code == self._standing.code)
        self._suspect = code
        if again or done.verdict.score < SEVERE_BELOW:
            self._standing = correction(self._exercise, fault, done.number)
            self._praise = None

    def _recover(self, done: CompletedRepetition) -> None:
        self._suspect = None
        advice = self._standing
        if advice is None:
            return
        phrase = phrases()[advice.code]
        praise = Advice(
            phrase.code,
            phrase.praise_ko,
            phrase.praise_en,
            True,
            advice.joints,
            done.number,
            phase=advice.phase,
        )
        self._praise = praise, done.end_s + PRAISE_S
        self._standing = None

    def _told(self, done: CompletedRepetition, found: tuple[Fault, ...]) -> CompletedRepetition:
        cue = self.cue(done.end_s)
        about = cue if cue is not None and cue.repetition == done.number else None
        return replace(done, faults=tuple(fault.phrase.code for fault in found), cue=about)


def _kept(advice: Advice | None) -> dict[str, Any] | None:
    """As plain JSON values."""
    if advice is None:
        return None
    degrees = advice.degrees if math.isfinite(advice.degrees) else None
    return {**asdict(advice), "joints": list(advice.joints), "degrees": degrees, "phase": int(advice.phase)}


def _read(kept: Mapping[str, Any] | None) -> Advice | None:
    if kept is None or kept.get("code") not in phrases():
        return None
    degrees = math.nan if kept["degrees"] is None else float(kept["degrees"])
    told = {**kept, "joints": tuple(kept["joints"]), "degrees": degrees, "phase": Phase(kept["phase"])}
    return Advice(**told)


def correction(exercise: str, fault: Fault, repetition: int) -> Advice:
    """A fault in words, with a tip against it where there is one."""
    phrase = fault.phrase
    further = tip(exercise, fault.part, f"{phrase.ko} {phrase.en}")
    return Advice(
        phrase.code,
        phrase.ko,
        phrase.en,
        False,
        fault.joints,
        repetition,
        tip_ko=further.ko if further is not None else "",
        tip_en=further.en if further is not None else "",
        degrees=fault.degrees,
        phase=fault.phase,
    )


def faults(exercise: str, done: CompletedRepetition, usual_s: float = math.nan) -> Iterator[Fault]:
    """The faults of a repetition that have words, in the order of its errors; the tempo if no joint is to blame.

    `usual_s`: how long a repetition of the reference takes.
    """
    phase = done.worst_phase.name.lower()
    found: dict[str, Fault] = {}
    for flaw in done.flaws:
        phrase = find(exercise, flaw.rule.part, flaw.rule.direction, phase)
        if flaw.excess >= EXCESS and phrase is not None:
            found[phrase.code] = Fault(
                phrase, flaw.rule.part, flaw.rule.joints, flaw.degrees, done.worst_phase
            )
    if found:  # what has a name is the cause of what the joints show
        yield from found.values()
        return
    for error in done.joint_errors:
        part = _part(error)
        if error.severity < EXCESS or abs(error.degrees) < SMALLEST_DEG or not _matters(exercise, part):
            continue
        phrase = _phrase(exercise, error, phase)
        if phrase is not None:
            found[phrase.code] = _joined(
                found.get(phrase.code), Fault(phrase, part, (error.joint,), error.degrees, done.worst_phase)
            )
    if not found and done.verdict.tempo < OFF_PACE and math.isfinite(usual_s):
        direction = "fast" if done.end_s - done.start_s < usual_s else "slow"
        phrase = find(exercise, "tempo", direction, phase)
        if phrase is not None:
            found[phrase.code] = Fault(phrase, "tempo", (), phase=done.worst_phase)
    yield from found.values()


def _joined(one: Fault | None, other: Fault) -> Fault:
    """Both sides of one fault."""
    if one is None:
        return other
    count = len(one.joints)
    mean = (count * one.degrees + other.degrees) / (count + 1)
    return replace(one, joints=(*one.joints, *other.joints), degrees=float(round(mean)))


def _part(error: JointError) -> str:
    return error.joint.removeprefix("left_").removeprefix("right_")


def _matters(exercise: str, part: str) -> bool:
    return exercise not in MATTERS or part in MATTERS[exercise]


def _phrase(exercise: str, error: JointError, phase: str) -> Phrase | None:
    part = _part(error)
    if part == "knees":  # both together: they err to one side only
        return find(exercise, part, "in", phase)
    return find(exercise, part, "less" if error.degrees < 0 else "more", phase)
