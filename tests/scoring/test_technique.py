"""Faults with a name: what is expected where a reference is poorly seen, pace, and beginnings that were no ready pose."""

from dataclasses import replace

import numpy as np
import pytest

from services.scoring.advice.causes import faults
from services.scoring.judging.comparison import compare, pace
from services.scoring.judging.measures import MEASURES, Body, seen_by_one_camera
from services.scoring.judging.memory import Clip
from services.scoring.judging.technique import flaws
from services.scoring.live.outcome import CompletedRepetition
from services.scoring.live.session import Rules, SessionScorer
from services.scoring.movement.joints import JointError
from services.scoring.reference.building import build_template
from services.scoring.reference.template import Template
from services.scoring.reference.tolerance import one_view_variance
from tests.scoring.puppet import sets, squat, squats, waves
from tests.scoring.test_advice import repetition
from tests.scoring.test_pictured import seen_from


@pytest.fixture(scope="module")
def template() -> Template:
    return build_template(squats(3), "squat")


def performed(template: Template, depths: np.ndarray, *, video_leads: bool) -> list[CompletedRepetition]:
    scorer = SessionScorer(template, rules=Rules(video_leads=video_leads))
    times = np.arange(len(depths)) / 30.0
    outcomes = [scorer.feed(one) for one in sets([squat(depth) for depth in depths.tolist()], times)]
    return [one.completed for one in outcomes if one.completed is not None]


@pytest.mark.parametrize(
    ("period_s", "video_leads", "told"),
    [
        (2.5, True, ()),
        (1.6, False, ()),
        (1.6, True, ("any.tempo.fast.any",)),
        (4.0, True, ("any.tempo.slow.any",)),
    ],
)
def test_the_pace_is_a_fault_only_where_the_video_leads(
    template: Template, period_s: float, video_leads: bool, told: tuple[str, ...]
) -> None:
    _, depths = waves(3, period_s=period_s)
    done = performed(template, depths, video_leads=video_leads)
    assert [one.faults for one in done] == [told] * 3
    assert all((one.verdict.score < 70) == bool(told) for one in done)


def test_the_pace_leaves_out_how_gently_a_repetition_begins_and_ends(template: Template) -> None:
    """Of hurried push-ups a third were not told so: when one begins is known to half a second only."""
    done = compare(Clip(template.features, template.known, one_view_variance(), np.zeros(60), 0.0), template)
    assert pace(done, template) == pytest.approx(1.0, abs=0.05)
    hurried = 0.7 * done.user_rows + 20.0
    hurried[0] = 0.0
    assert hurried[-1] > 0.95 * done.user_rows[-1]
    assert pace(replace(done, user_rows=hurried), template) == pytest.approx(0.7, abs=0.05)
    shallower = done.user[0] + 0.8 * (done.user - done.user[0])
    assert pace(replace(done, user=shallower), template) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(("shown_lower_deg", "told"), [(0.0, True), (90.0, False)])
def test_one_arm_that_lags_is_a_fault_where_the_reference_uses_both(
    template: Template, shown_lower_deg: float, told: bool
) -> None:
    rows = np.zeros(len(template.features))
    even, lagging, shown = (seen_from(0, right_lower_deg=lower) for lower in (0.0, 20.0, shown_lower_deg))
    press = replace(
        template, exercise="shoulder_press", heading=0.0, ghost=shown.at(rows).points * (1.0, -1.0)
    )
    done = compare(Clip(press.features, press.known, one_view_variance(), np.zeros(60), 0.0), press)
    for seen, uneven in ((even, False), (lagging, told)):
        found = flaws(replace(done, pictures=(seen.at(rows),)), press)
        assert any(one.rule.part == "hands" and one.excess > 1.0 for one in found) == uneven


def test_who_drops_instead_of_lowering_is_told_at_any_pace(template: Template) -> None:
    down, up = (0.5 - 0.5 * np.cos(np.linspace(0, np.pi, n)) for n in (10, 66))
    once = np.concatenate((down, np.ones(4), up[::-1], np.zeros(30)))
    done = performed(template, np.concatenate((np.zeros(30), *[once] * 3)), video_leads=False)
    assert [one.faults for one in done] == [("any.tempo.fast.any",)] * 3


def test_joints_say_nothing_of_a_repetition_that_began_in_no_ready_pose() -> None:
    """The first push-up after lying down was told of elbows and shoulders that the tracker had only just found."""
    done = repetition(1, 13.0, JointError("left_elbow", -40.0, 3.0))
    assert [one.phrase.code for one in faults("push_up", done)] == ["push_up.elbow.less.any"]
    assert faults("push_up", replace(done, settled=False)) == ()


def test_one_camera_knows_a_lean_towards_it_worse_than_one_across(template: Template) -> None:
    lean = MEASURES["trunk_forward"]
    across = seen_by_one_camera(lean, template.ready, template.ready)
    front = build_template(squats(3, heading_deg=0.0), "squat").ready
    towards = seen_by_one_camera(lean, front, front)
    assert 3.0 < across < 7.0
    assert towards > 1.7 * across
    assert np.isfinite(lean.of(Body(front[None], front))).all()
