"""Chooses the one cue that stands: hysteresis over repetitions, praise once it is mended."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from services.scoring.advice.causes import SEVERE_BELOW, Fault, faults
from services.scoring.advice.given import correction, kept, praise, taken_up
from services.scoring.advice.knowledge import canonical
from services.scoring.live.outcome import Advice, CompletedRepetition

WRONG_BELOW: Final = 70.0
"""Repetitions that score less are corrected."""
PRAISE_S: Final = 4.0
"""Praise stands for this long."""


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
        found = faults(self._exercise, done, self._usual_s)
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
        praised, until = self._praise if self._praise is not None else (None, 0.0)
        return {
            "suspect": self._suspect,
            "standing": kept(self._standing),
            "praise": kept(praised),
            "praise_until_s": until,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where another coach stopped. What it said in words that are no more is forgotten."""
        self._suspect = state.get("suspect")
        self._standing = taken_up(state.get("standing"))
        praised = taken_up(state.get("praise"))
        self._praise = (praised, float(state["praise_until_s"])) if praised is not None else None

    def _consider(self, fault: Fault, done: CompletedRepetition) -> None:
        code = fault.phrase.code
        again = code == self._suspect or (self._standing is not None and code == self._standing.code)
        self._suspect = code
        if again or done.verdict.score < SEVERE_BELOW:  # else the same fault must show twice
            self._standing = correction(self._exercise, fault, done.number)
            self._praise = None

    def _recover(self, done: CompletedRepetition) -> None:
        self._suspect = None
        advice = self._standing
        if advice is None:
            return
        self._praise = praise(advice, done.number), done.end_s + PRAISE_S
        self._standing = None

    def _told(self, done: CompletedRepetition, found: tuple[Fault, ...]) -> CompletedRepetition:
        cue = self.cue(done.end_s)
        about = cue if cue is not None and cue.repetition == done.number else None
        return replace(done, faults=tuple(fault.phrase.code for fault in found), cue=about)
