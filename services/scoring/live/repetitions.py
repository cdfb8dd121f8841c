"""Counts repetitions as they happen, on the position along the reference's principal axis.

A peak and trough detector whose thresholds follow the user's own range, so that shallow repetitions are seen (and scored
as shallow) rather than missed. It only proposes: whether the movement was the reference's is for the session to say.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

FAR: Final = 0.6
"""Somebody first seen this far out is within a repetition whose beginning was not seen."""
LEFT_FAR: Final = 0.95
"""… and on its way back once below this share of it."""
CUT_WITHIN_S: Final = 2.0
"""Who stays there for longer, as somebody sitting does, is within none."""
CUT_RETURN: Final = 0.5
"""Its return band: where such a repetition began, and so where it ends, is not known."""
UNKNOWN_USUAL: Final = 0.7
"""Taken as the user's usual range until there is one: whoever does little from the start is seen from the start."""
SMALLEST: Final = 0.25
"""Repetitions reach at least this share of the reference's range."""
RISE_SHARE: Final = 0.35
"""Share of the user's usual range by which the position has to rise or fall before it is a turn."""
RETURN_SHARE: Final = 0.30
"""A repetition is over once the position is back within this share of its height above where it began …"""
REST_SHARE: Final = 0.10
"""… and has come to rest, begun the next, or is within this share."""
ONSET_SHARE: Final = 0.06
"""Movement began where the position had risen by this share."""
SETTLE_S: Final = 0.15
"""Rest within the return band for this long ends a repetition."""
HISTORY_S: Final = 30.0
"""Longest repetition whose start is remembered."""
SMOOTHING_S: Final = 0.05
"""Time constant of the low-pass on the position; the landmarks are filtered already."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """A movement out and back."""

    start_s: float
    peak_s: float
    end_s: float
    height: float
    """How far it went, the reference's range being 1."""
    cut: bool = False
    """The person was first seen at its far end: only the way back was seen."""


class CycleDetector:
    """Finds movements out and back in a stream of positions (ready pose 0, far end of the reference 1)."""

    def __init__(self, returns_to: float = 0.0) -> None:
        """`returns_to`: position at which the reference itself ends."""
        self._return_share = RETURN_SHARE + max(0.0, returns_to)
        self._usual = UNKNOWN_USUAL
        self.reset()

    def reset(self) -> None:
        """Forgets the movement under way, not the user's usual range."""
        self._history: deque[tuple[float, float]] = deque()
        self._level = math.nan
        self._time = math.nan
        self._low = (math.nan, math.inf)
        self._high = (math.nan, -math.inf)
        self._trough = (math.nan, math.inf)
        self._rising = False
        self._cut = False
        self._settled_since = math.nan

    @property
    def moving(self) -> bool:
        """A movement out or back is under way."""
        return self._rising

    @property
    def reach(self) -> float:
        """How far the movement under way has gone; 0: there is none."""
        return self._high[1] - self._low[1] if self._rising else 0.0

    def push(self, time_s: float, position: float) -> Cycle | None:
        """Takes one position; returns the movement it completes."""
        if not math.isfinite(position):
            return None
        first = math.isnan(self._level)
        level = self._smoothed(time_s, position)
        if first and level >= FAR:
            self._rising = self._cut = True
            self._low, self._high = (time_s, 0.0), (time_s, level)
        self._history.append((time_s, level))
        while self._history[0][0] < time_s - HISTORY_S:
            self._history.popleft()
        if not self._rising:
            self._await_rise(time_s, level)
            return None
        return self._await_return(time_s, level)

    def _smoothed(self, time_s: float, position: float) -> float:
        if math.isnan(self._level):
            self._level = position
        else:
            share = 1.0 - math.exp(-(time_s - self._time) / SMOOTHING_S)
            self._level += share * (position - self._level)
        self._time = time_s
        return self._level

    def _threshold(self) -> float:
        return max(RISE_SHARE * min(self._usual, 1.0), 0.5 * SMALLEST)

    def _await_rise(self, time_s: float, level: float) -> None:
        if level <= self._low[1]:
            self._low = (time_s, level)
        elif level > self._low[1] + self._threshold():
            self._rising = True
            self._high = (time_s, level)
            self._settled_since = math.nan

    def _await_return(self, time_s: float, level: float) -> Cycle | None:
        if level >= self._high[1]:
            self._high = (time_s, level)
            self._settled_since = math.nan
            return None
        height = self._high[1] - self._low[1]
        back = level - self._low[1]
        share = CUT_RETURN if self._cut else self._return_share
        if back > share * height or self._high[1] - level < self._threshold():
            # Turning back outwards from within the return band starts the next movement.
            return self._finish(*self._trough) if self._turned_out(level, height) else None
        if math.isnan(self._settled_since) or level < self._trough[1]:
            if math.isnan(self._settled_since) or self._trough[1] - level > 0.02 * height:
                self._settled_since = time_s
            self._trough = (time_s, level)
        resting = time_s - self._settled_since >= SETTLE_S
        if back <= REST_SHARE * height or resting or self._turned_out(level, height):
            return self._finish(*self._trough)
        return None

    def _turned_out(self, level: float, height: float) -> bool:
        return not math.isnan(self._settled_since) and level > self._trough[1] + 0.1 * height

    def _finish(self, time_s: float, level: float) -> Cycle | None:
        # From the lower end: people begin and end a little out of the ready pose.
        height = self._high[1] - min(self._low[1], level)
        cut, self._cut = self._cut, False
        if cut:
            peak = max(at for at, value in self._history if value >= LEFT_FAR * self._high[1])
            if peak - self._history[0][0] > CUT_WITHIN_S:
                height = 0.0
            start = max(self._history[0][0], 2 * peak - time_s)
        else:
            start, peak = self._onset(self._high[1] - self._low[1]), self._high[0]
        self._low = (time_s, level)
        self._high = (math.nan, -math.inf)
        self._rising = False
        self._settled_since = math.nan
        if height < SMALLEST or not (start < peak < time_s or (cut and peak < time_s)):
            return None
        return Cycle(start, peak, time_s, height, cut)

    def _onset(self, height: float) -> float:
        """When the movement began: where the position last lay on the level it had just before it rose.

        That level is taken from the last second before the rise, since people drift while they stand.
        """
        rise = self._low[1] + 0.2 * height
        base, crossed, start = math.inf, math.nan, self._low[0]
        for at, value in reversed(self._history):
            if at > self._high[0]:
                continue
            if math.isnan(crossed) and value <= rise:
                crossed = at
            if not math.isnan(crossed):
                if at < crossed - 1.0:
                    break
                base = min(base, value)
        for at, value in reversed(self._history):
            if at <= self._high[0] and value <= base + ONSET_SHARE * height:
                start = at
                break
        return start

    def accepted(self, cycle: Cycle) -> None:
        """The movement was a repetition: the thresholds follow its height."""
        self._usual += 0.3 * (cycle.height - self._usual)
