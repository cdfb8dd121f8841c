"""Two clocks and the line between them: which server time a local instant had, and how far off that may be.

Every probe (t0 sent, t1 received, t2 answered, t3 back; t0 and t3 on the local monotonic clock, t1 and t2 on the
server's) bounds the offset `server - local` from both sides, because no message travels faster than at once:

    t2 - t3  <=  offset  <=  t1 - t0

The estimate is the line, over the last minute of probes, that keeps the widest margin to all these bounds: the
maximum-likelihood line for exponentially distributed queueing delays (Moon, Skelly, Towsley, INFOCOM 1999, solve the
one-sided case by the convex hull). Half the margin is what nobody can know: the two directions may differ by it.

Pure: the caller reads the clocks.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from komi.common.v1 import frame_pb2
from services.mesh.stamps import ArrivalFallback, StampSmoother

__all__ = ["ArrivalFallback", "ClockEstimator", "ClockReading", "StampSmoother", "probe_delays"]

BURST_PROBES = 8
PROBE_GAP_S = 0.064
BURST_PERIOD_S = 2.0
CALM_PERIODS = 4
"""While a clock is calm, this many bursts between two full ones are a single probe …"""
REDIS_CALM_PERIODS = 14
"""… and where Redis is asked, which answers each service alike: two full ones still lie in the window."""
CALM_MARGIN_NS = 500_000
"""On a link that leaves more than this unknown every probe counts."""

WINDOW_NS = 60_000_000_000
BURST_NS = 1_000_000_000
"""Probes sent within this of a burst's first belong to it."""
SLOPE_SPAN_NS = 5_000_000_000
"""Below this span a drift cannot be told from delay; it is taken as 0."""
SETTLED_NS = 12_000_000_000
"""From this span on corrections are slewed."""
MOST_DRIFT = 500e-6
UNKNOWN_DRIFT = 100e-6
WANDER = 1e-6
"""How fast the rate of a settled clock may wander away from its line, as a share of the time since the last probe."""
STEP_PROBES = 3
"""This many probes in a row that contradict the line are a step of one of the clocks."""
STEP_MARGIN_NS = 1_000_000
LEAST_SLEW_NS = 50_000


def probe_delays(
    calm: Callable[[], bool] = lambda: False, calm_periods: int = CALM_PERIODS
) -> Iterator[float]:
    """Seconds to wait before each probe, for ever: bursts of 8, 64 ms apart, one burst every 2 s.

    While `calm()`, `calm_periods` bursts after each full one end after their first probe. A step is thus noticed as soon as ever: the probe
    that contradicts the line ends the calm, and the rest of its burst follows.
    """
    yield 0.0
    while True:
        yield from itertools.repeat(PROBE_GAP_S, BURST_PROBES - 1)
        yield BURST_PERIOD_S - (BURST_PROBES - 1) * PROBE_GAP_S
        for _ in range(calm_periods):
            if not calm():
                break
            yield BURST_PERIOD_S


@dataclass(frozen=True)
class _Bounds:
    """What one burst says: at `at_ns` (local) the offset lies in [low_ns, high_ns]."""

    at_ns: int
    low_ns: int
    high_ns: int


@dataclass(frozen=True)
class ClockReading:
    """State of a clock mapping, in the units of komi.common.v1.ClockStatus."""

    offset_us: int
    drift_ppm: float
    round_trip_us: int
    jitter_us: int
    uncertainty_us: int
    probes: int

    def to_proto(self) -> frame_pb2.ClockStatus:
        return frame_pb2.ClockStatus(
            offset_us=self.offset_us,
            drift_ppm=self.drift_ppm,
            round_trip_us=self.round_trip_us,
            jitter_us=self.jitter_us,
            uncertainty_us=self.uncertainty_us,
            probes=self.probes,
        )


class ClockEstimator:
    """Maps a local monotonic clock to the server clock.

    A step of either clock (three probes in a row that contradict the line) opens a new `epoch` and forgets what was
    measured before. Smaller corrections are slewed by at most a quarter of the round trip a burst.
    """

    def __init__(self, epoch: int = 0) -> None:
        self.epoch = epoch
        self._forget()

    def _forget(self) -> None:
        self._bursts: deque[_Bounds] = deque()
        self._open: list[_Bounds] = []
        self._contradictions: list[tuple[int, int, int, int, int]] = []
        self._probes = 0
        self._round_trip_ns = 0
        self._server_uncertainty_ns = 0
        # The line in use: offset(t) = _offset_ns + _drift * (t - _reference_ns).
        self._reference_ns = 0
        self._offset_ns = 0.0
        self._drift = 0.0
        self._margin_ns = 0.0
        self._unslewed_ns = 0.0
        self._measured_ns = 0

    @property
    def ready(self) -> bool:
        """Whether a first burst has been measured (four probes of it suffice)."""
        return self._probes >= BURST_PROBES // 2

    @property
    def calm(self) -> bool:
        """Whether fewer probes do: the line is settled and narrow, nothing contradicts it, and it is followed."""
        settled = self._span_ns() >= SETTLED_NS and self._margin_ns <= CALM_MARGIN_NS
        slewed = abs(self._unslewed_ns) <= max(self._margin_ns, LEAST_SLEW_NS)
        return settled and slewed and not self._contradictions

    def add(self, t0_ns: int, t1_ns: int, t2_ns: int, t3_ns: int, server_uncertainty_us: int = 0) -> bool:
        """Take in one probe. True: it revealed a step, and a new epoch has begun.

        t0, t3: local monotonic clock; t1, t2: server clock, nanoseconds. A probe that runs backwards is ignored.
        `server_uncertainty_us`: how far the server that answered may itself be from the server clock.
        """
        if t3_ns < t0_ns or t2_ns < t1_ns or t2_ns - t1_ns > t3_ns - t0_ns:
            return False
        if self.ready and self._contradicts(t0_ns, t1_ns, t2_ns, t3_ns):
            self._contradictions.append((t0_ns, t1_ns, t2_ns, t3_ns, server_uncertainty_us))
            if len(self._contradictions) < STEP_PROBES:
                return False
            evidence = self._contradictions
            self._forget()
            self.epoch += 1
            for probe in evidence:
                self._take(*probe)
            return True
        self._contradictions.clear()
        self._take(t0_ns, t1_ns, t2_ns, t3_ns, server_uncertainty_us)
        return False

    def map(self, local_monotonic_ns: int) -> tuple[int, int]:
        """Server time of a local instant, microseconds since the epoch, and its uncertainty, microseconds.

        Meaningless before `ready`.
        """
        server_us = (local_monotonic_ns + round(self._offset_at(local_monotonic_ns))) // 1000
        return server_us, self._uncertainty_us(local_monotonic_ns)

    def map_ns(self, local_monotonic_ns: int) -> int:
        """Server time of a local instant, nanoseconds since the epoch."""
        return local_monotonic_ns + round(self._offset_at(local_monotonic_ns))

    def reading(self, local_monotonic_ns: int, local_unix_ns: int, jitter_us: int = 0) -> ClockReading:
        """The state now; both arguments are this instant, on the local monotonic and the local wall clock.

        `jitter_us` comes from the stream's StampSmoother.
        """
        return ClockReading(
            offset_us=(self.map_ns(local_monotonic_ns) - local_unix_ns) // 1000,
            drift_ppm=self._drift * 1e6,
            round_trip_us=self._round_trip_ns // 1000,
            jitter_us=jitter_us,
            uncertainty_us=self._uncertainty_us(local_monotonic_ns),
            probes=self._probes,
        )

    # ------------------------------------------------------------ the line
    def _offset_at(self, local_ns: int) -> float:
        return self._offset_ns + self._drift * (local_ns - self._reference_ns)

    def _uncertainty_us(self, local_ns: int) -> int:
        settled = self._span_ns() >= SETTLED_NS
        age_ns = abs(local_ns - self._measured_ns)
        aged = age_ns * (
            min(UNKNOWN_DRIFT, 2 * self._margin_ns / WINDOW_NS + WANDER) if settled else UNKNOWN_DRIFT
        )
        total_ns = self._margin_ns + abs(self._unslewed_ns) + aged + self._server_uncertainty_ns
        return max(1, -int(-total_ns // 1000))

    def _span_ns(self) -> int:
        first = self._bursts[0] if self._bursts else self._open[0] if self._open else None
        return self._measured_ns - first.at_ns if first else 0

    def _contradicts(self, t0_ns: int, t1_ns: int, t2_ns: int, t3_ns: int) -> bool:
        offset_ns = self._offset_at((t0_ns + t3_ns) // 2)
        slack_ns = STEP_MARGIN_NS + self._uncertainty_us(t3_ns) * 1000
        return not t2_ns - t3_ns - slack_ns <= offset_ns <= t1_ns - t0_ns + slack_ns

    def _take(self, t0_ns: int, t1_ns: int, t2_ns: int, t3_ns: int, server_uncertainty_us: int) -> None:
        round_trip_ns = (t3_ns - t0_ns) - (t2_ns - t1_ns)
        if self._open and t0_ns - self._open[0].at_ns > BURST_NS:
            self._bursts.append(self._merge(self._open))
            self._open = []
        if not self._open or round_trip_ns < self._round_trip_ns:
            self._round_trip_ns = round_trip_ns
        self._open.append(_Bounds((t0_ns + t3_ns) // 2, t2_ns - t3_ns, t1_ns - t0_ns))
        self._probes += 1
        self._server_uncertainty_ns = server_uncertainty_us * 1000
        while self._bursts and t3_ns - self._bursts[0].at_ns > WINDOW_NS:
            self._bursts.popleft()
        self._refit(t3_ns)

    def _merge(self, burst: list[_Bounds]) -> _Bounds:
        """One burst as one pair of bounds, moved to its middle by the drift known so far."""
        middle_ns = burst[len(burst) // 2].at_ns
        low, high = _strip(burst, middle_ns, self._drift)
        return _Bounds(middle_ns, round(low), round(high))

    def _refit(self, now_ns: int) -> None:
        points = [*self._bursts, self._merge(self._open)]
        settled = self._span_ns() >= SETTLED_NS
        before_ns = self._offset_at(now_ns)
        limit = MOST_DRIFT if now_ns - points[0].at_ns >= SLOPE_SPAN_NS else 0.0
        drift = _widest(points, now_ns, limit)
        low, high = _strip(points, now_ns, drift)
        target_ns = (low + high) / 2
        self._margin_ns = abs(high - low) / 2
        if not limit:
            self._margin_ns += UNKNOWN_DRIFT * (now_ns - points[0].at_ns)
        self._drift, self._reference_ns, self._measured_ns = drift, now_ns, now_ns
        self._offset_ns = target_ns
        if settled:
            # A burst may move the clock by a quarter of its round trip, so one probe by an eighth of that.
            most_ns = max(LEAST_SLEW_NS, self._round_trip_ns / 4) / BURST_PROBES
            self._offset_ns = before_ns + min(most_ns, max(-most_ns, target_ns - before_ns))
        self._unslewed_ns = target_ns - self._offset_ns


def _strip(points: list[_Bounds], at_ns: int, drift: float) -> tuple[float, float]:
    """Highest lower and lowest upper bound of the offset at `at_ns`, if the clocks drift by `drift`."""
    low = max(p.low_ns + drift * (at_ns - p.at_ns) for p in points)
    high = min(p.high_ns + drift * (at_ns - p.at_ns) for p in points)
    return low, high


def _widest(points: list[_Bounds], at_ns: int, limit: float) -> float:
    """Drift within ±limit whose strip is widest: the width is concave in the drift, so halving its slope finds it."""
    left, right = -limit, limit
    drift = 0.0
    while right - left > 1e-8:
        highest = max(points, key=lambda p: p.low_ns + drift * (at_ns - p.at_ns))
        lowest = min(points, key=lambda p: p.high_ns + drift * (at_ns - p.at_ns))
        # Each bound moves with the drift by its age: the width grows with it while the lower bound is the younger.
        if highest.at_ns == lowest.at_ns:
            break
        if highest.at_ns > lowest.at_ns:
            left = drift
        else:
            right = drift
        drift = (left + right) / 2
    return drift
