"""A further video refines a reference, and one of something else does not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import grpc
import numpy as np
import pytest

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.scoring.errors import DifferentExercise
from services.scoring.library.store import ReferenceStore
from services.scoring.reference.building import build_template
from services.scoring.reference.refinement import refined
from services.scoring.reference.remarks import ONE_REPETITION, remark_of
from services.scoring.reference.template import MOST_SAMPLES, Template, from_bytes, to_bytes
from tests.scoring.puppet import Posture, recording, squats, waves
from tests.scoring.test_service import with_pose


def reach(template: Template) -> float:
    """How far it goes from the ready pose."""
    return float(np.linalg.norm(template.relative(), axis=1).max())


def arm_raises() -> Template:
    times, depth = waves(3)
    return build_template(recording([Posture(left_arm=150 * d, right_arm=150 * d) for d in depth], times))


def test_a_refined_reference_lies_between_its_videos_and_knows_their_spread() -> None:
    base, shallow = build_template(squats(1), "squat"), build_template(squats(1, depth=0.8), "squat")
    both = refined(base, shallow)
    assert reach(shallow) < reach(both) < reach(base)
    assert both.spread.max() > 0 == base.spread.max()
    assert (base.remarks, both.remarks) == ((ONE_REPETITION,), ())
    kept_long_ago = replace(base, remarks=(remark_of(ONE_REPETITION, base.fps).text_en,))
    assert refined(kept_long_ago, shallow).remarks == ()
    assert (both.exercise, len(both.features)) == ("squat", len(base.features))
    assert both.frames == pytest.approx(base.frames), "the first video stays the time base"
    assert len(both.repetitions) + both.joined == 2
    assert refined(both, build_template(squats(3), "squat")).joined == 4
    again = from_bytes(to_bytes(both))
    assert again.joined == 1
    assert again.samples == pytest.approx(both.samples, abs=1e-6)


def test_a_video_from_another_side_refines_too() -> None:
    base = build_template(squats(2, heading_deg=90.0))
    both = refined(base, build_template(squats(2, heading_deg=45.0)))
    assert both.features == pytest.approx(base.features, abs=0.1)


def test_what_is_kept_for_refining_is_bounded() -> None:
    template = build_template(squats(3))
    for _ in range(5):
        template = refined(template, build_template(squats(3)))
    assert len(template.samples) == MOST_SAMPLES


def test_a_reference_whose_repetitions_were_not_kept_can_be_refined() -> None:
    base = replace(build_template(squats(2)), samples=np.zeros((0, 0, 60)))
    assert len(refined(base, build_template(squats(2))).samples) == 3


def test_another_movement_and_another_pose_refine_nothing() -> None:
    times = np.arange(0, 3, 1 / 30)
    pose = build_template(recording([Posture(left_arm=90, right_arm=90)] * len(times), times))
    other = build_template(recording([Posture(knees=90, thighs=90)] * len(times), times))
    squat = build_template(squats(2), "squat")
    for base, further in ((squat, arm_raises()), (squat, pose), (pose, other)):
        with pytest.raises(DifferentExercise, match="does not look like"):
            refined(base, further)
    assert refined(pose, pose).ready == pytest.approx(pose.ready)


async def test_a_further_video_becomes_the_next_version_and_another_exercise_leaves_no_trace(
    redis_url: str, shared_data: Path
) -> None:
    data = (shared_data / "tfjs-pose-squats" / "pose_squats.mp4").read_bytes()

    async def upload(reference_id: str, exercise: str = "") -> AsyncIterator[pb.BuildReferenceRequest]:
        config = pb.ReferenceConfig(name="Squat", exercise=exercise, reference_id=reference_id)
        yield pb.BuildReferenceRequest(config=config)
        yield pb.BuildReferenceRequest(chunk=data)

    async with with_pose(redis_url) as scoring:
        store = ReferenceStore(scoring.redis)
        squat = await store.add(build_template(squats(3), "squat"), "Squat", 1)
        other = await store.add(arm_raises(), "Arms", 2)
        for wanted in (upload(other.reference_id), upload(squat.reference_id, "lunge")):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                async for _ in scoring.stub.BuildReference(wanted):
                    pass
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        built = [one async for one in scoring.stub.BuildReference(upload(squat.reference_id))][-1].reference
        assert (built.version, built.videos, built.active, built.exercise) == (2, 2, True, "squat")
        stored = await store.get(squat.reference_id)
        assert len(stored.template.samples) > 3
        assert [one.version for one in await store.versions(other.reference_id)] == [1]
