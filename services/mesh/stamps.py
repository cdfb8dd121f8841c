"""Stamps that are better than what the source says: de-jittered on the frame number, or rescued from the arrival.

Pure: the caller reads the clocks.
"""

import math
from collections import deque

HALF_LIFE_FRAMES = 600
FEW = 10
"""With fewer frames than this in the fit, only gross contradictions count."""
OUTLIERS = 3
"""This many contradicting frames in a row are a rate step: the fit starts again."""
LEAST_JITTER_NS = 100_000.0


class StampSmoother:
    """Fits capture stamps to a line over the sequence number, by recursive least squares with forgetting.

    A camera's shutter is regular; the stamps the driver and the scheduler give are not. The line's value is the better
    stamp: with jitter of standard deviation s its error falls to about 2 s / sqrt(n). A stamp that is far off the line
    is passed as it is; three in a row (another frame rate after auto-exposure, a lost number) start the line again.
    """

    def __init__(self) -> None:
        self._count = 0
        self._sequence = 0
        # Weighted sums over the frames of the fit; x: frames before the newest, y: distance from the line, ns.
        self._w = self._wx = self._wxx = self._wy = self._wxy = 0.0
        self._period_ns = 0.0
        self._base_ns = 0
        self._variance = 0.0
        self._outliers = 0
        self._last_ns: int | None = None

    @property
    def jitter_us(self) -> int:
        """Standard deviation of the stamps about their line, microseconds; 0 while unknown."""
        return round(math.sqrt(self._variance) / 1000)

    @property
    def period_ns(self) -> float:
        """Time between consecutive sequence numbers; 0 while unknown."""
        return self._period_ns

    def add(self, sequence: int, stamp_ns: int) -> int:
        """The better stamp of the frame, on the clock of `stamp_ns`; strictly later than that of the frame before."""
        smoothed = self._smooth(sequence, stamp_ns)
        if self._last_ns is not None and smoothed <= self._last_ns:
            smoothed = self._last_ns + 1
        self._last_ns = smoothed
        return smoothed

    def _smooth(self, sequence: int, stamp_ns: int) -> int:
        step = sequence - self._sequence
        if self._count == 0 or step <= 0:
            return self._restart(sequence, stamp_ns)
        if self._count == 1:
            self._period_ns = (stamp_ns - self._base_ns) / step
        residual_ns = stamp_ns - self._base_ns - self._period_ns * step
        sigma_ns = max(LEAST_JITTER_NS, math.sqrt(self._variance))
        far_ns = max(8 * sigma_ns, self._period_ns * (0.35 if self._count >= FEW else 1.5))
        if abs(residual_ns) > far_ns:
            self._outliers += 1
            return self._restart(sequence, stamp_ns) if self._outliers >= OUTLIERS else stamp_ns
        self._outliers = 0
        self._advance(step)
        self._sequence, self._count = sequence, self._count + 1
        self._include(residual_ns)
        share = max(1 / self._count, 0.01)
        if self._count > 2:
            self._variance += share * (residual_ns**2 - self._variance)
        return self._base_ns

    def _restart(self, sequence: int, stamp_ns: int) -> int:
        self._count, self._outliers, self._sequence = 1, 0, sequence
        self._w, self._wx, self._wxx, self._wy, self._wxy = 1.0, 0.0, 0.0, 0.0, 0.0
        self._base_ns, self._variance = stamp_ns, 0.0
        return stamp_ns

    def _advance(self, step: int) -> None:
        """Move the origin to the new frame, on the line as it is, and let the past fade."""
        ahead_ns = self._period_ns * step
        self._base_ns += round(ahead_ns)
        fade = 0.5 ** (step / HALF_LIFE_FRAMES)
        self._wxx = (self._wxx - 2 * step * self._wx + step * step * self._w) * fade
        self._wxy = (self._wxy - step * self._wy) * fade
        self._wx = (self._wx - step * self._w) * fade
        self._wy *= fade
        self._w *= fade

    def _include(self, residual_ns: float) -> None:
        """Add the new frame at x = 0, y = residual, then move the line onto the least-squares fit."""
        self._w += 1
        self._wy += residual_ns
        spread = self._w * self._wxx - self._wx**2
        slope = (self._w * self._wxy - self._wx * self._wy) / spread if spread > 0 else 0.0
        shift = (self._wy - slope * self._wx) / self._w
        # From here on distances are measured from the new line.
        self._wxy -= slope * self._wxx + shift * self._wx
        self._wy -= slope * self._wx + shift * self._w
        self._period_ns += slope
        self._base_ns += round(shift)


FALLBACK_WINDOW_US = 10_000_000
UNKNOWN_DELAY_US = 20_000
"""The shortest delay itself cannot be seen from one side; this much is allowed for it."""
STEP_US = 1_000_000


class ArrivalFallback:
    """Maps a client's own timestamps to the server clock by the shortest delay of the last ten seconds.

    The mapped time is late by that shortest delay, which nobody can measure from one side; the uncertainty says so.
    A client whose timestamps jump by more than a second opens a new `epoch`.
    """

    def __init__(self, epoch: int = 0) -> None:
        self.epoch = epoch
        # Delays that are still the shortest of all that came after them, oldest first.
        self._shortest: deque[tuple[int, int]] = deque()
        self._excess_us = 0.0
        self._far = 0

    def map(self, client_us: int, arrival_us: int) -> tuple[int, int]:
        """Server time of the client's timestamp and its uncertainty, microseconds; never later than the arrival."""
        delay_us = arrival_us - client_us
        if self._shortest and abs(delay_us - self._shortest[0][1]) > STEP_US:
            self._far += 1
            if self._far >= OUTLIERS:
                self._shortest.clear()
                self._excess_us, self._far = 0.0, 0
                self.epoch += 1
        else:
            self._far = 0
        if not self._far:
            self._remember(arrival_us, delay_us)
        least_us = self._shortest[0][1]
        # A stamp that is years off says nothing of the delay, and would be remembered for hundreds of frames.
        excess_us = min(STEP_US, max(0, delay_us - least_us))
        self._excess_us += 0.05 * (excess_us - self._excess_us)
        return min(client_us + least_us, arrival_us), UNKNOWN_DELAY_US + round(self._excess_us)

    def _remember(self, arrival_us: int, delay_us: int) -> None:
        while self._shortest and self._shortest[-1][1] >= delay_us:
            self._shortest.pop()
        self._shortest.append((arrival_us, delay_us))
        while arrival_us - self._shortest[0][0] > FALLBACK_WINDOW_US:
            self._shortest.popleft()
