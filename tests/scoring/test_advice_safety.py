"""When somebody is told to stop and rest."""

import json
import re
from itertools import pairwise

import pytest

from komi.sync.v1 import sync_service_pb2
from services.scoring import translate
from services.scoring.advice.safety import AT_MOST_EVERY_S, STOP, SafetyWatch
from services.scoring.judging.score import Verdict
from services.scoring.live.outcome import CompletedRepetition, Outcome
from services.scoring.live.session import SessionScorer
from services.scoring.reference.building import build_template
from services.scoring.reference.template import Phase
from tests.scoring.puppet import sets, squat, squats, waves

PERIOD_S = 4.0


def repetitions(*scores: float) -> list[CompletedRepetition]:
    parts = (0.3, 90.0, 90.0, 90.0, 90.0, 90.0, 1.0, 1.0, 0.8, 0.4, 0.8)
    return [
        CompletedRepetition(n, PERIOD_S * n, PERIOD_S * n + 2.0, Verdict(score, *parts), (), Phase.TURN)
        for n, score in enumerate(scores, 1)
    ]


def said(*scores: float) -> list[float]:
    """Ends of the repetitions after which the notice began to stand."""
    watch, began, before = SafetyWatch(), [], False
    for done in repetitions(*scores):
        watch.hear(done)
        now = watch.notice(done.end_s) is not None
        if now and not before:
            began.append(done.end_s)
        before = now
    return began


@pytest.mark.parametrize(
    "scores",
    [
        (90, 90, 90, 90, 90, 90),
        (90, 30, 30, 90, 30, 30),
        (60, 55, 60, 55, 60, 55),
        (30, 30, float("nan"), 90),
        (99, 99, 99, 80, 72, 71),
    ],
)
def test_good_middling_and_single_bad_repetitions_are_left_in_peace(scores: tuple[float, ...]) -> None:
    assert said(*scores) == []


def test_three_poor_repetitions_in_a_row_say_stop() -> None:
    assert said(90, 35, 35, 35) == [repetitions(1, 1, 1, 1)[-1].end_s]


def test_scores_that_collapse_with_fatigue_say_stop_though_none_is_poor() -> None:
    assert len(said(95, 95, 95, 80, 60, 50, 45)) == 1


def test_it_is_said_at_most_once_in_two_minutes() -> None:
    times = said(*([20.0] * 100))
    assert len(times) >= 2
    assert min(b - a for a, b in pairwise(times)) >= AT_MOST_EVERY_S


@pytest.mark.parametrize("cut", [1, 3, 5, 6, 8])
def test_a_successor_says_stop_when_its_predecessor_would_have(cut: int) -> None:
    """The watch was not carried over: whoever took a session over had never seen its better repetitions."""
    scores = (95, 95, 95, 80, 60, 50, 45, 20, 20, 20)
    first, heir = SafetyWatch(), SafetyWatch()
    told = []
    for done in repetitions(*scores[:cut]):
        first.hear(done)
        told.append(first.notice(done.end_s) is not None)
    heir.hear(repetitions(30, 30)[-1])  # of what was looked at again
    heir.restore(json.loads(json.dumps(first.state())))
    for done in repetitions(*scores)[cut:]:
        heir.hear(done)
        told.append(heir.notice(done.end_s) is not None)
    whole = SafetyWatch()
    for done, was_told in zip(repetitions(*scores), told, strict=True):
        whole.hear(done)
        assert was_told == (whole.notice(done.end_s) is not None)


def test_the_words_are_fixed_in_both_languages_and_name_what_to_heed() -> None:
    assert STOP.code == "safety.stop"
    assert all(word in STOP.text_ko for word in ("통증", "어지러움", "숨참", "멈추"))
    assert all(word in STOP.text_en for word in ("pain", "dizziness", "breath", "Stop"))
    assert not re.search("diagnos|treat|injur|진단|치료|부상", STOP.text_ko + STOP.text_en)


def _played(depth: float, lean: float) -> list[Outcome]:
    scorer = SessionScorer(build_template(squats(2), "squat"))
    times, depths = waves(4)
    return [scorer.feed(one) for one in sets([squat(depth * d, lean) for d in depths], times)]


def test_a_session_of_poor_repetitions_says_stop_and_one_of_good_ones_does_not() -> None:
    poor = _played(0.5, 3.0)
    assert max(one.completed.verdict.score for one in poor if one.completed) < 40
    assert poor[-1].repetitions >= 3
    assert poor[-1].notice == STOP
    assert not [one for one in _played(1.0, 1.0) if one.notice]


def test_notice_cue_tip_and_faults_are_published() -> None:
    poor = _played(0.5, 3.0)
    last = next(one for one in reversed(poor) if one.completed)
    update = translate.score_update(sync_service_pb2.SyncedSet(), last, None)
    assert update.notice.code == "safety.stop"
    assert update.completed.cue == update.advice
    assert update.completed.faults[0] == update.advice.code
    assert update.advice.tip_ko
    assert update.advice.tip_en
    assert not update.advice.phrased
