"""PoseService over real gRPC, with the real model, a real Redis and real video."""

import asyncio
import contextlib
import time
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from komi.common.v1 import frame_pb2, stream_pb2
from komi.pose.v1 import pose_service_pb2, pose_service_pb2_grpc
from services.mesh.stages import HOST_ID
from services.mesh.times import from_timestamp
from tests.pose.camera import MET_A_WRITE, Request
from tests.pose.conftest import Replicas, Video
from tests.pose.ingest import IngestServer


def refused(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str]:
    """Status and reason of a refused call."""
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(error)
    assert status is not None
    assert status.details[0].Unpack(info)
    return error.code(), info.reason


def now_us() -> int:
    return time.time_ns() // 1000


async def test_live_frames_come_back_as_poses_and_go_on_to_sync(
    pose: Replicas, squats: Video, sync_server: IngestServer
) -> None:
    camera = (await pose()).camera()
    ready = await camera.open(camera_id="front", return_poses=True)
    assert (ready.credit, ready.model, ready.session_id) == (2, "full", "live")
    server_us = 0
    for number in range(3):
        server_us = now_us()
        await camera.frame(squats.jpegs[number], server_us=server_us, epoch=4, traceparent="00-ab-cd-01")
        await camera.count("pose", number + 1)
    answer = camera.of("pose")[-1]
    assert (answer.id.camera_id, answer.id.session_id, answer.id.epoch, answer.id.sequence) == (
        "front",
        "live",
        4,
        2,
    )
    assert from_timestamp(answer.time.server_time) == server_us
    assert answer.time.source == frame_pb2.TIME_SOURCE_CLOCK_PROBES
    assert (answer.image_width, answer.image_height, answer.persons) == (720, 1280, 1)
    assert answer.traceparent == "00-ab-cd-01"
    landmarks = answer.pose
    assert [
        len(values) for values in (landmarks.image_px, landmarks.image_normalised, landmarks.world_m)
    ] == [66, 99, 99]
    assert [len(landmarks.visibility), len(landmarks.presence)] == [33, 33]
    nose_px = np.array(landmarks.image_px[:2])
    assert np.abs(nose_px - [360, 238]).max() < 40
    stamps = answer.stamps
    order = [
        stamps.captured_monotonic_ns,
        stamps.received_monotonic_ns,
        stamps.dequeued_monotonic_ns,
        stamps.decoded_monotonic_ns,
        stamps.inferred_monotonic_ns,
    ]
    assert order == sorted(order)
    assert stamps.pose_host_id == HOST_ID

    forwarded = await sync_server.until("live", 3)
    assert sync_server.sequences() == [0, 1, 2]
    assert forwarded[-1].pose == landmarks
    assert forwarded[-1].stamps.published_monotonic_ns >= stamps.inferred_monotonic_ns


async def test_a_frame_without_a_person_goes_to_sync_too(
    pose: Replicas, landscape: bytes, sync_server: IngestServer
) -> None:
    camera = (await pose()).camera()
    await camera.open(camera_id="empty room")
    await camera.frame(landscape)
    (frame,) = await sync_server.until("live", 1)
    assert not frame.HasField("pose")
    assert frame.persons == 0
    assert len(frame.traceparent) == 55
    assert camera.of("pose") == []


async def test_poses_of_cameras_in_step_go_to_sync_together(
    pose: Replicas, landscape: bytes, sync_server: IngestServer
) -> None:
    sync_server.ingest.most_batched = 8
    replica = await pose()
    cameras = [replica.camera(), replica.camera()]
    for camera, name in zip(cameras, ("front", "side"), strict=True):
        await camera.open(camera_id=name)
    for instants in range(1, 101):
        at_us = now_us()
        await asyncio.gather(*(camera.frame(landscape, server_us=at_us) for camera in cameras))
        await sync_server.until("live", 2 * instants)
        if sync_server.ingest.messages < 2 * instants:
            return
    raise AssertionError("no two poses of a hundred instants came in one message")


async def test_a_frame_without_capture_time_is_timed_by_its_arrival(
    pose: Replicas, landscape: bytes, sync_server: IngestServer
) -> None:
    replica = await pose()
    camera = replica.camera()
    await camera.open(camera_id="old client")
    context = replica.service.context
    assert context is not None
    before_us = now_us() - context.clock.uncertainty_us
    await camera.frame(landscape)
    (frame,) = await sync_server.until("live", 1)
    assert frame.time.source == frame_pb2.TIME_SOURCE_ARRIVAL
    after_us = now_us() + context.clock.uncertainty_us
    assert before_us - 20_000 < from_timestamp(frame.time.server_time) < after_us + 20_000


async def test_lossless_answers_every_frame_in_order_and_tells_sync_nothing(
    pose: Replicas, squats: Video, sync_server: IngestServer
) -> None:
    camera = (await pose()).camera()
    ready = await camera.open(camera_id="reference", mode=pose_service_pb2.STREAM_MODE_LOSSLESS)
    for number, jpeg in enumerate(squats.jpegs):
        await camera.wait_credit(number + 1)
        await camera.media_frame(jpeg, round(number * 1e6 / squats.fps))
    end = await camera.finish()
    assert end.reason == stream_pb2.STREAM_END_REASON_COMPLETE
    answers = camera.of("pose")
    assert [answer.id.sequence for answer in answers] == list(range(65))
    assert all(
        answer.persons == 1 and answer.time.source == frame_pb2.TIME_SOURCE_MEDIA for answer in answers
    )
    assert answers[-1].media_time.ToMicroseconds() == round(64e6 / squats.fps)
    assert ready.credit == 8
    assert sync_server.ingest.poses == {}


async def test_a_live_camera_faster_than_the_model_loses_the_oldest_frames_and_is_told(
    pose: Replicas, squats: Video
) -> None:
    camera = (await pose(workers=1)).camera()
    await camera.open(camera_id="fast", return_poses=True)
    for jpeg in squats.jpegs:  # all at once, past any credit
        await camera.frame(jpeg)
    await camera.finish()
    seen = [answer.id.sequence for answer in camera.of("pose")]
    lost = camera.dropped(stream_pb2.DROP_REASON_SUPERSEDED)
    assert len(seen) + lost == 65
    assert lost > 0
    assert seen == sorted(seen)
    assert seen[-1] == 64, "the newest frame is never the one that is dropped"


async def test_a_camera_that_heeds_its_credit_is_never_left_without(pose: Replicas, squats: Video) -> None:
    camera = (await pose()).camera()
    await camera.open(camera_id="heedful", return_poses=True)
    for number, jpeg in enumerate(squats.jpegs[:21], 1):
        await camera.wait_credit(number)
        await camera.frame(jpeg)
        await camera.count("pose", number)
    await camera.wait_credit(22)
    assert camera.credit <= 23, "never more than two frames' credit is there"


async def test_clock_probes_are_answered_with_the_server_clock(pose: Replicas) -> None:
    camera = (await pose()).camera()
    await camera.open(camera_id="probing")
    before_ns = time.time_ns()
    sent_ns, reply, back_ns = await camera.probe(7)
    after_ns = time.time_ns()
    assert (reply.id, reply.client_send_monotonic_ns) == (7, sent_ns)
    # The server's own clock may be measured better between the two.
    slack_ns = 1000 * reply.server_uncertainty_us
    held_ns = reply.server_send_unix_ns - reply.server_receive_unix_ns
    assert -slack_ns <= held_ns <= back_ns - sent_ns + slack_ns
    assert before_ns - slack_ns - 1e9 < reply.server_receive_unix_ns < after_ns + slack_ns + 1e9
    assert 0 < reply.server_uncertainty_us < 1_000_000


async def test_a_broken_frame_is_answered_and_neither_its_stream_nor_its_neighbour_minds(
    pose: Replicas, squats: Video, sync_server: IngestServer
) -> None:
    replica = await pose(max_frame_bytes=400_000, max_frame_pixels=720 * 1280)
    camera, neighbour = replica.camera(), replica.camera()
    await camera.open(camera_id="broken", return_poses=True)
    await neighbour.open(camera_id="whole", return_poses=True)
    bad = [squats.jpegs[0][:5000], b"no image", b"", bytes(400_001)]
    for number, jpeg in enumerate(bad):
        await camera.frame(jpeg)
        await neighbour.frame(squats.jpegs[0])
        await camera.count("failed", number + 1)
        await neighbour.count("pose", number + 1)
    await camera.frame(squats.jpegs[0])
    await camera.count("pose", 1)
    assert [failure.error for failure in camera.of("failed")] == ["IMAGE_BROKEN"] * 3 + ["IMAGE_OVERSIZED"]
    assert [failure.sequence for failure in camera.of("failed")] == [0, 1, 2, 3]
    assert "400001 bytes" in camera.of("failed")[3].message
    await camera.wait_credit(6)  # a broken frame gives its credit back
    broken = [frame for frame in await sync_server.until("live", 5) if frame.id.camera_id == "broken"]
    assert [frame.id.sequence for frame in broken] == [4]


async def test_a_capture_time_far_from_now_fails_that_frame_only(pose: Replicas, landscape: bytes) -> None:
    camera = (await pose()).camera()
    await camera.open(camera_id="odd clock", return_poses=True)
    await camera.frame(landscape, server_us=now_us() + 3_600_000_000)
    await camera.frame(landscape, server_us=1)
    await camera.frame(landscape, server_us=now_us())
    await camera.count("pose", 1)
    assert [failure.error for failure in camera.of("failed")] == ["BAD_TIME", "BAD_TIME"]
    assert camera.of("pose")[0].id.sequence == 2


async def test_a_frame_sent_twice_is_looked_at_once(pose: Replicas, landscape: bytes) -> None:
    camera = (await pose()).camera()
    await camera.open(camera_id="twice", return_poses=True)
    for number, sequence in enumerate((3, 3, 2, 4), 1):
        await camera.wait_credit(number)
        await camera.frame(landscape, sequence=sequence)
    await camera.finish()
    assert camera.dropped(stream_pb2.DROP_REASON_DUPLICATE) == 2
    assert camera.of("pose")[-1].id.sequence == 4


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (Request(frame=pose_service_pb2.Frame(jpeg=b"x")), "NO_CONFIG"),
        (Request(probe=stream_pb2.ClockProbe(id=1)), "NO_CONFIG"),
        (Request(), "NO_CONFIG"),
        (Request(config=pose_service_pb2.StreamConfig()), "BAD_NAME"),
        (Request(config=pose_service_pb2.StreamConfig(camera_id="a\nb")), "BAD_NAME"),
        (Request(config=pose_service_pb2.StreamConfig(camera_id="x" * 65)), "BAD_NAME"),
        (Request(config=pose_service_pb2.StreamConfig(camera_id="a", max_persons=9)), "BAD_MAX_PERSONS"),
        (Request(config=pose_service_pb2.StreamConfig(camera_id="a", mode=77)), "BAD_MODE"),  # type: ignore[arg-type]
    ],
)
async def test_a_stream_that_does_not_begin_with_a_good_config_is_an_invalid_argument(
    pose: Replicas, first: Request, reason: str
) -> None:
    camera = (await pose()).camera()
    await camera.begin(first)
    assert camera.error is not None
    assert refused(camera.error) == (grpc.StatusCode.INVALID_ARGUMENT, reason)


async def test_a_second_config_is_an_invalid_argument(pose: Replicas) -> None:
    replica, error = await pose(), None
    while error is None or error.details() == MET_A_WRITE:
        camera = replica.camera()
        await camera.open(camera_id="twice configured", instance_id="same")
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await camera.send(Request(config=pose_service_pb2.StreamConfig(camera_id="other")))
        await camera.until(lambda camera=camera: camera.done)  # type: ignore[misc]
        error = camera.error
        assert error is not None
    assert refused(error) == (grpc.StatusCode.INVALID_ARGUMENT, "BAD_STREAM")


async def test_a_lossless_client_that_ignores_its_credit_is_stopped(pose: Replicas, squats: Video) -> None:
    replica = await pose(workers=1, lossless_credit=1)

    async def flood(camera_id: str) -> grpc.aio.AioRpcError:
        camera = replica.camera()
        await camera.open(camera_id=camera_id, mode=pose_service_pb2.STREAM_MODE_LOSSLESS)
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # it ends while we write
            for number in range(20):
                await camera.media_frame(squats.jpegs[number], number * 200_000)
        await camera.until(lambda: camera.done)
        assert camera.error is not None
        return camera.error

    error = await flood("greedy")
    for attempt in range(4):
        # INTERNAL: gRPC tells of our own last write, which met the stream's end, in place of that end.
        if error.code() is grpc.StatusCode.INTERNAL:
            error = await flood(f"greedy {attempt}")
    assert refused(error) == (grpc.StatusCode.INVALID_ARGUMENT, "NO_CREDIT")


async def test_a_lossless_frame_without_its_position_fails_alone(pose: Replicas, landscape: bytes) -> None:
    camera = (await pose()).camera()
    await camera.open(camera_id="no position", mode=pose_service_pb2.STREAM_MODE_LOSSLESS)
    await camera.frame(landscape)
    await camera.media_frame(landscape, 40_000)
    await camera.finish()
    assert [failure.error for failure in camera.of("failed")] == ["BAD_TIME"]
    assert [answer.id.sequence for answer in camera.of("pose")] == [1]


async def test_more_streams_than_trackers_are_refused_and_one_that_ends_makes_room(
    pose: Replicas, landscape: bytes
) -> None:
    replica = await pose(max_trackers=1)
    first, second, third = replica.camera(), replica.camera(), replica.camera()
    await first.open(camera_id="first")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await second.open(camera_id="second")
    assert refused(caught.value) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "NO_TRACKER")
    await first.finish()
    await third.open(camera_id="third", return_poses=True)
    await third.frame(landscape)
    await third.count("pose", 1)


async def test_silhouette_and_more_persons_come_when_asked_for(pose: Replicas, squats: Video) -> None:
    camera = (await pose()).camera()
    await camera.open(camera_id="mask", return_poses=True, segmentation=True, max_persons=2)
    await camera.frame(squats.jpegs[0])
    await camera.count("pose", 1)
    mask = camera.of("pose")[0].mask
    assert (mask.width, mask.height) == (240, 427)
    assert mask.bits_zlib


async def test_the_model_in_use_is_told(pose: Replicas, full_model: Path, squats: Video) -> None:
    replica = await pose(workers=3)
    stub = pose_service_pb2_grpc.PoseServiceStub(replica.channel)
    model = await stub.GetModel(pose_service_pb2.GetModelRequest())
    assert (model.model, model.workers, model.streams, model.inference_ms) == ("full", 3, 0, 0.0)
    assert model.sha256[:12] in full_model.name
    camera = replica.camera()
    await camera.open(camera_id="busy", return_poses=True)
    await camera.frame(squats.jpegs[0])
    await camera.count("pose", 1)
    model = await stub.GetModel(pose_service_pb2.GetModelRequest())
    assert model.streams == 1
    assert 1 < model.inference_ms < 30_000


async def test_inference_none_finds_the_same_person_in_every_frame(pose: Replicas, landscape: bytes) -> None:
    camera = (await pose(inference="none")).camera()
    ready = await camera.open(camera_id="bench", return_poses=True)
    assert ready.model == "none"
    await camera.frame(landscape)
    await camera.count("pose", 1)
    assert camera.of("pose")[0].persons == 1


async def test_an_own_task_file_serves_as_model(
    pose: Replicas, full_model: Path, tmp_path: Path, squats: Video
) -> None:
    own = tmp_path / "mine.task"
    own.write_bytes(full_model.read_bytes())
    camera = (await pose(model=str(own))).camera()
    assert (await camera.open(camera_id="own model", return_poses=True)).model == "mine.task"
    await camera.frame(squats.jpegs[0])
    await camera.count("pose", 1)
    assert camera.of("pose")[0].persons == 1
