"""All that a session says beside its score: one cue, one notice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.scoring.advice.coach import Coach
from services.scoring.advice.holding import HoldCoach
from services.scoring.advice.likeness import LikenessWatch, is_alike
from services.scoring.advice.safety import SafetyWatch
from services.scoring.judging.technique import Flaw
from services.scoring.live.outcome import Advice, CompletedRepetition, Notice
from services.scoring.movement.joints import JointError
from services.scoring.movement.landmarks import View
from services.scoring.reference.template import Template


class Voice:
    """Hears a session, and says what stands."""

    def __init__(self, template: Template) -> None:
        self._coach = Coach(template.exercise, template.duration_s)
        self._holding = HoldCoach(template.exercise)
        self._likeness = LikenessWatch(template)
        self._safety = SafetyWatch()

    def hear(self, done: CompletedRepetition) -> CompletedRepetition:
        """Takes a repetition into account; returns it with its faults and with what is said of it."""
        self._likeness.hear(done)
        if not is_alike(done):
            return done
        self._safety.hear(done)
        return self._coach.hear(done)

    def see(self, dt_s: float, views: Sequence[View], *, moving: bool) -> None:
        """Takes a frame, whatever is done in it."""
        self._likeness.see(dt_s, views, moving=moving)

    def hear_hold(
        self, time_s: float, score: float | None, flaws: tuple[Flaw, ...], errors: tuple[JointError, ...]
    ) -> None:
        """Takes a frame in which the pose is held, see `HoldCoach.hear`."""
        self._holding.hear(time_s, score, flaws, errors)

    def cue(self, time_s: float) -> Advice | None:
        """What stands now."""
        return self._holding.cue(time_s) or self._coach.cue(time_s)

    def notice(self, time_s: float) -> Notice | None:
        """What stands besides."""
        return self._safety.notice(time_s) or self._likeness.notice()

    def state(self) -> dict[str, Any]:
        """What a successor must know; plain JSON values."""
        return {
            "coach": self._coach.state(),
            "holding": self._holding.state(),
            "likeness": self._likeness.state(),
            "safety": self._safety.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where another stopped, whatever has been heard since."""
        self._coach.restore(state.get("coach", {}))
        self._holding.restore(state.get("holding", {}))
        self._likeness.restore(state.get("likeness", {}))
        self._safety.restore(state.get("safety", {}))
