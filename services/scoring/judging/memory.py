"""The last half minute of a session, kept so that a finished repetition can be looked at as a whole."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.movement.features import renormalised
from services.scoring.movement.landmarks import Bools, Floats
from services.scoring.movement.pictures import Picture, pictures_of
from services.scoring.movement.smoothing import fill_gaps, lowpass, noise_left, resample
from services.scoring.movement.views import Observed
from services.scoring.reference.template import RATE_HZ

SPAN_S: Final = 30.0
MOST_FRAMES: Final = 4000
SEEN_SHARE: Final = 0.5
"""A feature counts in a repetition if it was seen in this share of its frames."""
BEFORE_S: Final = 1.0
"""A movement is noticed once it is under way; how the person stood is seen so long before."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Part of a session, 30 rows a second, smoothed."""

    features: Floats
    """(rows, 60)"""
    known: Bools
    """(60,)"""
    variance: Floats
    """(60,) mean error variance of the views; infinite where unknown."""
    jitter: Floats
    """(60,) variance of what smoothing has left of the noise from frame to frame."""
    start_s: float
    pictures: tuple[Picture, ...] = ()
    """The same rows in the pictures of the cameras that saw it."""


class Memory:
    """Bounded memory of what was observed."""

    def __init__(self) -> None:
        self._frames: deque[tuple[float, Observed]] = deque(maxlen=MOST_FRAMES)

    def push(self, time_s: float, seen: Observed) -> None:
        """Remembers one frame and forgets those older than the span."""
        self._frames.append((time_s, seen))
        while self._frames[0][0] < time_s - SPAN_S:
            self._frames.popleft()

    def clear(self) -> None:
        """Forgets everything."""
        self._frames.clear()

    def clip(self, start_s: float, end_s: float) -> Clip | None:
        """What was seen between two instants; None if fewer than three frames were."""
        chosen = [(t, seen) for t, seen in self._frames if start_s <= t <= end_s]
        if len(chosen) < 3:
            return None
        times = np.array([t for t, _ in chosen])
        known = np.stack([seen.known for _, seen in chosen])
        features = np.where(known, np.stack([seen.features for _, seen in chosen]), np.nan)
        enough = known.mean(axis=0) >= SEEN_SHARE
        at = np.arange(times[0], times[-1] + 1e-9, 1.0 / RATE_HZ)
        filled = np.where(enough, fill_gaps(times, features), 0.0)
        even = resample(times, filled, at)
        smooth = lowpass(even, RATE_HZ)
        whole = renormalised(smooth)
        variance = np.where(known, np.stack([seen.variance for _, seen in chosen]), 0.0)
        mean = np.where(enough, variance.sum(axis=0) / np.maximum(known.sum(axis=0), 1), np.inf)
        jitter = noise_left(even, smooth)
        before = [seen.sights for t, seen in self._frames if start_s - BEFORE_S <= t < start_s]
        pictures = pictures_of(times, [seen.sights for _, seen in chosen], at, RATE_HZ, before)
        return Clip(np.where(enough, whole, 0.0), enough, mean, jitter, float(times[0]), pictures)
