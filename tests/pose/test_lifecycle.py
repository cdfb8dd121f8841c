"""Streams and their neighbours come and go: Redis, sync, other cameras, sessions, lookers, the replica itself."""

import asyncio
import time
from collections.abc import AsyncIterator

import grpc
import httpx
import pytest

from komi.common.v1 import pose_pb2, stream_pb2
from komi.pose.v1 import pose_service_pb2, pose_service_pb2_grpc
from services.mesh import keys
from services.mesh.cameras import CameraRegister
from services.mesh.images import Images
from services.mesh.redis import RedisClient, connect
from services.mesh.sessions import SessionConfig, SessionStore
from tests.pose.camera import Camera
from tests.pose.conftest import Replica, Replicas, Video
from tests.pose.ingest import IngestServer
from tests.pose.test_service import now_us, refused
from tests.support.redis_server import RedisServer
from tests.support.waiting import Eventually


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[RedisClient]:
    """A client of the test's Redis."""
    client = connect(redis_url)
    yield client
    await client.aclose()


async def listed(replica: Replica, session_id: str = "") -> dict[str, pose_service_pb2.Camera]:
    """Connected cameras by name."""
    stub = pose_service_pb2_grpc.PoseServiceStub(replica.channel)
    answer = await stub.ListCameras(pose_service_pb2.ListCamerasRequest(session_id=session_id), timeout=30)
    return {camera.camera_id: camera for camera in answer.cameras}


async def metric(replica: Replica, name: str) -> float:
    """One value of /metrics; 0 where it is not there yet."""
    async with httpx.AsyncClient(timeout=30) as client:
        text = (await client.get(f"http://127.0.0.1:{replica.service.metrics_port}/metrics")).text
    return next(
        (float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + " ")), 0.0
    )


# ---------------------------------------------------------------- the register of cameras
async def test_connected_cameras_are_listed_by_every_replica_with_how_they_do(
    pose: Replicas, squats: Video, eventually: Eventually
) -> None:
    one, other = await pose(), await pose()
    front, side = one.camera(), other.camera()
    await front.open(camera_id="front", return_poses=True)
    await side.open(camera_id="side", session_id="morning")
    sent_us = now_us()
    await front.frame(squats.jpegs[0], server_us=sent_us)
    await front.count("pose", 1)
    await front.frame(b"broken")
    await front.count("failed", 1)

    async def both() -> pose_service_pb2.Camera | None:
        cameras = await listed(other)
        there = set(cameras) == {"front", "side"} and cameras["front"].dropped == {"broken": 1}
        return cameras["front"] if there else None

    camera = await eventually(both, what="both cameras in the register")
    assert camera is not None
    assert camera.replica_id == front.of("ready")[0].replica_id != side.of("ready")[0].replica_id
    assert (camera.image_width, camera.image_height) == (720, 1280)
    assert camera.last_frame_time.ToMicroseconds() == sent_us
    assert abs(camera.connected_time.ToMicroseconds() - sent_us) < 10e6
    assert camera.fps > 0
    assert set(await listed(one, "morning")) == {"side"}


async def test_a_camera_that_says_goodbye_is_gone_when_its_stream_ends_and_its_name_free(
    pose: Replicas, eventually: Eventually
) -> None:
    """The end of the stream once overtook the goodbye to Redis, and a report under way could undo it."""
    replica = await pose()
    for instance in ("first", "second", "third"):
        camera = replica.camera()
        await camera.open(camera_id="front", instance_id=instance)
        await eventually(lambda: listed(replica), what="the camera in the register")
        await camera.finish()
        assert not await listed(replica)


async def test_a_name_in_use_is_refused_on_any_replica(pose: Replicas) -> None:
    one, other = await pose(), await pose()
    first, here, there = one.camera(), one.camera(), other.camera()
    await first.open(camera_id="front", instance_id="first")
    for second in (here, there):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await second.open(camera_id="front", instance_id="second")
        assert refused(caught.value) == (grpc.StatusCode.ALREADY_EXISTS, "CAMERA_NAME_TAKEN")
    assert not first.done


async def test_a_camera_that_reconnects_replaces_its_own_stale_stream(
    pose: Replicas, landscape: bytes
) -> None:
    replica = await pose()
    stale, fresh = replica.camera(), replica.camera()
    await stale.open(camera_id="front", instance_id="same")
    await fresh.open(camera_id="front", instance_id="same", return_poses=True)
    assert (await stale.ended()).reason == stream_pb2.STREAM_END_REASON_REPLACED
    await fresh.frame(landscape)
    await fresh.count("pose", 1)


async def test_a_stream_whose_name_another_instance_took_meanwhile_ends(
    pose: Replicas, redis: RedisClient
) -> None:
    camera = (await pose()).camera()
    await camera.open(camera_id="front", instance_id="first")
    await redis.set(keys.camera_owner("front"), "second", ex=30)
    assert (await camera.ended()).reason == stream_pb2.STREAM_END_REASON_REPLACED


# ---------------------------------------------------------------- sessions and images
async def test_a_session_that_claims_a_camera_gets_its_frames_from_then_on(
    pose: Replicas, landscape: bytes, sync_server: IngestServer, redis: RedisClient
) -> None:
    camera = (await pose()).camera()
    await camera.open(camera_id="front", return_poses=True)
    await camera.frame(landscape)
    await camera.count("pose", 1)
    await SessionStore(redis).put(SessionConfig("morning", cameras=("front",)))
    (changed,) = await camera.count("session_changed", 1)
    assert changed.session_id == "morning"
    await camera.frame(landscape)
    await sync_server.until("morning", 1)
    await SessionStore(redis).delete("morning")
    await camera.count("session_changed", 2)
    await camera.frame(landscape)
    await camera.count("pose", 3)
    await sync_server.until("live", 2)
    assert (sync_server.sequences("live"), sync_server.sequences("morning")) == ([0, 2], [1])
    assert {config.session_id for config in sync_server.ingest.configs} == {"live", "morning"}


async def test_images_are_written_only_while_somebody_looks(
    pose: Replicas, squats: Video, redis: RedisClient, eventually: Eventually
) -> None:
    images = Images(redis)
    camera = (await pose()).camera()
    await camera.open(camera_id="front", return_poses=True)
    await camera.frame(squats.jpegs[0])
    await camera.count("pose", 1)
    assert await images.get("front") is None
    await images.look("front")

    async def written() -> bool:
        await camera.frame(squats.jpegs[1])
        return await images.get("front") is not None

    await eventually(written, what="an image in Redis")
    image = await images.get("front")
    assert image is not None
    assert image.jpeg == squats.jpegs[1]
    assert (image.width, image.height) == (720, 1280)
    frame = pose_pb2.PoseFrame.FromString(image.pose_frame)
    assert frame.id.sequence == image.sequence
    assert frame.persons == 1


async def test_outlines_come_only_while_somebody_wants_them_and_no_frame_is_lost_over_it(
    pose: Replicas, squats: Video, redis: RedisClient, eventually: Eventually
) -> None:
    register = CameraRegister(redis)
    camera = (await pose()).camera()
    await camera.open(camera_id="front", return_poses=True)

    async def outlined() -> bool:
        number = await camera.frame(squats.jpegs[len(camera.of("pose")) % len(squats.jpegs)])
        found = await camera.count("pose", number + 1)
        return bool(found[-1].HasField("mask"))

    async def wanted() -> bool:
        await register.want_silhouettes("front")
        return await outlined()

    async def spared() -> bool:
        return not await outlined()

    assert not await outlined()
    await eventually(wanted, within=60, what="outlines")
    await register.spare_silhouettes("front")
    await eventually(spared, within=60, what="the end of the outlines")
    found = camera.of("pose")
    assert [one.id.sequence for one in found] == list(range(len(found)))
    assert {one.persons for one in found} == {1}


# ---------------------------------------------------------------- neighbours that go away
async def test_while_sync_is_away_poses_still_come_back_and_a_bounded_number_waits_for_it(
    pose: Replicas, landscape: bytes, sync_server: IngestServer, eventually: Eventually
) -> None:
    replica = await pose(buffered_poses=4)
    lost_before = await metric(
        replica, 'komi_dropped_total{reason="unreachable",service="pose",stage="sync"}'
    )
    camera = replica.camera()
    await camera.open(camera_id="front", return_poses=True)
    await camera.frame(landscape)
    await sync_server.until("live", 1)
    await sync_server.stop()
    for number in range(1, 12):
        await camera.frame(landscape)
        await camera.count("pose", number + 1)
    await sync_server.start()
    await sync_server.until("live", 5)
    await camera.frame(landscape)
    await camera.count("pose", 13)
    # What sync took but could not acknowledge any more comes twice.
    await eventually(lambda: 12 in sync_server.sequences(), what="the newest pose")
    numbers = sorted(set(sync_server.sequences()))
    assert numbers[0] == 0
    lost = (
        await metric(replica, 'komi_dropped_total{reason="unreachable",service="pose",stage="sync"}')
        - lost_before
    )
    assert len(numbers) + lost == 13, "what did not arrive was counted"
    assert lost > 0


async def test_poses_that_sync_never_acknowledged_are_sent_again(
    pose: Replicas, landscape: bytes, sync_server: IngestServer
) -> None:
    sync_server.ingest.acknowledges = False
    camera = (await pose()).camera()
    await camera.open(camera_id="front", return_poses=True)
    for number in range(3):
        await camera.frame(landscape)
        await camera.count("pose", number + 1)
    await sync_server.until("live", 3)
    await sync_server.stop()
    sync_server.ingest.acknowledges = True
    await sync_server.start()
    await camera.frame(landscape)
    await sync_server.until("live", 7)
    assert sync_server.sequences() == [0, 1, 2, 0, 1, 2, 3]


async def test_poses_go_on_when_sync_moves_the_stream(
    pose: Replicas, landscape: bytes, sync_server: IngestServer, eventually: Eventually
) -> None:
    sync_server.ingest.end_after = 2
    camera = (await pose()).camera()
    await camera.open(camera_id="front", return_poses=True)
    for number in range(6):
        await camera.frame(landscape)
        await camera.count("pose", number + 1)
    await eventually(lambda: set(sync_server.sequences()) == set(range(6)), what="every pose")
    assert len(sync_server.ingest.configs) >= 2


async def test_a_sync_that_refuses_is_asked_again(
    pose: Replicas, landscape: bytes, sync_server: IngestServer
) -> None:
    sync_server.ingest.refuses = True
    camera = (await pose()).camera()
    await camera.open(camera_id="front", return_poses=True)
    await camera.frame(landscape)
    await camera.count("pose", 1)
    sync_server.ingest.refuses = False
    await sync_server.until("live", 1)


async def test_a_stream_survives_redis_going_away_and_coming_back(
    pose: Replicas,
    own_redis: RedisServer,
    landscape: bytes,
    sync_server: IngestServer,
    eventually: Eventually,
) -> None:
    replica = await pose(redis_url=own_redis.url)
    context = replica.service.context
    assert context is not None
    camera = replica.camera()
    await camera.open(camera_id="front", return_poses=True)
    await camera.frame(landscape)
    await camera.count("pose", 1)
    failures = await metric(replica, 'komi_pose_redis_failures_total{what="report"}')
    own_redis.kill()
    await eventually(lambda: not context.readiness.ready, within=30, what="readiness to go")
    await camera.frame(landscape)
    await camera.count("pose", 2)
    await camera.probe(1)
    frames = await sync_server.until("live", 2)
    assert frames[1].time.HasField("server_time"), "the clock goes on by itself"

    async def counted() -> bool:
        return await metric(replica, 'komi_pose_redis_failures_total{what="report"}') > failures

    await eventually(counted, within=30, what="the failure counted")
    own_redis.start()
    await eventually(lambda: context.readiness.ready, within=30, what="readiness to come back")
    await eventually(lambda: listed(replica), within=30, what="the camera in the register again")
    await camera.frame(landscape)
    await camera.count("pose", 3)


async def test_without_redis_at_the_start_it_is_not_ready_yet_answers_frames(
    pose: Replicas, own_redis: RedisServer, squats: Video, sync_server: IngestServer, eventually: Eventually
) -> None:
    own_redis.kill()
    replica = await pose(redis_url=own_redis.url, wait=False)
    context = replica.service.context
    assert context is not None
    camera, reference = replica.camera(), replica.camera()
    await camera.open(camera_id="front", return_poses=True)
    await reference.open(camera_id="reference", mode=pose_service_pb2.STREAM_MODE_LOSSLESS)
    await reference.media_frame(squats.jpegs[0], 0)
    await reference.count("pose", 1)
    await camera.frame(squats.jpegs[0])
    (answer,) = await camera.count("pose", 1)
    assert answer.persons == 1
    assert not answer.time.HasField("server_time"), "nobody knows the server clock yet"
    assert not context.readiness.ready
    assert sync_server.sequences() == []
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await listed(replica)
    assert refused(caught.value) == (grpc.StatusCode.UNAVAILABLE, "REDIS_UNREACHABLE")
    own_redis.start()
    await replica.ready()
    await camera.frame(squats.jpegs[1])
    await sync_server.until("live", 1)
    await eventually(lambda: listed(replica), within=30, what="the camera in the register")


# ---------------------------------------------------------------- how streams end
async def test_a_replica_that_stops_answers_what_it_has_in_hand_and_sends_its_cameras_on(
    pose: Replicas, squats: Video, sync_server: IngestServer
) -> None:
    one, other = await pose(workers=1), await pose()
    camera = one.camera()
    await camera.open(camera_id="front", instance_id="same", return_poses=True)
    for number in range(5):
        await camera.frame(squats.jpegs[number])
    began = time.monotonic()
    await one.stop()
    assert time.monotonic() - began < 20, "its grace is 30 s"
    assert (await camera.ended()).reason == stream_pb2.STREAM_END_REASON_DRAINING
    seen = len(camera.of("pose"))
    given_up = camera.dropped(stream_pb2.DROP_REASON_SUPERSEDED) + camera.dropped(
        stream_pb2.DROP_REASON_DRAINING
    )
    assert seen + given_up <= 5
    await sync_server.until("live", seen)
    again = other.camera()
    await again.open(camera_id="front", instance_id="same", return_poses=True)
    await again.frame(squats.jpegs[5])
    await again.count("pose", 1)


async def test_an_old_stream_is_asked_to_connect_again(pose: Replicas, landscape: bytes) -> None:
    camera = (await pose(max_stream_age_s=3.0)).camera()
    await camera.open(camera_id="front", return_poses=True)
    await camera.frame(landscape)
    assert (await camera.ended()).reason == stream_pb2.STREAM_END_REASON_REBALANCE
    assert len(camera.of("pose")) == 1


async def test_a_silent_stream_is_ended_and_a_probe_keeps_it_open(pose: Replicas) -> None:
    replica = await pose(idle_s=4.0)
    silent, probing = replica.camera(), replica.camera()
    await silent.open(camera_id="silent")
    await probing.open(camera_id="probing")
    number = 0
    while not silent.done:
        number += 1
        await probing.probe(number)
        await asyncio.sleep(0.1)
    assert (await silent.ended()).reason == stream_pb2.STREAM_END_REASON_IDLE
    assert not probing.done


async def test_cameras_that_vanish_leave_nothing_behind(
    pose: Replicas, squats: Video, eventually: Eventually
) -> None:
    replica = await pose(max_trackers=2)
    for _ in range(4):
        pair: list[Camera] = []
        for name in ("a", "b"):
            camera = replica.camera()
            await camera.open(camera_id=name, instance_id=name, return_poses=True)
            await camera.frame(squats.jpegs[0])
            await camera.frame(squats.jpegs[1])
            pair.append(camera)
        for camera in pair:
            await camera.close()
        stub = pose_service_pb2_grpc.PoseServiceStub(replica.channel)

        async def free() -> bool:
            return (await stub.GetModel(pose_service_pb2.GetModelRequest())).streams == 0  # noqa: B023

        await eventually(free, what="the trackers free again")
    assert await metric(replica, "komi_pose_waiting_frames") == 0
    assert await metric(replica, 'komi_pose_streams{mode="live"}') == 0


async def test_eight_cameras_share_two_workers_fairly(pose: Replicas, landscape: bytes) -> None:
    replica = await pose(workers=2)
    cameras = [replica.camera() for _ in range(8)]
    for number, camera in enumerate(cameras):
        await camera.open(camera_id=f"camera {number}", return_poses=True)

    async def keep_sending(camera: Camera) -> None:
        for sent in range(30):
            await camera.wait_credit(sent + 1)
            await camera.frame(landscape)

    await asyncio.gather(*(keep_sending(camera) for camera in cameras))
    await asyncio.gather(*(camera.finish() for camera in cameras))
    seen = [len(camera.of("pose")) for camera in cameras]
    assert min(seen) >= 0.6 * max(seen), seen
    assert min(seen) >= 14, "at most every other frame is sent in vain, however busy the workers are"
    for camera in cameras:
        numbers = [answer.id.sequence for answer in camera.of("pose")]
        assert numbers == sorted(numbers)
