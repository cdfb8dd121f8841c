"""A camera's own clock: when it takes its frames, and what it believes the time to be.

All times are seconds. True time is whatever the caller counts in, usually Unix time.
"""

import math
from dataclasses import dataclass

from gym.noise import draw


@dataclass(frozen=True)
class FrameTime:
    """One frame's instant in truth, and on the camera's own clock."""

    number: int
    true_time: float
    stamp: float
    dropped: bool


@dataclass(frozen=True)
class CameraClock:
    """A clock that is off, runs fast or slow, and jitters; every value a pure function of the frame's number."""

    fps: float = 30.0
    offset: float = 0.0  # the camera's clock reads this much more than the truth at `epoch`
    drift_ppm: float = 0.0  # it gains so many microseconds a second; its frames come as much faster
    jitter: float = 0.0  # SD of a frame's instant about its regular place
    stamp_jitter: float = 0.0  # SD of the stamp about the camera's clock (driver, scheduling)
    drop: float = 0.0  # share of the frames that never arrive
    phase: float = 0.0  # of a frame: cameras are not triggered together
    epoch: float = 0.0  # true time of frame 0 (less the phase), and where the drift begins
    seed: int = 0
    name: str = ""

    def frame(self, number: int) -> FrameTime:
        """When a frame is taken."""
        regular = self.epoch + (number + self.phase) / self._rate
        early, late, lost = 0.0, 0.0, False
        if self.jitter or self.stamp_jitter or self.drop:
            rng = draw("clock", self.seed, self.name, number)
            # A frame never changes places with its neighbour.
            early = _bounded(rng.standard_normal() * self.jitter, 0.45 / self.fps)
            late = float(rng.standard_normal()) * self.stamp_jitter
            lost = bool(rng.random() < self.drop)
        true_time = regular + early
        return FrameTime(number, true_time, self.stamp(true_time) + late, lost)

    def stamp(self, true_time: float) -> float:
        """What the camera's clock reads at a true time."""
        return true_time + self.offset + (true_time - self.epoch) * self.drift_ppm * 1e-6

    def first_after(self, true_time: float) -> int:
        """The first frame whose regular place is not before `true_time`."""
        return math.ceil((true_time - self.epoch) * self._rate - self.phase - 1e-9)

    @property
    def _rate(self) -> float:
        return self.fps * (1 + self.drift_ppm * 1e-6)


def _bounded(value: float, limit: float) -> float:
    return float(max(-limit, min(limit, value)))
