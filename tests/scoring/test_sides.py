"""Movements that change sides: each side counts, from where it begins, and is compared with its own."""

import numpy as np
import pytest

from services.scoring.live.outcome import CompletedRepetition
from services.scoring.live.session import SessionScorer
from services.scoring.movement.features import BONE
from services.scoring.movement.landmarks import Recording
from services.scoring.reference.building import build_template
from services.scoring.reference.mirror import mirror_image, one_sided, other_way_round
from services.scoring.reference.template import Template, from_bytes, to_bytes
from tests.scoring.puppet import Posture, recording, sets, squats, waves

REST_S, PERIOD_S = 0.6, 1.8


def raises(count: int, *, first_left: bool = True) -> tuple[list[Posture], np.ndarray]:
    """One arm is raised after the other, with a rest between."""
    times, depths = waves(count, period_s=PERIOD_S, rest_s=REST_S)
    number = np.floor((times - REST_S) / (PERIOD_S + REST_S)).astype(int)
    left = (number % 2 == 0) == first_left
    height = 120.0 * depths
    return [
        Posture(left_arm=h * one, right_arm=h * (not one)) for h, one in zip(height, left, strict=True)
    ], times


@pytest.fixture(scope="module")
def template() -> Template:
    return build_template(recording(*raises(4), heading_deg=20.0))


def performed(template: Template, postures: list[Posture], times: np.ndarray) -> list[CompletedRepetition]:
    scorer = SessionScorer(template)
    outcomes = [scorer.feed(one) for one in sets(postures, times, (20.0,))]
    return [one.completed for one in outcomes if one.completed is not None]


def test_a_sample_that_changes_sides_shows_each_as_a_repetition_of_its_own(template: Template) -> None:
    """Both legs' knee raises were one repetition, which began within the other leg's."""
    assert len(template.repetitions) == 2
    assert template.duration_s == pytest.approx(PERIOD_S, abs=0.4)
    mean = np.square(template.other_side - mirror_image(template).features).mean()
    assert np.sqrt(mean) < 0.1


def test_what_the_sample_shows_of_the_other_side_outlives_storing(template: Template) -> None:
    again = other_way_round(from_bytes(to_bytes(template)))
    assert again.features == pytest.approx(template.other_side, abs=1e-6)


@pytest.mark.parametrize("first_left", [True, False])
def test_every_side_counts_from_where_it_begins(template: Template, first_left: bool) -> None:
    """What one side's axis showed of the other's movement was counted in its place: begun late, ended early."""
    done = performed(template, *raises(4, first_left=first_left))
    begins = [REST_S + k * (PERIOD_S + REST_S) for k in range(4)]
    assert [one.start_s for one in done] == pytest.approx(begins, abs=0.35)
    assert min(one.verdict.score for one in done) > 90


def test_a_sample_of_one_side_only_stands_for_the_other_as_its_mirror_image() -> None:
    times, depths = waves(2, period_s=PERIOD_S, rest_s=REST_S)
    shown = [Posture(left_arm=120.0 * d) for d in depths]
    template = build_template(recording(shown, times, heading_deg=20.0))
    assert not len(template.other_side)
    mirrored = [Posture(right_arm=120.0 * d) for d in depths]
    assert [one.verdict.score > 90 for one in performed(template, mirrored, times)] == [True, True]


def test_a_side_that_is_not_seen_does_not_make_a_movement_one_sided() -> None:
    """Of push-ups seen from the side, the far arm's guessed landmarks made a mirror image that some were taken for."""
    seen = squats(3)
    visibility = seen.visibility.copy()
    visibility[:, [12, 14, 16, 24, 26, 28, 30, 32]] = 0.1
    world = seen.world_m.copy()
    world[:, [14, 16, 26, 28, 30, 32]] += np.sin(np.arange(len(world)) / 9.0)[:, None, None]
    template = build_template(Recording(seen.times_s, seen.image_px, world, visibility, seen.fps))
    shin = slice(3 * BONE["right_shin"], 3 * BONE["right_shin"] + 3)
    assert not template.known[shin].any()
    assert not one_sided(template)
