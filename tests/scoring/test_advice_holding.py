"""What is said while a pose is held: told once a fault lasts, praised once it is mended."""

import json

import numpy as np
import pytest

from services.scoring.advice.holding import HoldCoach
from services.scoring.judging.rules import RULES
from services.scoring.judging.technique import Flaw
from services.scoring.live.outcome import Outcome, State
from services.scoring.live.session import SessionScorer
from services.scoring.movement.joints import JointError
from services.scoring.reference.building import build_template
from services.scoring.reference.template import Kind
from tests.scoring.puppet import Posture, recording, sets

SAG = RULES["plank"][0]
HEAD = RULES["plank"][2]


def hear(coach: HoldCoach, start_s: float, seconds: float, *flaws: Flaw, score: float = 90.0) -> list[str]:
    """What stands, each time it changes; ten frames a second. Praise is marked by a plus."""
    said: list[str] = []
    for frame in range(round(10 * seconds)):
        time_s = start_s + frame / 10
        coach.hear(time_s, score, flaws, ())
        cue = coach.cue(time_s)
        told = "" if cue is None else f"{'+' if cue.praise else ''}{cue.code}"
        if not said or said[-1] != told:
            said.append(told)
    return said


def test_hips_that_sag_are_told_after_a_second_and_praised_after_a_second_of_a_straight_line() -> None:
    coach = HoldCoach("forearm plank")
    assert hear(coach, 0.0, 0.8, Flaw(SAG, 1.5, 8.0)) == [""]
    assert hear(coach, 0.8, 2.0, Flaw(SAG, 1.5, 8.0)) == ["", "plank.hips.sag.any"]
    assert hear(coach, 2.8, 8.0, Flaw(SAG, 0.3, 2.0)) == ["plank.hips.sag.any", "+plank.hips.sag.any", ""]


def test_a_moments_shaking_is_not_told_and_what_stands_is_not_taken_back_for_one() -> None:
    coach = HoldCoach("plank")
    for start in range(0, 20, 2):
        assert hear(coach, start, 0.7, Flaw(SAG, 1.2, 6.0)) == [""]
        assert hear(coach, start + 0.7, 1.3, Flaw(SAG, 0.2, 1.0)) == [""]
    hear(coach, 20.0, 2.0, Flaw(SAG, 1.2, 6.0))
    for start in range(22, 32, 1):
        assert hear(coach, start, 0.5, Flaw(SAG, 0.2, 1.0)) == ["plank.hips.sag.any"]
        assert hear(coach, start + 0.5, 0.5, Flaw(SAG, 0.9, 4.5)) == ["plank.hips.sag.any"]


def test_one_thing_is_said_at_a_time_and_the_next_once_the_first_is_mended() -> None:
    coach = HoldCoach("plank")
    both = (Flaw(SAG, 2.0, 10.0), Flaw(HEAD, 1.5, 6.0))
    assert hear(coach, 0.0, 5.0, *both) == ["", "plank.hips.sag.any"]
    assert hear(coach, 5.0, 4.0, Flaw(HEAD, 1.5, 6.0)) == [
        "plank.hips.sag.any",
        "+plank.hips.sag.any",
        "plank.head.more.any",
    ]


def test_who_has_left_the_pose_is_told_nothing_of_it() -> None:
    coach = HoldCoach("plank")
    hear(coach, 0.0, 2.0, Flaw(SAG, 2.0, 10.0))
    assert coach.cue(3.0) is not None
    assert coach.cue(5.0) is None


def test_a_hold_of_no_known_exercise_is_told_of_its_joints_below_70_only() -> None:
    for score, told in ((80.0, False), (60.0, True)):
        coach = HoldCoach("tree pose")
        for frame in range(20):
            coach.hear(frame / 10, score, (), (JointError("left_knee", -25.0, 2.0),))
        cue = coach.cue(2.0)
        assert (cue is not None) is told
        if cue is not None:
            assert cue.code == "any.knee.less.any"


def test_a_successor_lets_the_cue_stand() -> None:
    coach = HoldCoach("plank")
    hear(coach, 0.0, 2.0, Flaw(SAG, 2.0, 10.0))
    heir = HoldCoach("plank")
    heir.restore(json.loads(json.dumps(coach.state())))
    assert heir.cue(2.5) == coach.cue(2.5)
    assert hear(heir, 2.5, 8.0, Flaw(SAG, 0.0, 0.0)) == ["plank.hips.sag.any", "+plank.hips.sag.any", ""]
    heir.restore(json.loads(json.dumps(HoldCoach("plank").state())))
    assert heir.cue(3.0) is None


def _held(*postures: Posture) -> list[Outcome]:
    """Three seconds of each."""
    times = np.arange(90 * len(postures)) / 30.0
    shown = recording([Posture(left_arm=90.0, right_arm=90.0)] * 60, times[:60])
    template = build_template(shown, "arms out")
    assert template.kind is Kind.HOLD
    scorer = SessionScorer(template)
    performed = [posture for posture in postures for _ in range(90)]
    return [scorer.feed(one) for one in sets(performed, times)]


def test_a_session_that_holds_a_pose_hears_what_to_mend_and_that_it_is_mended() -> None:
    """Held poses were scored, but nothing was ever said of them."""
    right, low = Posture(left_arm=90.0, right_arm=90.0), Posture(left_arm=60.0, right_arm=60.0)
    outcomes = _held(right, low, right)
    assert {one.state for one in outcomes[10:]} == {State.HOLD}
    said = [f"{'+' if one.advice.praise else ''}{one.advice.code}" for one in outcomes if one.advice]
    assert list(dict.fromkeys(said)) == ["any.shoulder.less.any", "+any.shoulder.less.any"]
    assert not any(one.advice for one in outcomes[:90])
    assert outcomes[80].score == pytest.approx(100, abs=3)
    score = outcomes[170].score
    assert score is not None
    assert score < 70


def test_a_limb_that_flickers_does_not_silence_what_is_wrong_with_a_held_pose() -> None:
    """Of a plank with its head down nothing was said, as the camera's guesses at one arm never kept still."""
    low = [Posture(left_arm=60.0, right_arm=60.0, elbows=12.0 * (frame % 2)) for frame in range(150)]
    times = np.arange(150) / 30.0
    shown = recording([Posture(left_arm=90.0, right_arm=90.0)] * 60, times[:60])
    scorer = SessionScorer(build_template(shown, "arms out"))
    said = [outcome.advice for outcome in map(scorer.feed, sets(low, times))]
    assert not any(said[:90])
    assert said[-1] is not None
    assert said[-1].code == "any.shoulder.less.any"
