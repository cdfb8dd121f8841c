"""JPEG quality that follows what the link carries: additive increase, multiplicative decrease."""

LOWEST, HIGHEST, START = 50, 90, 80
CUT = 0.8
RAISE = 3
SAMPLES = 6
"""A queue stands on the link when none of so many in a row got through faster."""
LEAST_CONGESTION_S = 0.025


class QualityControl:
    """Judges the link by the queue that stands on it, never by how long pose takes: smaller frames mend only the link.

    Two things show a queue: probes whose round trip is longer than the shortest seen, and writes that do not return
    because the transport is full. As in CoDel (Nichols and Jacobson, 2012) the least delay of an interval counts: a
    busy machine delays some messages, a full link all of them.
    """

    def __init__(self, lowest: int = LOWEST, highest: int = HIGHEST) -> None:
        self._lowest, self._highest = lowest, highest
        self._quality = float(min(max(START, lowest), highest))
        self._shortest_s = float("inf")
        self._trips: list[float] = []
        self._writes: list[float] = []
        self._queue_seen = False

    @property
    def quality(self) -> int:
        """JPEG quality to encode with."""
        return round(self._quality)

    @property
    def free(self) -> bool:
        """Whether the link carries what comes, so that nothing need be compressed anew to be smaller."""
        return self.quality >= START

    @property
    def calm(self) -> bool:
        """Whether fewer probes do: the last one met no queue that counts, and quality is as high as it goes."""
        return self._quality >= self._highest and not self._queue_seen

    def new_link(self) -> None:
        """Another connection: its round trip is not known yet."""
        self._shortest_s = float("inf")
        self._trips.clear()
        self._writes.clear()

    def round_trip(self, round_trip_s: float, period_s: float) -> None:
        """A probe came back. `period_s`: time between frames."""
        self._shortest_s = min(self._shortest_s, round_trip_s)
        standing_s = round_trip_s - self._shortest_s
        queue_seen = standing_s >= _limit_s(period_s)
        if queue_seen and self.calm:
            # The burst that follows is to judge the queue, not the calm before it.
            self._trips.clear()
        self._queue_seen = queue_seen
        self._trips.append(standing_s)
        if len(self._trips) >= SAMPLES:
            self._judge(min(self._trips), period_s, may_raise=True)
            self._trips.clear()

    def written(self, write_s: float, period_s: float) -> None:
        """The transport took a frame after so long. That it took it at once says nothing: it has buffers."""
        self._writes.append(write_s)
        if len(self._writes) >= SAMPLES:
            self._judge(min(self._writes), period_s, may_raise=False)
            self._writes.clear()

    def _judge(self, standing_s: float, period_s: float, *, may_raise: bool) -> None:
        limit_s = _limit_s(period_s)
        if standing_s >= limit_s:
            self._quality = max(self._lowest, self._quality * CUT)
        elif may_raise and standing_s < limit_s / 4:
            self._quality = min(self._highest, self._quality + RAISE)


def _limit_s(period_s: float) -> float:
    """A queue that holds a frame up for longer than this is too long."""
    return max(LEAST_CONGESTION_S, 0.4 * period_s)
