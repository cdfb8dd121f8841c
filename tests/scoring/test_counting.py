"""Which movements count: begun unseen, small from the start, larger than the sample, and not sitting down or standing up."""

import numpy as np
import pytest

from services.scoring.live.session import SessionScorer
from services.scoring.reference.building import build_template
from services.scoring.reference.template import Template
from tests.scoring.puppet import sets, squat, squats, waves


@pytest.fixture(scope="module")
def template() -> Template:
    return build_template(squats(3), "squat")


def counted(template: Template, depths: np.ndarray) -> int:
    scorer = SessionScorer(template)
    times = np.arange(len(depths)) / 30.0
    for one in sets([squat(depth) for depth in depths.tolist()], times):
        scorer.feed(one)
    return scorer.repetitions


def test_a_repetition_counts_whose_beginning_was_not_seen(template: Template) -> None:
    """Cameras are switched on while people move; their first repetition was lost."""
    _, depths = waves(3)
    bottom = int(np.argmax(depths))
    assert counted(template, depths[bottom:]) == 3


def test_standing_up_from_a_chair_is_no_repetition(template: Template) -> None:
    _, depths = waves(1)
    bottom = int(np.argmax(depths))
    seated = np.full(150, depths[bottom])
    assert counted(template, np.concatenate((seated, depths[bottom:], np.zeros(60)))) == 0


@pytest.mark.parametrize("depth", [0.4, 1.25])
def test_small_and_large_repetitions_count_from_the_first(template: Template, depth: float) -> None:
    _, depths = waves(3)
    assert counted(template, depth * depths) == 3
