"""How long a camera's frames take, and so how long to wait for it."""

from collections import deque
from collections.abc import Iterable

WINDOW = 600
"""Frames the delays are taken over."""
QUANTILE = 0.995
RECOMPUTE_EVERY = 16
FALL = 0.05
"""Share of the way the lateness falls at each recomputation, when delays became shorter; it rises at once."""


def quantile(values: Iterable[float], share: float) -> float:
    """The value that `share` of `values` do not exceed; 0 when there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


class Delays:
    """Delays of one camera's newest frames, from capture to storage, microseconds.

    The clamp to what is sensible is the session's business: it compares with the fastest camera.
    """

    def __init__(self) -> None:
        self._delays: deque[int] = deque(maxlen=WINDOW)
        self._since = 0
        self.median_us = 0
        self.p99_us = 0
        self.lateness_us = 0
        """p99.5 with hysteresis: up at once, down slowly."""

    def add(self, delay_us: int) -> None:
        self._delays.append(delay_us)
        self._since += 1
        if self._since >= RECOMPUTE_EVERY or len(self._delays) <= RECOMPUTE_EVERY:
            self._since = 0
            self._recompute()

    def _recompute(self) -> None:
        ordered = sorted(self._delays)
        count = len(ordered)
        self.median_us = ordered[count // 2]
        self.p99_us = ordered[min(count - 1, int(0.99 * count))]
        highest = ordered[min(count - 1, int(QUANTILE * count))]
        fallen = self.lateness_us + FALL * (highest - self.lateness_us)
        self.lateness_us = max(highest, round(fallen))
