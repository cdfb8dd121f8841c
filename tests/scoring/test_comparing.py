"""Two videos are laid onto each other without cameras, with the real pose service."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import numpy as np
import pytest

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.scoring.live.attempt import UNLIKE, judge_attempt
from services.scoring.reference.building import build_template
from tests.scoring.mesh import running
from tests.scoring.puppet import squats
from tests.scoring.test_service import follow, with_pose


async def requests(
    config: pb.CompareConfig, sample: bytes, attempt: bytes
) -> AsyncIterator[pb.CompareVideosRequest]:
    yield pb.CompareVideosRequest(config=config)
    if sample:
        yield pb.CompareVideosRequest(sample_chunk=sample)
    yield pb.CompareVideosRequest(attempt_chunk=attempt)


def test_an_attempt_like_the_sample_passes_and_is_laid_onto_it() -> None:
    template = build_template(squats(3), "squat")
    judged = judge_attempt(squats(4), template)
    assert len(judged.repetitions) == 4
    assert judged.score > 85
    assert not judged.notices
    both = np.isfinite(judged.attempt_degrees) & np.isfinite(judged.sample_degrees)
    assert both.any(axis=1).mean() > 0.4
    apart = np.abs(judged.attempt_degrees - judged.sample_degrees)[both]
    assert np.median(apart) < 5


async def test_a_video_is_compared_with_another_and_nothing_is_stored(
    redis_url: str, shared_data: Path
) -> None:
    video = (shared_data / "tfjs-pose-squats" / "pose_squats.mp4").read_bytes()
    async with with_pose(redis_url) as scoring:
        config = pb.CompareConfig(
            exercise="squat", sample_name="a.mp4", attempt_name="b.mp4", silhouettes=True
        )
        answers = [one async for one in scoring.stub.CompareVideos(requests(config, video, video))]
        told = {one.progress.video for one in answers if one.HasField("progress")}
        assert told == {pb.COMPARED_VIDEO_SAMPLE, pb.COMPARED_VIDEO_ATTEMPT}
        comparison = answers[-1].comparison
        assert (comparison.attempt_frames, comparison.attempt_fps) == (65, 5.0)
        assert (comparison.reference.reference_id, comparison.reference.exercise) == ("", "squat")
        assert comparison.score > 70
        assert len(comparison.repetitions) == 2
        assert comparison.reference.silhouettes
        assert comparison.silhouette_overlap > 0.7
        assert all(done.silhouette_overlap > 0.7 for done in comparison.repetitions)
        assert len(comparison.frames) == len(comparison.curves[0].attempt_degrees) == 65
        assert any(frame.HasField("sample_frame") for frame in comparison.frames)
        standing = np.array(comparison.frames[0].landmarks).reshape(33, 2)
        nose, heel = standing[0], standing[29]
        assert 0 < nose[1] < heel[1] < 1000, "in thousandths of the picture"
        assert all(len(frame.landmarks) == 66 for frame in comparison.frames)
        listed = await scoring.stub.ListReferences(pb.ListReferencesRequest())
        assert not listed.references


async def test_an_attempt_at_something_else_is_said_not_to_look_like_the_reference(
    redis_url: str, shared_data: Path
) -> None:
    walk = (shared_data / "tfjs-pose-squats" / "pose_1.mp4").read_bytes()
    async with with_pose(redis_url) as scoring:
        config = pb.CompareConfig(reference_id=await follow(scoring), attempt_name="other.mp4")
        answers = [one async for one in scoring.stub.CompareVideos(requests(config, b"", walk))]
        comparison = answers[-1].comparison
        assert UNLIKE.code in {notice.code for notice in comparison.notices}
        assert not comparison.HasField("score")


async def test_what_cannot_be_compared_is_refused_by_name(redis_url: str) -> None:
    async with running(redis_url) as scoring:

        async def refusal(config: pb.CompareConfig, sample: bytes, attempt: bytes) -> tuple[object, str]:
            with pytest.raises(grpc.aio.AioRpcError) as error:
                async for _ in scoring.stub.CompareVideos(requests(config, sample, attempt)):
                    pass
            if error.value.details() == "Internal error from Core":
                # So grpc.aio says where a refusal arrives while a request is being written. Who uploads tries again.
                return await refusal(config, sample, attempt)
            return error.value.code(), error.value.details() or ""

        code, said = await refusal(pb.CompareConfig(sample_name="a.mp4"), b"no video", b"no video")
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert "a.mp4" in said
        code, _ = await refusal(pb.CompareConfig(reference_id="none"), b"", b"x")
        assert code is grpc.StatusCode.NOT_FOUND
        reference_id = await follow(scoring)
        code, said = await refusal(pb.CompareConfig(reference_id=reference_id), b"a sample too", b"x")
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert "does not belong" in said
