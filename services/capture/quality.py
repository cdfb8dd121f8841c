"""JPEG quality that follows what the link carries: additive increase, multiplicative decrease."""

LOWEST, HIGHEST, START = 50, 90, 80
CUT = 0.85
RAISE = 2
CUT_PAUSE_S = 0.5
RAISE_PAUSE_S = 1.0
LEAST_CONGESTION_S = 0.025
"""A busy server answers this late without the link being at fault."""


class QualityControl:
    """Judges the link by how long things queue on it, never by how long pose takes: smaller frames mend only the link.

    Two things show a queue: a probe whose round trip is longer than the shortest seen, and a write that does not
    return because the transport is full.
    """

    def __init__(self, lowest: int = LOWEST, highest: int = HIGHEST) -> None:
        self._lowest, self._highest = lowest, highest
        self._quality = float(min(max(START, lowest), highest))
        self._shortest_s = float("inf")
        self._changed_s = float("-inf")
        self._crowded_s = float("-inf")

    @property
    def quality(self) -> int:
        """JPEG quality to encode with."""
        return round(self._quality)

    def new_link(self) -> None:
        """Another connection: its round trip is not known yet."""
        self._shortest_s = float("inf")

    def round_trip(self, now_s: float, round_trip_s: float, period_s: float) -> None:
        """A probe came back. `period_s`: time between frames."""
        self._shortest_s = min(self._shortest_s, round_trip_s)
        self.queued(now_s, round_trip_s - self._shortest_s, period_s)

    def queued(self, now_s: float, delay_s: float, period_s: float) -> None:
        """Something waited `delay_s` on the link."""
        limit_s = max(LEAST_CONGESTION_S, 0.4 * period_s)
        if delay_s >= limit_s:
            self._crowded_s = now_s
            if now_s - self._changed_s >= CUT_PAUSE_S:
                self._set(self._quality * CUT, now_s)
        elif delay_s < limit_s / 2 and now_s - max(self._changed_s, self._crowded_s) >= RAISE_PAUSE_S:
            self._set(self._quality + RAISE, now_s)

    def _set(self, quality: float, now_s: float) -> None:
        self._quality = min(max(quality, self._lowest), self._highest)
        self._changed_s = now_s
