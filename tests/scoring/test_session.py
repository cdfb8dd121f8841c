"""A session as it happens: repetitions, states, scores, on truth and on real video."""

import numpy as np
import pytest

from services.scoring.live.outcome import Outcome, State
from services.scoring.live.session import Rules, SessionScorer
from services.scoring.movement.landmarks import Recording, SyncedViews
from services.scoring.reference.building import build_template
from services.scoring.reference.template import Phase, Template
from tests.scoring.conftest import Watch
from tests.scoring.puppet import Posture, recording, sets, squat, squats, waves


def play(template: Template, seen: list[SyncedViews], rules: Rules | None = None) -> list[Outcome]:
    scorer = SessionScorer(template, rules=rules)
    return [scorer.feed(one) for one in seen]


def as_sets(recordings: tuple[Recording, ...], *, loops: int = 1) -> list[SyncedViews]:
    """What cameras playing these recordings in step would give."""
    first = recordings[0]
    frames = min(len(r.times_s) for r in recordings)
    length = frames / first.fps
    return [
        SyncedViews(
            loop * length + float(first.times_s[i]),
            tuple(r.view(i, f"camera{k}") for k, r in enumerate(recordings) if r.found[i]),
        )
        for loop in range(loops)
        for i in range(frames)
    ]


def completed(outcomes: list[Outcome]) -> list[float]:
    return [one.completed.verdict.score for one in outcomes if one.completed is not None]


@pytest.fixture(scope="module")
def template() -> Template:
    return build_template(squats(3), "squat")


@pytest.mark.parametrize("headings", [(90.0,), (90.0, 0.0), (45.0, 100.0, 170.0)])
def test_perfect_repetitions_are_all_counted_and_score_high(
    template: Template, headings: tuple[float, ...]
) -> None:
    times, depth = waves(5)
    outcomes = play(template, sets([squat(d) for d in depth], times, headings))
    scores = completed(outcomes)
    assert len(scores) == 5
    assert min(scores) > 85
    assert outcomes[-1].repetitions == 5


def test_shallow_repetitions_count_and_score_low_and_are_told_to_go_deeper(template: Template) -> None:
    times, depth = waves(3)
    outcomes = play(template, sets([squat(0.5 * d) for d in depth], times))
    assert len(completed(outcomes)) == 3
    assert max(completed(outcomes)) < 70
    said = [one.advice for one in outcomes if one.advice is not None]
    assert said
    assert "deeper" in said[-1].text_en or "further" in said[-1].text_en
    assert all(one.text_ko for one in said)


def test_a_mended_fault_is_praised_once(template: Template) -> None:
    times, depth = waves(6)
    half = len(depth) // 2
    shape = np.where(np.arange(len(depth)) < half, 0.5, 1.0)
    outcomes = play(template, sets([squat(s * d) for s, d in zip(shape, depth, strict=True)], times))
    praise = [one.advice for one in outcomes if one.advice is not None and one.advice.praise]
    assert praise
    assert outcomes[-1].advice is None or not outcomes[-1].advice.praise


def test_a_repetition_is_told_within_300_ms_of_its_end(template: Template) -> None:
    times, depth = waves(4)
    for one in play(template, sets([squat(d) for d in depth], times)):
        if one.completed is not None:
            assert one.time_s - one.completed.end_s <= 0.3


def test_standing_counts_nothing(template: Template) -> None:
    times = np.arange(0, 20, 1 / 30)
    rng = np.random.default_rng(3)
    sway = [squat(abs(float(x))) for x in rng.normal(0, 0.02, len(times))]
    outcomes = play(template, sets(sway, times))
    assert outcomes[-1].repetitions == 0
    assert outcomes[-1].state is State.READY


def test_raising_the_arms_is_no_squat(template: Template) -> None:
    times, depth = waves(4)
    outcomes = play(template, sets([Posture(left_arm=90 * d, right_arm=90 * d) for d in depth], times))
    assert outcomes[-1].repetitions == 0


@pytest.mark.parametrize("tempo", [0.5, 1.0, 2.0])
def test_the_user_sets_the_tempo(template: Template, tempo: float) -> None:
    times, depth = waves(3, period_s=2.5 / tempo)
    outcomes = play(template, sets([squat(d) for d in depth], times))
    assert len(completed(outcomes)) == 3
    assert min(completed(outcomes)) > 80


def test_half_the_tempo_is_marked_down_where_the_video_leads(template: Template) -> None:
    times, depth = waves(3, period_s=5.0)
    seen = sets([squat(d) for d in depth], times)
    assert max(completed(play(template, seen, Rules(video_leads=True)))) < min(
        completed(play(template, seen))
    )


def test_the_reference_frame_is_that_of_the_same_posture(template: Template) -> None:
    """The session's time base is the frame number of the sample video."""
    times, depth = waves(3)
    for one, at in zip(play(template, sets([squat(d) for d in depth], times)), depth, strict=True):
        if one.state is State.TRACKING and at > 0.2 and one.time_s > 4:
            assert one.reference_frame is not None
            sample = np.interp(one.reference_frame, np.arange(len(waves(3)[1])), waves(3)[1])
            assert sample == pytest.approx(at, abs=0.2)


def test_the_cosine_of_the_moment_is_told_while_somebody_moves_along_the_reference(
    template: Template,
) -> None:
    """It was known of whole repetitions only, though every score has room for it."""
    times, depth = waves(2)
    outcomes = play(template, sets([squat(d) for d in depth], times))
    told = [one.cosine for one in outcomes if one.cosine is not None]
    assert min(told) > 0.9
    assert len(told) == sum(one.state in (State.TRACKING, State.HOLD) for one in outcomes)


def test_phases_follow_each_other(template: Template) -> None:
    times, depth = waves(2)
    phases = [one.phase for one in play(template, sets([squat(d) for d in depth], times))]
    order = [p for i, p in enumerate(phases) if i == 0 or p is not phases[i - 1]]
    text = "".join(
        {Phase.READY: "r", Phase.OUT: "o", Phase.TURN: "t", Phase.BACK: "b", Phase.UNKNOWN: "u"}[p]
        for p in order
    )
    assert "otb" in text


def test_nobody_in_the_picture_is_said_and_counted_as_nothing(template: Template) -> None:
    times, depth = waves(3)
    seen = sets([squat(d) for d in depth], times)
    blind = [SyncedViews(one.time_s, ()) if 40 <= i < 60 else one for i, one in enumerate(seen)]
    outcomes = play(template, blind)
    assert all(one.state is State.NOT_VISIBLE for one in outcomes[40:60])
    assert outcomes[-1].repetitions in (2, 3)


def test_sets_that_lack_the_cameras_which_see_somebody_do_not_begin_them_anew(template: Template) -> None:
    """Of three cameras one saw nobody and two came late: each such set took the stillness and the ready pose away."""
    depth = np.interp(np.arange(0, 7, 1 / 30), [0, 1, 2, 3.5, 4.5, 7], [0, 0, 1, 1, 0, 0])
    seen = sets([squat(float(d)) for d in depth], np.arange(len(depth)) / 30)
    flickering = [SyncedViews(one.time_s, ()) if i % 4 == 1 else one for i, one in enumerate(seen)]
    whole, outcomes = play(template, seen), play(template, flickering)
    assert State.HOLD in {one.state for one in whole}
    for one, other in zip(whole, outcomes, strict=True):
        assert other.state in (one.state, State.NOT_VISIBLE) or abs(one.time_s - 2.5) < 0.2
    assert outcomes[-1].repetitions == whole[-1].repetitions == 1


def test_a_mirrored_performance_is_recognised() -> None:
    times, depth = waves(3)
    template = build_template(recording([Posture(left_arm=100 * d) for d in depth], times, heading_deg=0.0))
    seen = sets([Posture(right_arm=100 * d) for d in depth], times, (0.0,))
    assert min(completed(play(template, seen))) > 80
    assert completed(play(template, seen, Rules(allow_mirror=False))) == []


def test_a_held_pose_scores_while_it_is_held() -> None:
    times = np.arange(0, 4, 1 / 30)
    pose = Posture(left_arm=90, right_arm=90)
    template = build_template(recording([pose] * len(times), times, heading_deg=0.0))
    good = play(template, sets([pose] * len(times), times, (0.0,)))
    assert good[-1].state is State.HOLD
    assert good[-1].score is not None
    assert good[-1].score > 90
    poor = play(template, sets([Posture(left_arm=90, right_arm=60)] * len(times), times, (0.0,)))
    assert poor[-1].score is None or poor[-1].score < good[-1].score - 10


def test_a_successor_counts_on_and_nothing_twice(template: Template) -> None:
    times, depth = waves(4)
    seen = sets([squat(d) for d in depth], times)
    first = SessionScorer(template)
    cut = len(seen) // 2 + 10
    for one in seen[:cut]:
        first.feed(one)
    second = SessionScorer(template)
    for one in seen[cut - 100 : cut]:
        second.feed(one)
    second.restore(first.state())
    for one in seen[cut:]:
        second.feed(one)
    assert second.repetitions == 4


# ---------------------------------------------------------------- real video
TFJS, ROHAN, WALK = "tfjs-pose-squats/pose_squats.mp4", "rohanx01-squat/squat.mp4", "sports2d/demo.mp4"


@pytest.mark.parametrize("sample", [TFJS, ROHAN])
@pytest.mark.parametrize(("seen", "repetitions"), [(TFJS, 2), (ROHAN, 2), (WALK, 0)])
def test_real_squats_are_counted_and_a_real_walk_is_not(
    watch: Watch, sample: str, seen: str, repetitions: int
) -> None:
    template = build_template(watch(sample), "squat")
    outcomes = play(template, as_sets((watch(seen),)))
    assert outcomes[-1].repetitions == repetitions
    if sample == seen:
        assert min(completed(outcomes)) > 85


def test_the_published_landmarks_count_two(published_squats: Recording) -> None:
    outcomes = play(build_template(published_squats, "squat"), as_sets((published_squats,)))
    assert outcomes[-1].repetitions == 2


@pytest.mark.parametrize("camera", [1, 4])
def test_the_demo_recording_scores_high_on_itself(watch: Watch, camera: int) -> None:
    seen = watch(f"pose2sim-demo/videos/cam0{camera}.mp4")
    outcomes = play(build_template(seen), as_sets((seen,), loops=4))
    scores = completed(outcomes)
    assert len(scores) >= 3
    assert min(scores) > 80


def test_four_cameras_on_the_demo_recording_agree_with_one(watch: Watch) -> None:
    seen = tuple(watch(f"pose2sim-demo/videos/cam0{camera}.mp4") for camera in (1, 2, 3, 4))
    scores = completed(play(build_template(seen[0]), as_sets(seen, loops=4)))
    assert len(scores) >= 3
    assert min(scores) > 70
