"""Chooses the one cue while a pose is held: told once a fault lasts, praised once it is mended."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from services.scoring.advice.causes import EXCESS, Fault, of_flaws, of_joints
from services.scoring.advice.coach import PRAISE_S, WRONG_BELOW
from services.scoring.advice.given import correction, kept, praise, taken_up
from services.scoring.advice.knowledge import canonical
from services.scoring.judging.technique import Flaw
from services.scoring.live.outcome import Advice
from services.scoring.movement.joints import JointError
from services.scoring.reference.template import Phase

LASTS_S: Final = 1.0
"""A fault that lasts this long is told; one that is away this long is mended."""
AWAY: Final = 0.85
"""A fault that stands is away below this share of its limit: nobody is to be told and praised in turn."""
LEFT_S: Final = 2.0
"""Who has not held the pose for this long is told nothing of it."""


class HoldCoach:
    """Hears frames of a held pose, says at most one thing."""

    def __init__(self, exercise: str) -> None:
        self._exercise = canonical(exercise)
        self._suspect: tuple[str, float] | None = None
        self._standing: Advice | None = None
        self._there_s = -math.inf
        self._praise: tuple[Advice, float] | None = None
        self._held_s = -math.inf

    def hear(
        self, time_s: float, score: float | None, flaws: tuple[Flaw, ...], errors: tuple[JointError, ...]
    ) -> None:
        """Takes a frame in which the pose is held: its score, the faults with a name, and the joints now."""
        self._held_s = time_s
        found = list(self._found(score, flaws, errors, EXCESS))
        standing = self._standing
        if standing is not None:
            limit = AWAY * EXCESS
            if any(one.phrase.code == standing.code for one in self._found(score, flaws, errors, limit)):
                self._there_s = time_s
            elif time_s - self._there_s >= LASTS_S:
                self._praise = praise(standing, 0), time_s + PRAISE_S
                self._standing = None
            return
        self._suspect_one(time_s, found[0] if found else None)

    def cue(self, time_s: float) -> Advice | None:
        """What stands now."""
        if time_s - self._held_s > LEFT_S:
            self._standing = self._praise = self._suspect = None
        if self._praise is not None:
            if time_s <= self._praise[1]:
                return self._praise[0]
            self._praise = None
        return self._standing

    def state(self) -> dict[str, Any]:
        """What a successor must know; plain JSON values. A praise under way is not worth carrying over."""
        return {"standing": kept(self._standing), "held_s": self._held_s if self._standing else None}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where another coach stopped."""
        self._standing = taken_up(state.get("standing"))
        self._praise = self._suspect = None
        if self._standing is not None:
            self._held_s = self._there_s = float(state["held_s"])

    def _suspect_one(self, time_s: float, fault: Fault | None) -> None:
        if fault is None:
            self._suspect = None
        elif self._suspect is None or self._suspect[0] != fault.phrase.code:
            self._suspect = fault.phrase.code, time_s
        elif time_s - self._suspect[1] >= LASTS_S:
            self._standing = correction(self._exercise, fault, 0)
            self._there_s, self._suspect, self._praise = time_s, None, None

    def _found(
        self, score: float | None, flaws: tuple[Flaw, ...], errors: tuple[JointError, ...], limit: float
    ) -> Iterator[Fault]:
        named = list(of_flaws(self._exercise, flaws, Phase.UNKNOWN, limit))
        if named:
            yield from named
        elif not flaws and score is not None and score < WRONG_BELOW:
            yield from of_joints(self._exercise, errors, Phase.UNKNOWN, limit)
