"""Poses in over gRPC, sets out of Redis."""

import asyncio
import itertools
import time

import grpc
import pytest

from komi.common.v1 import stream_pb2
from komi.sync.v1 import sync_service_pb2 as pb
from services.mesh.sessions import SessionConfig, SessionStore
from services.mesh.times import from_timestamp
from tests.support.waiting import Eventually
from tests.sync.conftest import PATIENT, Start
from tests.sync.rig import Replica, make_pose, member_ids, pace, times_us
from tests.sync.stalls import Stalls

PERIOD_US = 33_333


async def test_one_camera_passes_straight_through(patient: Replica, eventually: Eventually) -> None:
    replica = patient
    async with replica.ingest() as stream:
        waits = []
        for n in range(12):
            began = time.perf_counter()
            await stream.send(make_pose("front", n, await replica.now_us()))

            async def arrived(count: int = n + 1) -> bool:
                return int(await replica.redis.xlen("komi:{live}:sync:out")) >= count

            await eventually(arrived, what="the set")
            waits.append(time.perf_counter() - began)
        sets = await replica.sets()
    assert [s.sequence for s in sets] == list(range(1, 13))
    assert all(len(s.members) == 1 and not s.missing for s in sets)
    # Who waits here does so for the whole lateness.
    assert sorted(waits)[6] < replica.settings.lateness_min_ms / 1000 / 2


async def test_poses_of_one_instant_leave_together(patient: Replica, eventually: Eventually) -> None:
    replica = patient
    async with replica.ingest() as stream:
        now = await replica.now_us()
        for n in range(30):
            at = now - 1_000_000 + n * PERIOD_US
            await stream.send(make_pose("front", n, at), make_pose("side", n, at + 4000))

        async def pairs() -> list[pb.SyncedSet]:
            return [s for s in await replica.sets() if len(s.members) == 2]

        await eventually(lambda: _at_least(pairs, 28), what="pairs")
        sets = await replica.sets()
    assert times_us(sets) == sorted(set(times_us(sets)))
    assert [s.sequence for s in sets] == list(range(1, len(sets) + 1))
    whole = [s for s in sets if len(s.members) == 2]
    assert all(m.id.sequence == s.members[0].id.sequence for s in whole for m in s.members)
    assert {s.spread_us for s in whole} == {4000}
    last = whole[-1]
    assert last.kind == pb.SET_KIND_GROUP
    assert not last.approximate
    assert last.stamps.synced_monotonic_ns >= last.members[0].stamps.ingested_monotonic_ns > 0
    assert last.stamps.sync_host_id == last.members[0].stamps.sync_host_id != 0
    assert last.fence > 0


async def _at_least(get: object, count: int) -> bool:
    return len(await get()) >= count  # type: ignore[operator]


async def test_output_goes_on_when_one_of_two_cameras_dies(replica: Replica, eventually: Eventually) -> None:
    dies_at, ends_at = 45, 75
    emitted: dict[int, float] = {}
    async with replica.ingest() as stream, replica.ingest() as other, Stalls(replica.redis.ping) as stalls:
        watching = asyncio.create_task(_watch(replica, emitted))
        start = await replica.now_us() + 20_000
        async for n, due in pace(start, PERIOD_US, replica):
            await stream.send(make_pose("front", n, due))
            if n < dies_at:
                await other.send(make_pose("side", n, due + 2000))
            if n >= ends_at and pb.MISSING_REASON_IDLE in _lacking((await replica.sets())[-1:]):
                break
            assert n < 900, "nobody is idle"
        await eventually(lambda: len(emitted) >= ends_at - 5, what="the sets")
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        sets = await replica.sets()
    moments = [emitted[s.sequence] for s in sets if s.sequence in emitted]
    assert max(b - a for a, b in itertools.pairwise(moments)) <= 0.3 + stalls.total_ms / 1000
    alone = [s for s in sets if [m.id.camera_id for m in s.members] == ["front"] and s.missing]
    assert _lacking(alone[-20:]) <= {pb.MISSING_REASON_LATE, pb.MISSING_REASON_IDLE}


def _lacking(sets: list[pb.SyncedSet]) -> set[int]:
    """Why cameras are missing."""
    return {missing.reason for s in sets for missing in s.missing}


async def _watch(replica: Replica, emitted: dict[int, float]) -> None:
    request = pb.WatchSessionRequest(session_id="live", after="0-0")
    async for answer in replica.stub.WatchSession(request):
        emitted[answer.set.sequence] = time.perf_counter()


async def test_a_pose_sent_twice_is_stored_once(replica: Replica, eventually: Eventually) -> None:
    async with replica.ingest() as stream:
        now = await replica.now_us()
        poses = [make_pose("front", n, now - 500_000 + n * PERIOD_US) for n in range(10)]
        await stream.send(*poses, *poses)
        await stream.finish()
        assert stream.stored == 10
        assert sum(stream.dropped().values()) == 10
        assert stream.answers[-1].end.reason == stream_pb2.STREAM_END_REASON_COMPLETE
        await eventually(replica.sets_emitted(10), what="ten sets")
    sets = await replica.sets()
    assert [i for s in sets for i in member_ids(s)] == [("front", 0, n) for n in range(10)]


async def test_impossible_times_are_refused_by_name_and_the_stream_goes_on(replica: Replica) -> None:
    async with replica.ingest() as stream:
        now = await replica.now_us()
        unmapped = make_pose("front", 2, now)
        unmapped.time.ClearField("server_time")
        await stream.send(
            make_pose("front", 0, now + 5_000_000),
            make_pose("front", 1, now - 90_000_000),
            unmapped,
            make_pose("", 3, now),
            make_pose("front", 4, now),
        )
        await stream.finish()
        failed = [a.failed for a in stream.answers if a.HasField("failed")]
        assert [f.error for f in failed] == ["BAD_TIME", "BAD_TIME", "BAD_TIME", "BAD_NAME"]
        assert [f.sequence for f in failed] == [0, 1, 2, 3]
        assert stream.stored == 1


async def test_the_first_message_must_be_the_config(replica: Replica) -> None:
    call = replica.stub.IngestPoses()
    await call.write(pb.IngestPosesRequest(pose=make_pose("front", 0, await replica.now_us())))
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call.read()
    assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "config" in (failure.value.details() or "")


async def test_what_is_not_there_is_not_found(replica: Replica) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await replica.stub.GetSessionStatus(pb.GetSessionStatusRequest(session_id="none"))
    assert failure.value.code() is grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await replica.stub.WatchSession(pb.WatchSessionRequest(session_id="none")).read()
    assert failure.value.code() is grpc.StatusCode.NOT_FOUND


async def test_the_status_tells_of_clocks_pace_and_completeness(start: Start) -> None:
    # The third camera never comes: the first set waits for it for as long as the idle time.
    replica = await start(**PATIENT | {"idle_ms": 3_000})
    second = await start()
    await SessionStore(replica.redis).put(
        SessionConfig("live", cameras=("front", "side", "back"), resample=False)
    )
    async with replica.ingest() as stream:
        begin = await replica.now_us() + 20_000
        status = pb.GetSessionStatusResponse()
        # For as long as it takes: a camera that is silent meanwhile is idle.
        async for n, due in pace(begin, PERIOD_US, replica):
            pose = make_pose("front", n, due)
            pose.clock.offset_us, pose.clock.uncertainty_us = 123, 45
            await stream.send(pose, make_pose("side", n, due + 1000))
            if n < 70:
                continue
            status = await second.stub.GetSessionStatus(pb.GetSessionStatusRequest(session_id="live"))
            if status.sets > 20:
                break
            assert n < 900, "the status at the other replica"
        sessions = await second.stub.ListSessions(pb.ListSessionsRequest())
    cameras = {camera.camera_id: camera for camera in status.cameras}
    assert set(cameras) == {"front", "side", "back"}
    assert cameras["back"].idle
    assert not cameras["front"].idle
    assert cameras["front"].clock.offset_us == 123
    assert cameras["front"].fps == pytest.approx(30, abs=1.5)
    assert cameras["side"].completeness > 0.9
    assert status.completeness > 0.9
    assert status.spread_median_us == 1000
    assert status.lateness.ToMicroseconds() > 0
    assert status.redis_bytes > 1000
    assert status.replica_id.startswith("sync-")
    assert abs(from_timestamp(status.watermark) - await replica.now_us()) < 5_000_000
    assert list(sessions.session_ids) == ["live"]


async def test_a_watcher_resumes_after_the_last_set_it_saw(replica: Replica) -> None:
    async with replica.ingest() as stream:
        now = await replica.now_us()
        await stream.send(*[make_pose("front", n, now - 500_000 + n * PERIOD_US) for n in range(6)])
        await stream.finish()
    call = replica.stub.WatchSession(pb.WatchSessionRequest(session_id="live", after="0-0"))
    first = [await call.read() for _ in range(3)]
    call.cancel()
    resumed = replica.stub.WatchSession(pb.WatchSessionRequest(session_id="live", after=first[-1].position))
    rest = [await resumed.read() for _ in range(3)]
    resumed.cancel()
    assert [a.set.sequence for a in [*first, *rest]] == [1, 2, 3, 4, 5, 6]
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await replica.stub.WatchSession(pb.WatchSessionRequest(session_id="live", after="1-1")).read()
    assert failure.value.code() is grpc.StatusCode.OUT_OF_RANGE
