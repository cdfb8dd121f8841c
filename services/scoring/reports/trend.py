"""Where a performance is going: the slope of its scores, and how tired its end looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.movement.landmarks import Floats

FEWEST_FOR_TREND: Final = 4
FEWEST_FOR_FATIGUE: Final = 6
ALL_PAIRS: Final = 200
"""Up to so many scores every pair is asked; their number grows with the square, and a live score waits for it."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What a repetition says of the strength left."""

    score: float
    """0 to 100; NaN: not scored."""
    range_of_motion: float
    """Share of the reference's; NaN: not known."""
    seconds: float


def trend(scores: Sequence[float]) -> float:
    """Slope of the scores, points a repetition; NaN with fewer than 4 scored. `scores` has NaN where there is none.

    The median of the slopes between all pairs (Theil 1950, Sen 1968): up to 29 % of the scores may be anything. Of more
    than 200, between those half the row apart (Theil's incomplete method): up to 25 %.
    """
    values = np.asarray(scores, dtype=np.float64)
    number = np.flatnonzero(np.isfinite(values))
    if len(number) < FEWEST_FOR_TREND:
        return math.nan
    if len(number) <= ALL_PAIRS:
        rows, columns = np.triu_indices(len(number), 1)
    else:
        rows = np.arange(len(number) // 2)
        columns = rows + (len(number) + 1) // 2
    known = values[number]
    return float(np.median((known[columns] - known[rows]) / (number[columns] - number[rows])))


def fatigue(efforts: Sequence[Effort]) -> float:
    """How much the last third falls short of the first, 0 to 1; NaN with fewer than 6 repetitions.

    The largest of the losses of range, of score, and of speed, each between the medians of the two thirds.
    """
    if len(efforts) < FEWEST_FOR_FATIGUE:
        return math.nan
    third = len(efforts) // 3
    first, last = efforts[:third], efforts[-third:]
    losses = [
        _loss([one.range_of_motion for one in first], [one.range_of_motion for one in last]),
        _loss([one.score for one in first], [one.score for one in last]),
        _loss([1.0 / max(one.seconds, 0.1) for one in first], [1.0 / max(one.seconds, 0.1) for one in last]),
    ]
    return min(1.0, max(0.0, *losses))


def _loss(first: Sequence[float], last: Sequence[float]) -> float:
    """Share that is lost from one to the other; 0 where either is not known."""
    before, after = _median(np.array(first)), _median(np.array(last))
    if not before > 0 or math.isnan(after):
        return 0.0
    return 1.0 - after / before


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else math.nan
