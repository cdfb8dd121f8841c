"""When to say: stop and rest. Fixed words, of no language model's making; general fitness advice, no diagnosis."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from statistics import fmean
from typing import Any, Final

from services.scoring.live.outcome import CompletedRepetition, Notice

SUCCESSIVE: Final = 3
"""Repetitions that are looked at together."""
POOR: Final = 40.0
"""So many repetitions below this score are no practice any more."""
COLLAPSE: Final = 30.0
"""A mean this far below the best earlier one is fatigue …"""
TIRED_BELOW: Final = 70.0
"""… if it does not pass either."""
STANDS_S: Final = 10.0
"""The notice stands for this long."""
AT_MOST_EVERY_S: Final = 120.0
STOP: Final = Notice(
    "safety.stop",
    "잠시 쉬어 가세요. 통증, 어지러움, 숨참이 있으면 바로 멈추세요.",
    "Take a rest. Stop at once if you feel pain, dizziness or shortness of breath.",
)


class SafetyWatch:
    """Hears repetitions, and says when to rest: on poor ones in a row, and when scores collapse with fatigue."""

    def __init__(self) -> None:
        self._scores: deque[float] = deque(maxlen=SUCCESSIVE)
        self._best = -math.inf
        self._said_s = -math.inf

    def hear(self, done: CompletedRepetition) -> None:
        """Takes a repetition into account; one that was seen too little to score says nothing."""
        if not math.isfinite(done.verdict.score):
            return
        self._scores.append(done.verdict.score)
        if len(self._scores) < SUCCESSIVE:
            return
        mean = fmean(self._scores)
        tired = mean < min(self._best - COLLAPSE, TIRED_BELOW)
        self._best = max(self._best, mean)
        if (tired or max(self._scores) < POOR) and done.end_s - self._said_s >= AT_MOST_EVERY_S:
            self._said_s = done.end_s

    def notice(self, time_s: float) -> Notice | None:
        """What stands now."""
        return STOP if time_s - self._said_s <= STANDS_S else None

    def state(self) -> dict[str, Any]:
        """What a successor must know: fatigue is told by what came before. Plain JSON values."""
        return {
            "scores": list(self._scores),
            "best": self._best if math.isfinite(self._best) else None,
            "said_s": self._said_s if math.isfinite(self._said_s) else None,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where another watch stopped."""
        best, said = state.get("best"), state.get("said_s")
        self._scores = deque((float(score) for score in state.get("scores", ())), maxlen=SUCCESSIVE)
        self._best = -math.inf if best is None else float(best)
        self._said_s = -math.inf if said is None else float(said)
