"""Cameras that look down or up on the person, against a reference from a level one."""

import math
from dataclasses import replace

import numpy as np
import pytest

from services.scoring.live.session import SessionScorer
from services.scoring.movement.features import bone_vectors, bones_of
from services.scoring.movement.landmarks import Floats, SyncedViews
from services.scoring.movement.levelling import CERTAIN_DEG, NONE_DEG, SHOWN, Levels, lean, levelled, tilt
from services.scoring.reference.building import build_template
from tests.scoring.puppet import Posture, landmarks, sets, squat, squats, waves

STANDING = bone_vectors(landmarks(Posture(), 30.0))


def seen_from_above(world: Floats, degrees: float) -> Floats:
    """World landmarks (33, 3) as a camera has them that looks down by so much, if the pose model shows all of it."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turned: Floats = world @ np.array([[1.0, 0.0, 0.0], [0.0, cos, sin], [0.0, -sin, cos]])
    return turned


@pytest.mark.parametrize("degrees", [-12.0, 5.0, 20.0])
def test_whoever_stands_leans_towards_a_camera_above_and_is_put_upright(degrees: float) -> None:
    above = bone_vectors(seen_from_above(landmarks(Posture(), 30.0), degrees))
    leaning = lean(above)
    assert math.degrees(leaning - lean(STANDING)) == pytest.approx(degrees, abs=0.1)
    np.testing.assert_allclose(levelled(above, leaning - lean(STANDING)), STANDING, atol=2e-3)


def test_what_people_differ_by_is_no_tilt_and_more_is_taken_for_what_the_model_hides_too() -> None:
    assert tilt(math.radians(NONE_DEG), 0.0) == 0.0
    sure = math.radians(CERTAIN_DEG + 1.0)
    assert tilt(sure, 0.0) == pytest.approx(sure / SHOWN)
    assert abs(tilt(sure, math.pi / 2)) < sure / SHOWN
    assert tilt(-sure, 0.0) == -tilt(sure, 0.0)


@pytest.mark.parametrize("pose", [squat(1.0), Posture(lean=90.0, thighs=90.0), Posture(lean=60.0)])
def test_who_does_not_stand_says_nothing_of_the_camera(pose: Posture) -> None:
    bones = bone_vectors(seen_from_above(landmarks(pose, 30.0), 10.0))
    assert math.isnan(lean(bones))
    levels = Levels(STANDING)
    assert levels.level("a", bones, 0.1, 0.0, settled=True) is bones
    # And where the reference does not, nobody is levelled by it.
    above = bone_vectors(seen_from_above(landmarks(Posture(), 30.0), 10.0))
    assert Levels(bones).level("a", above, 0.1, 0.0, settled=True) is above


def test_a_camera_is_judged_only_while_the_person_is_settled() -> None:
    levels = Levels(STANDING)
    above = bone_vectors(seen_from_above(landmarks(Posture(), 30.0), 10.0))
    levels.level("a", STANDING, 0.1, 0.0, settled=True)
    for _ in range(100):
        assert levels.level("a", above, 0.1, 0.0, settled=False) is above
    for _ in range(100):
        levels.level("a", above, 0.1, 0.0, settled=True)
    found = levels.level("a", above, 0.1, 0.0, settled=True)
    assert lean(found) < lean(above) - math.radians(10.0)


def test_good_squats_seen_from_above_pass_and_shallow_ones_do_not() -> None:
    """From a camera at 1.8 m, good squats of the virtual gym scored 57; the model shows 7 of 11 degrees there."""
    template = build_template(squats(3, heading_deg=30.0), "squat")
    assert not math.isnan(lean(bones_of(template.ready)))
    times, depth = waves(3)

    def scores(share: float) -> list[float]:
        scorer = SessionScorer(template)
        done = []
        for one, now in zip(sets([squat(share * d) for d in depth], times, (30.0,)), depth, strict=True):
            # Standing, the model shows its share of the tilt; in the depth of the squat, all of it.
            degrees = 11.0 * (SHOWN + (1.0 - SHOWN) * float(now))
            view = one.views[0]
            above = replace(view, world_m=seen_from_above(view.world_m, degrees))
            outcome = scorer.feed(SyncedViews(one.time_s, (above,)))
            if outcome.completed is not None:
                done.append(outcome.completed.verdict.score)
        return done

    assert len(scores(1.0)) == len(scores(0.5)) == 3
    assert min(scores(1.0)) > 80
    assert max(scores(0.5)) < 70
