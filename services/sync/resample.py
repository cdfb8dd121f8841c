"""Landmarks at an instant between frames: cubic where four samples stand around it, else linear, never beyond the last.

For human motion at 30 frames a second the cubic's error is a hundredth of a millimetre where taking the nearest frame
costs fifteen (bench/sync_scenarios, scenario 9).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.sync.frames import Frame

LANDMARKS = 33
VALUES = 8
"""Of each landmark: image x y, normalised x y z, world x y z."""
CONFIDENT = 0.5
"""A landmark less visible than this in an outer sample is interpolated linearly: its outliers bend a cubic."""


@dataclass(frozen=True)
class Sample:
    """One camera's landmarks at one instant.

    `values` (33, 8): image_px x y, image_normalised x y z, world_m x y z. `confidence` (33, 2): visibility, presence.
    """

    time_us: int
    values: NDArray[np.float64]
    confidence: NDArray[np.float64]
    size_px: tuple[int, int] = (0, 0)
    """Width and height of the image; 0 where unknown."""


Decode = Callable[[Sequence[Frame]], Sequence[Sample | None]]
"""Landmarks of frames, all at once; None: nobody was found."""


def interpolate(samples: Sequence[Sample], time_us: int, longest_gap_us: int) -> Sample | None:
    """The sample at `time_us` from `samples` of one camera, sorted by time.

    None where it would be extrapolation, or where the two neighbours are further apart than `longest_gap_us`.
    """
    after = next((n for n, sample in enumerate(samples) if sample.time_us >= time_us), None)
    if after is None:
        return None
    if samples[after].time_us == time_us:
        return samples[after]
    if after == 0 or samples[after].time_us - samples[after - 1].time_us > longest_gap_us:
        return None
    left, right = samples[after - 1], samples[after]
    confidence = np.minimum(left.confidence, right.confidence)
    around = _four(samples, after, longest_gap_us)
    if around is None:
        return Sample(time_us, _between(left, right, time_us), confidence, right.size_px)
    weights = _lagrange([sample.time_us - time_us for sample in around])
    values = (weights @ np.array([sample.values for sample in around]).reshape(4, -1)).reshape(LANDMARKS, -1)
    trusted = np.minimum.reduce([sample.confidence[:, 0] for sample in around]) >= CONFIDENT
    if not trusted.all():
        values = np.where(trusted[:, None], values, _between(left, right, time_us))
    return Sample(time_us, values, confidence, right.size_px)


def _between(left: Sample, right: Sample, time_us: int) -> NDArray[np.float64]:
    share = (time_us - left.time_us) / (right.time_us - left.time_us)
    return left.values + share * (right.values - left.values)


def _four(samples: Sequence[Sample], after: int, longest_gap_us: int) -> Sequence[Sample] | None:
    """Two samples on either side, else three before and one after; None where there are gaps."""
    for start in (after - 2, after - 3):
        four = samples[start : start + 4] if start >= 0 else ()
        if len(four) == 4 and all(
            later.time_us - earlier.time_us <= longest_gap_us for earlier, later in pairwise(four)
        ):
            return four
    return None


def _lagrange(offsets: Sequence[int]) -> NDArray[np.float64]:
    """Weights of the polynomial through four points at `offsets`, evaluated at 0."""
    weights = []
    for n, own in enumerate(offsets):
        weight = 1.0
        for m, other in enumerate(offsets):
            if m != n:
                weight *= -other / (own - other)
        weights.append(weight)
    return np.array(weights)
