"""The scoring service on a real Redis, with the real pose service where a video is looked at."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import grpc
import pytest

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.mesh import keys
from services.mesh.server import Service
from services.mesh.sessions import SessionConfig, SessionStore
from services.pose.build import build as build_pose
from services.pose.config import PoseSettings
from services.scoring.library.store import ReferenceStore
from services.scoring.reference.building import build_template
from tests.scoring.mesh import Running, publish, running
from tests.scoring.puppet import sets, squat, squats, waves
from tests.support.waiting import Eventually

TIMES, DEPTH = waves(4)
SQUATS = sets([squat(d) for d in DEPTH], TIMES)


async def follow(scoring: Running, session_id: str = "live") -> str:
    """Store a squat reference and let the session follow it."""
    stored = await ReferenceStore(scoring.redis).add(build_template(squats(3), "squat"), "Squat", 1)
    await SessionStore(scoring.redis).put(SessionConfig(session_id, reference_id=stored.reference_id))
    return stored.reference_id


async def held(scoring: Running, eventually: Eventually, reference_id: str = "") -> None:
    """Wait until a replica scores the live session, against this reference."""

    async def follows() -> bool:
        raw = await scoring.redis.hget(keys.scoring_state("live"), "reference")
        return raw is not None and reference_id in raw.decode()

    await eventually(follows, what="a replica that follows the reference")


async def test_a_session_is_scored_from_synced_sets_to_repetitions(
    redis_url: str, eventually: Eventually
) -> None:
    async with running(redis_url) as scoring:
        reference_id = await follow(scoring)
        await held(scoring, eventually, reference_id)
        await publish(scoring.redis, SQUATS)

        async def all_scored() -> bool:
            return await scoring.scored() >= len(SQUATS)

        await eventually(all_scored, what="all sets scored")
        updates = await scoring.updates()
        assert [one.set_sequence for one in updates] == list(range(1, len(SQUATS) + 1))
        assert updates[-1].repetitions == 4
        assert updates[-1].reference_id == reference_id
        assert updates[-1].stamps.scored_monotonic_ns > 0
        assert updates[-1].traceparent.startswith("00-")
        assert [one.completed.number for one in updates if one.HasField("completed")] == [1, 2, 3, 4]
        assert {one.state for one in updates} >= {pb.TRACKING_STATE_READY, pb.TRACKING_STATE_TRACKING}
        summary = await scoring.stub.GetSessionSummary(pb.GetSessionSummaryRequest(session_id="live"))
        assert len(summary.repetitions) == 4
        assert summary.mean_score > 85
        assert summary.sets == len(SQUATS)


async def test_without_a_reference_sets_are_passed_on_unscored(
    redis_url: str, eventually: Eventually
) -> None:
    async with running(redis_url) as scoring:
        await held(scoring, eventually)
        await publish(scoring.redis, SQUATS[:5])

        async def all_passed() -> bool:
            return await scoring.scored() == 5

        await eventually(all_passed)
        assert {one.state for one in await scoring.updates()} == {pb.TRACKING_STATE_NO_REFERENCE}


async def test_a_replica_that_takes_over_counts_nothing_twice_and_loses_nothing(
    redis_url: str, eventually: Eventually
) -> None:
    cut = len(SQUATS) // 2 + 12
    async with running(redis_url) as first:
        await held(first, eventually, await follow(first))
        await publish(first.redis, SQUATS[:cut])

        async def half() -> bool:
            return await first.scored() >= cut

        await eventually(half)
    async with running(redis_url) as second:
        await publish(second.redis, SQUATS[cut:], first=cut + 1)

        async def whole() -> bool:
            return await second.scored() >= len(SQUATS)

        await eventually(whole)
        updates = await second.updates()
        assert [one.completed.number for one in updates if one.HasField("completed")] == [1, 2, 3, 4]
        assert [one.set_sequence for one in updates] == list(range(1, len(SQUATS) + 1))


async def test_two_replicas_never_score_one_session_together(redis_url: str, eventually: Eventually) -> None:
    async with running(redis_url) as one, running(redis_url):
        await held(one, eventually, await follow(one))
        await publish(one.redis, SQUATS[:120])

        async def done() -> bool:
            return await one.scored() >= 120

        await eventually(done)
        assert [u.set_sequence for u in await one.updates()] == list(range(1, 121))


async def test_a_broken_set_is_left_out_and_the_rest_is_scored(
    redis_url: str, eventually: Eventually
) -> None:
    async with running(redis_url) as scoring:
        await held(scoring, eventually, await follow(scoring))
        await publish(scoring.redis, SQUATS[:3])
        await scoring.redis.xadd(keys.synced_sets("live"), {"set": b"\xff\xff\xff"})
        await publish(scoring.redis, SQUATS[3:6], first=4)

        async def rest() -> bool:
            return await scoring.scored() == 6

        await eventually(rest)


async def test_watching_resumes_after_the_last_position_seen(redis_url: str, eventually: Eventually) -> None:
    async with running(redis_url) as scoring:
        await held(scoring, eventually)
        await publish(scoring.redis, SQUATS[:6])

        async def passed() -> bool:
            return await scoring.scored() == 6

        await eventually(passed)
        call = scoring.stub.WatchScores(pb.WatchScoresRequest(session_id="live", after="0-0"))
        seen = [await anext(aiter(call)) for _ in range(3)]
        call.cancel()
        again = scoring.stub.WatchScores(pb.WatchScoresRequest(session_id="live", after=seen[-1].position))
        assert (await anext(aiter(again))).update.set_sequence == 4
        again.cancel()


async def test_an_unknown_session_and_an_unknown_reference_are_not_found(redis_url: str) -> None:
    async with running(redis_url) as scoring:
        with pytest.raises(grpc.aio.AioRpcError, match="no session 'nowhere'"):
            await scoring.stub.GetSessionSummary(pb.GetSessionSummaryRequest(session_id="nowhere"))
        with pytest.raises(grpc.aio.AioRpcError, match="no reference 'nothing'"):
            await scoring.stub.GetReference(pb.GetReferenceRequest(reference_id="nothing"))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await scoring.stub.DeleteReference(pb.DeleteReferenceRequest(reference_id="nothing"))
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_reference_in_use_is_not_deleted(redis_url: str) -> None:
    async with running(redis_url) as scoring:
        reference_id = await follow(scoring)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await scoring.stub.DeleteReference(pb.DeleteReferenceRequest(reference_id=reference_id))
        assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        await SessionStore(scoring.redis).put(SessionConfig("live"))
        await scoring.stub.DeleteReference(pb.DeleteReferenceRequest(reference_id=reference_id))
        assert not (await scoring.stub.ListReferences(pb.ListReferencesRequest())).references


async def test_references_are_listed_newest_first_a_page_at_a_time(redis_url: str) -> None:
    async with running(redis_url) as scoring:
        template = build_template(squats(2), "squat")
        store = ReferenceStore(scoring.redis)
        for made_us in range(1, 6):
            await store.add(template, f"Squat {made_us}", made_us)
        names: list[str] = []
        token = ""
        while True:
            page = await scoring.stub.ListReferences(pb.ListReferencesRequest(page_size=2, page_token=token))
            names += [one.name for one in page.references]
            token = page.next_page_token
            if not token:
                break
        assert names == [f"Squat {n}" for n in (5, 4, 3, 2, 1)]
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await scoring.stub.ListReferences(pb.ListReferencesRequest(page_token="junk"))
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


# ---------------------------------------------------------------- building
async def requests(
    data: bytes, name: str = "스쿼트", *, silhouettes: bool = False
) -> AsyncIterator[pb.BuildReferenceRequest]:
    yield pb.BuildReferenceRequest(
        config=pb.ReferenceConfig(
            name=name, exercise="squat", file_name="sample.mp4", silhouettes=silhouettes
        )
    )
    for start in range(0, len(data), 1 << 20):
        yield pb.BuildReferenceRequest(chunk=data[start : start + (1 << 20)])


@asynccontextmanager
async def with_pose(redis_url: str) -> AsyncIterator[Running]:
    """A scoring service beside a pose service."""
    settings = PoseSettings(
        redis_url=redis_url, port=0, metrics_port=0, sync="", drain_s=0.5, _cli_parse_args=[]
    )
    pose = Service(settings, partial(build_pose, settings))
    await pose.start()
    try:
        async with running(redis_url, pose=pose.address) as scoring:
            yield scoring
    finally:
        await pose.stop()


async def test_a_sample_video_becomes_a_reference(redis_url: str, shared_data: Path) -> None:
    data = (shared_data / "tfjs-pose-squats" / "pose_squats.mp4").read_bytes()
    async with with_pose(redis_url) as scoring:
        answers = [one async for one in scoring.stub.BuildReference(requests(data, silhouettes=True))]
        stages = {one.progress.stage for one in answers if one.HasField("progress")}
        assert stages == {pb.BUILD_STAGE_UPLOADING, pb.BUILD_STAGE_DETECTING, pb.BUILD_STAGE_ANALYSING}
        built = answers[-1].reference
        assert (built.name, built.exercise, built.version, built.repetitions) == ("스쿼트", "squat", 1, 2)
        assert (built.frames, built.fps) == (65, 5.0)
        assert len(built.ghost) == 66 * built.template_frames
        assert built.strip
        assert built.silhouettes
        again = (
            await scoring.stub.GetReference(pb.GetReferenceRequest(reference_id=built.reference_id))
        ).reference
        assert list(again.curves[0].degrees) == pytest.approx(list(built.curves[0].degrees), abs=0.01)

        async def right() -> AsyncIterator[pb.CalibrateReferenceRequest]:
            config = pb.CalibrationConfig(reference_id=built.reference_id, correct=True, person="trainer")
            yield pb.CalibrateReferenceRequest(config=config)
            yield pb.CalibrateReferenceRequest(chunk=data)

        learnt = [one async for one in scoring.stub.CalibrateReference(right())][-1].reference
        assert (learnt.version, learnt.active, learnt.strip) == (2, True, True)
        assert learnt.calibration == pb.ReferenceCalibration(
            source=pb.CALIBRATION_SOURCE_DEFAULTS, right=2, people=1
        )


async def test_what_is_no_video_is_refused_and_nothing_is_stored(redis_url: str) -> None:
    async with running(redis_url) as scoring:
        for data in (b"", b"this is no video"):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                async for _ in scoring.stub.BuildReference(requests(data)):
                    pass
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert not (await scoring.stub.ListReferences(pb.ListReferencesRequest())).references


async def test_a_chunk_before_the_config_is_refused(redis_url: str) -> None:
    async def headless() -> AsyncIterator[pb.BuildReferenceRequest]:
        yield pb.BuildReferenceRequest(chunk=b"x")

    async with running(redis_url) as scoring:
        with pytest.raises(grpc.aio.AioRpcError, match="first message"):
            async for _ in scoring.stub.BuildReference(headless()):
                pass
