"""What a synced set costs, as far as a busy machine can tell: against another set's cost in the same breath."""

import time

import numpy as np

from services.scoring.live.session import SessionScorer
from services.scoring.reference.building import build_template, template_of
from services.scoring.reference.preparation import prepare
from services.scoring.reference.segmentation import Segment
from tests.scoring.puppet import recording, sets, squat, squats, waves

MINUTE = 1800
"""Rows."""


def test_a_reference_of_a_minute_costs_a_set_little_more_than_a_short_one() -> None:
    """Measured 1.4 times: the position is looked for in thirty times as many rows, all else stays."""
    times, depth = waves(18)
    postures = [squat(d) for d in depth]
    shown = recording(postures, times)
    prepared = prepare(shown)
    whole = Segment(0, MINUTE // 2, MINUTE - 1)
    scorers = [
        SessionScorer(template_of(shown, prepared, whole, [whole], "squat", [])),
        SessionScorer(build_template(squats(3), "squat")),
    ]
    assert len(scorers[0].template.features) == MINUTE
    spent: list[list[int]] = [[], []]
    for one in sets(postures[:300], times[:300], (90.0, 0.0)):
        for scorer, costs in zip(scorers, spent, strict=True):
            began = time.thread_time_ns()
            scorer.feed(one)
            costs.append(time.thread_time_ns() - began)
    minute, short = (float(np.median(costs[30:])) for costs in spent)
    assert minute < 4 * short
