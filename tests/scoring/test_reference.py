"""Templates from sample videos: good ones, poor ones, and impossible ones."""

from dataclasses import replace

import numpy as np
import pytest

from services.scoring import errors
from services.scoring.movement.landmarks import Recording
from services.scoring.reference.building import build_template
from services.scoring.reference.remarks import LOW_FRAME_RATE, ONE_REPETITION, Remark, remark_of
from services.scoring.reference.template import Kind, Phase, from_bytes, to_bytes
from tests.scoring.conftest import Watch
from tests.scoring.puppet import Posture, recording, squat, squats, waves


def test_repetitions_are_found_and_averaged() -> None:
    template = build_template(squats(4), "squat")
    assert template.kind is Kind.REPETITIONS
    assert len(template.repetitions) == 4
    assert template.returns
    assert template.duration_s == pytest.approx(2.5, abs=0.4)
    level = template.relative() @ template.axis
    assert level[[0, -1]] == pytest.approx([0, 0], abs=0.1)
    assert level.max() == pytest.approx(1)
    assert list(dict.fromkeys(template.phases)) == [Phase.OUT, Phase.TURN, Phase.BACK]


def test_one_repetition_is_enough_and_the_remarks_say_what_it_lacks() -> None:
    template = build_template(squats(1))
    assert len(template.repetitions) == 1
    assert template.remarks == (ONE_REPETITION,)
    assert "one repetition" in remark_of(ONE_REPETITION, template.fps).text_en


def test_a_still_video_becomes_a_held_pose() -> None:
    times = np.arange(0, 4, 1 / 30)
    template = build_template(recording([Posture(left_arm=90, right_arm=90)] * len(times), times))
    assert template.kind is Kind.HOLD
    assert template.repetitions == ()


def test_frames_are_those_of_the_video_whatever_its_rate() -> None:
    template = build_template(squats(2, fps=60.0))
    first, last = template.repetitions[0]
    assert (last - first) / 60 == pytest.approx(2.2, abs=0.4)
    assert template.frames[-1] - template.frames[0] == pytest.approx(template.duration_s * 60, abs=2)


def test_frames_left_out_of_the_analysis_keep_the_numbers_of_the_video() -> None:
    whole = squats(2, fps=60.0)
    thin = Recording(
        whole.times_s[::2],
        whole.image_px[::2],
        whole.world_m[::2],
        whole.visibility[::2],
        60.0,
        frame_numbers=np.arange(0, len(whole.times_s), 2),
        video_frames=len(whole.times_s),
    )
    assert build_template(thin).frames[0] == pytest.approx(build_template(whole).frames[0], abs=2)
    assert build_template(thin).video_frames == len(whole.times_s)


def test_five_frames_a_second_work_and_are_remarked_upon() -> None:
    template = build_template(squats(3, fps=5.0))
    assert len(template.repetitions) == 3
    assert template.remarks == (LOW_FRAME_RATE,)
    remark = remark_of(LOW_FRAME_RATE, template.fps)
    assert "5 frames a second" in remark.text_en
    assert "5프레임" in remark.text_ko
    assert remark_of(remark.text_en, template.fps) == remark, "as versions of long ago kept it"
    assert remark_of("Nobody knows.", 5.0) == Remark("", "Nobody knows.", "Nobody knows.")


def test_a_video_with_nobody_in_it_is_refused() -> None:
    seen = squats(2)
    seen.world_m[10:] = np.nan
    with pytest.raises(errors.NobodyFound, match="10 of"):
        build_template(seen)


def test_a_video_too_short_to_show_a_movement_is_refused() -> None:
    times = np.arange(0, 0.5, 1 / 30)
    with pytest.raises(errors.TooShort, match=r"0\.5 s"):
        build_template(recording([squat(0.0)] * len(times), times))


def test_an_empty_recording_is_refused() -> None:
    with pytest.raises(errors.TooShort):
        build_template(
            Recording(np.zeros(0), np.zeros((0, 33, 2)), np.zeros((0, 33, 3)), np.zeros((0, 33)), 30)
        )


def test_a_video_on_its_head_is_refused() -> None:
    seen = squats(2)
    with pytest.raises(errors.UpsideDown, match="turn the video"):
        build_template(replace(seen, image_px=-seen.image_px))


def test_two_people_are_refused() -> None:
    seen = squats(2)
    with pytest.raises(errors.SeveralPeople, match="one person alone"):
        build_template(replace(seen, persons=np.full(len(seen.times_s), 2)))


def test_a_few_frames_without_a_person_are_bridged() -> None:
    seen = squats(3)
    seen.world_m[40:44] = np.nan
    seen.image_px[40:44] = np.nan
    seen.visibility[40:44] = 0
    assert len(build_template(seen).repetitions) == 3


def test_a_template_survives_storage_and_anything_else_is_refused() -> None:
    template = build_template(squats(2), "squat")
    data = to_bytes(template)
    again = from_bytes(data)
    assert again.repetitions == template.repetitions
    assert again.features == pytest.approx(template.features, abs=1e-6)
    for broken in (b"", b"junk", data[: len(data) // 2]):
        with pytest.raises(errors.BadTemplate):
            from_bytes(broken)


def test_the_published_squats_hold_two_repetitions(published_squats: Recording) -> None:
    template = build_template(published_squats, "squat")
    assert len(template.repetitions) == 2


def test_a_walk_before_the_first_repetition_is_no_repetition(watch: Watch) -> None:
    """rohanx01's man walks out for 7 s and then squats twice, lowest at about 10.2 s and 17.3 s."""
    template = build_template(watch("rohanx01-squat/squat.mp4"), "squat")
    spans = [(first / template.fps, last / template.fps) for first, last in template.repetitions]
    assert len(spans) == 2
    assert spans[0][0] < 10.2 < spans[0][1]
    assert spans[1][0] < 17.3 < spans[1][1]


def test_the_balancing_man_becomes_a_reference(watch: Watch) -> None:
    template = build_template(watch("pose2sim-demo/videos/cam01.mp4"))
    assert template.kind is Kind.REPETITIONS
    assert template.duration_s > 1.0


def test_waves_are_what_they_say() -> None:
    times, depth = waves(2)
    assert depth.max() == pytest.approx(1, abs=0.01)
    assert len(times) == len(depth)
