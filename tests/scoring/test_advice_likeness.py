"""Live: this does not look like the sample."""

import json
from dataclasses import replace

import numpy as np
import pytest

from services.scoring.advice.likeness import BUSY_S, UNLIKE, LikenessWatch
from services.scoring.advice.voice import Voice
from services.scoring.live.session import SessionScorer
from services.scoring.movement.landmarks import Floats, View
from services.scoring.reference.building import build_template
from services.scoring.reference.template import Template
from tests.scoring.puppet import Posture, recording, sets, squat, squats, view, waves
from tests.scoring.test_advice_safety import repetitions


@pytest.fixture(scope="module")
def template() -> Template:
    return build_template(squats(3), "squat")


def notices(template: Template, postures: list[Posture], times: Floats) -> list[bool]:
    """Of each frame, whether it is said."""
    scorer = SessionScorer(template)
    return [scorer.feed(one).notice == UNLIKE for one in sets(postures, times)]


@pytest.mark.parametrize(("depth", "lean"), [(1.0, 1.0), (0.6, 1.0), (1.0, 1.8), (0.5, 2.0)])
def test_it_is_never_said_of_the_right_exercise_however_it_is_done(
    template: Template, depth: float, lean: float
) -> None:
    times, depths = waves(5)
    assert not any(notices(template, [squat(depth * d, lean) for d in depths], times))


def test_it_is_said_of_another_exercise_and_taken_back_when_it_fits_again(template: Template) -> None:
    times, depths = waves(6)
    arms = [Posture(left_arm=150.0 * d, right_arm=150.0 * d) for d in depths]
    told = notices(
        template, arms + [squat(d) for d in depths], np.concatenate((times, times[-1] + 0.1 + times))
    )
    first = told.index(True)
    assert first < len(times)
    assert not any(told[: round(5.0 * 30)])
    assert not told[-1]


def test_standing_about_is_no_other_exercise(template: Template) -> None:
    assert not any(notices(template, [squat(0.0)] * 900, np.arange(900) / 30.0))


def test_walking_through_the_picture_is_no_other_exercise(template: Template) -> None:
    watch = LikenessWatch(template)
    for frame in range(900):
        seen = view(squat(0.0))
        walked = View(
            seen.camera_id,
            seen.image_px + np.array([2.0 * (frame % 300), 0.0]),
            seen.world_m,
            seen.visibility,
        )
        watch.see(1 / 30, [walked], moving=True)
        assert watch.notice() is None
    for _ in range(round(30 * BUSY_S) + 2):
        watch.see(1 / 30, [view(squat(0.0))], moving=True)
    assert watch.notice() == UNLIKE


def test_three_unlike_movements_in_a_row_say_it_and_their_faults_are_nobodys(template: Template) -> None:
    voice = Voice(template)
    bad, fine = (
        replace(repetitions(score)[0], likeness=likeness) for score, likeness in ((5.0, 0.5), (95.0, 0.97))
    )
    said = []
    for done in (bad, bad, fine, bad, bad, bad, fine):
        heard = voice.hear(done)
        said.append(voice.notice(done.end_s))
        assert heard.faults == ()
    assert said == [None, None, None, None, None, UNLIKE, None]


def test_a_successor_knows_that_it_was_said(template: Template) -> None:
    voice, heir = Voice(template), Voice(template)
    for _ in range(3):
        voice.hear(replace(repetitions(5.0)[0], likeness=0.5))
    heir.restore(json.loads(json.dumps(voice.state())))
    assert heir.notice(0.0) == UNLIKE


def test_what_the_legs_do_tells_movements_apart_that_share_the_arms() -> None:
    """Arms raised were taken for jumping jacks, of which the arms are nine tenths."""
    times, depths = waves(4)

    def performed(knees: float) -> list[Posture]:
        return [
            Posture(left_arm=150 * d, right_arm=150 * d, knees=knees * d, thighs=knees * d) for d in depths
        ]

    both = build_template(recording(performed(40.0), times, heading_deg=20.0))
    assert not any(notices(both, performed(15.0), times))
    assert any(notices(both, performed(0.0), times))
    assert any(
        notices(build_template(recording(performed(0.0), times, heading_deg=20.0)), performed(40.0), times)
    )


def test_lying_down_to_begin_is_no_other_exercise(template: Template) -> None:
    """Somebody who lay down for push-ups, and whose first was not counted, was told of another exercise."""
    watch = LikenessWatch(template)
    standing = view(squat(0.0))
    middle = standing.image_px[[23, 24]].mean(axis=0)
    lying = (standing.image_px - middle)[:, ::-1] + middle + (0.0, 100.0)
    for frame in range(round(30 * BUSY_S) + 60):
        share = min(max((frame - 150) / 30.0, 0.0), 1.0)
        image = (1.0 - share) * standing.image_px + share * lying
        watch.see(1 / 30, [View("a", image, standing.world_m, standing.visibility)], moving=True)
        assert watch.notice() is None
