"""CaptureService shows and steers the cameras, with clear errors."""

import contextlib
import itertools
import statistics
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import httpx
import pytest
import simplejpeg
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from komi.capture.v1 import capture_service_pb2
from services.capture.service import CaptureServicer
from services.mesh.channel import open_channel
from tests.capture.conftest import MakeVideo, RunningCapture, StartCapture
from tests.capture.scripted_pose import ScriptedPose
from tests.support.waiting import Eventually


@pytest.fixture
async def capture(
    pose: ScriptedPose, start_capture: StartCapture, make_video: MakeVideo, eventually: Eventually
) -> AsyncIterator[RunningCapture]:
    """A capture of two cameras that streams."""
    cameras = f"front:{make_video('a', frames=900, size=(320, 240))},side:{make_video('b', frames=900)}"
    async with start_capture(server=pose.address, cameras=cameras) as running:
        await eventually(lambda: len(pose.frames_of("front")) > 2 and len(pose.frames_of("side")) > 2)
        yield running


def reason_of(error: grpc.aio.AioRpcError) -> str:
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return str(info.reason)


async def test_cameras_are_listed_in_the_order_they_were_named(
    capture: RunningCapture, eventually: Eventually
) -> None:
    async def rates_known() -> bool:
        cameras = await capture.cameras()
        reads = cameras["front"].read_fps == pytest.approx(30, rel=0.3)
        sends = all(camera.sent_fps > 5 for camera in cameras.values())
        return reads and sends and cameras["front"].clock.uncertainty_us > 0

    await eventually(rates_known, what="rates and clock")
    cameras = await capture.cameras()
    assert list(cameras) == ["front", "side"]
    front = cameras["front"]
    assert front.state == capture_service_pb2.CAMERA_STATE_READING
    assert front.link == capture_service_pb2.LINK_STATE_STREAMING
    assert (front.width, front.height) == (320, 240)
    assert front.source.endswith("a.mp4")
    assert front.target_fps == 15
    assert 50 <= front.jpeg_quality <= 90
    assert front.problem == ""


async def test_the_newest_frame_is_shown_with_its_time(
    capture: RunningCapture, eventually: Eventually
) -> None:
    async def clock_known() -> bool:
        return (await capture.camera("front")).clock.uncertainty_us > 0

    await eventually(clock_known, what="the clock")
    answer = await capture.client.GetLatestFrame(capture_service_pb2.GetLatestFrameRequest(camera_id="front"))
    height, width, *_ = simplejpeg.decode_jpeg_header(answer.jpeg)
    assert (width, height) == (320, 240)
    assert answer.time.HasField("server_time")
    later = await capture.client.GetLatestFrame(capture_service_pb2.GetLatestFrameRequest(camera_id="front"))
    assert later.sequence >= answer.sequence


async def test_the_newest_frame_is_shown_without_any_pose_service(
    start_capture: StartCapture, make_video: MakeVideo, eventually: Eventually
) -> None:
    async with start_capture(
        server="grpc://127.0.0.1:1", cameras=f"front:{make_video(frames=900)}"
    ) as capture:

        async def shown() -> bytes:
            request = capture_service_pb2.GetLatestFrameRequest(camera_id="front")
            with contextlib.suppress(grpc.aio.AioRpcError):
                return (await capture.client.GetLatestFrame(request)).jpeg
            return b""

        assert (await eventually(shown, what="a frame"))[:2] == b"\xff\xd8"


async def test_rate_and_size_change_while_it_runs(
    capture: RunningCapture, pose: ScriptedPose, eventually: Eventually
) -> None:
    answer = await capture.client.UpdateCamera(
        capture_service_pb2.UpdateCameraRequest(camera_id="front", target_fps=5, width=160)
    )
    assert answer.camera.target_fps == 5

    def smaller() -> bool:
        height, width, *_ = simplejpeg.decode_jpeg_header(pose.frames_of("front")[-1].jpeg)
        return (width, height) == (160, 120)

    await eventually(smaller, what="smaller frames")
    known = len(pose.frames_of("front")) + 2  # those under way were taken before
    await eventually(lambda: len(pose.frames_of("front")) >= known + 7, what="frames")
    stamps = [frame.stamps.captured_monotonic_ns / 1e9 for frame in pose.frames_of("front")[known:]]
    gaps = [b - a for a, b in itertools.pairwise(stamps)]
    assert min(gaps) > 0.16
    assert statistics.median(gaps) == pytest.approx(0.2, abs=0.04)
    assert (await capture.camera("side")).target_fps == 15


@pytest.mark.parametrize(
    "change", [{"target_fps": 0.0}, {"target_fps": 241.0}, {"width": 15}, {"height": 5000}], ids=str
)
async def test_a_change_out_of_range_is_refused_and_changes_nothing(
    capture: RunningCapture, change: dict[str, float]
) -> None:
    request = capture_service_pb2.UpdateCameraRequest(camera_id="front", **change)  # type: ignore[arg-type]
    with pytest.raises(grpc.aio.AioRpcError, match="out of range") as refused:
        await capture.client.UpdateCamera(request)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(refused.value) == "BAD_CHANGE"
    assert (await capture.camera("front")).target_fps == 15


async def test_an_unknown_camera_is_named_with_those_that_are_known(capture: RunningCapture) -> None:
    for call in (
        capture.client.GetLatestFrame(capture_service_pb2.GetLatestFrameRequest(camera_id="back")),
        capture.client.UpdateCamera(capture_service_pb2.UpdateCameraRequest(camera_id="back")),
    ):
        with pytest.raises(
            grpc.aio.AioRpcError, match="no camera 'back' here: this process reads front, side"
        ) as no:
            await call
        assert no.value.code() == grpc.StatusCode.NOT_FOUND
        assert reason_of(no.value) == "CAMERA_NOT_FOUND"


async def test_a_camera_without_a_frame_says_why(start_capture: StartCapture, tmp_path: Path) -> None:
    async with start_capture(server="grpc://127.0.0.1:1", cameras=f"front:{tmp_path}/none.mp4") as capture:
        with pytest.raises(grpc.aio.AioRpcError, match="has given no frame yet") as none:
            await capture.client.GetLatestFrame(
                capture_service_pb2.GetLatestFrameRequest(camera_id="front"), timeout=30
            )
        assert none.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_it_is_ready_while_a_camera_reads_and_streams(
    capture: RunningCapture, eventually: Eventually
) -> None:
    async with open_channel(capture.service.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)

        async def serving_status() -> bool:
            answer = await health.Check(
                health_pb2.HealthCheckRequest(service="komi.capture.v1.CaptureService")
            )
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

        await eventually(serving_status, what="health")


async def test_rates_drops_and_qualities_are_measured(
    capture: RunningCapture, eventually: Eventually
) -> None:
    async with httpx.AsyncClient(timeout=30) as client:
        url = f"http://127.0.0.1:{capture.service.metrics_port}/metrics"

        async def measured() -> str:
            text = (await client.get(url)).text
            return text if 'komi_capture_link_streaming{camera="front"} 1.0' in text else ""

        text = await eventually(measured, what="metrics")
    for name in (
        'komi_capture_frames_sent_total{camera="side"}',
        'komi_capture_frames_read_total{camera="front"}',
        'komi_capture_jpeg_quality{camera="front"}',
        "komi_capture_encode_seconds_bucket",
        "komi_capture_sent_age_seconds_bucket",
        "komi_capture_clock_uncertainty_seconds",
    ):
        assert name in text, name


def test_every_rpc_that_is_declared_is_there() -> None:
    service = capture_service_pb2.DESCRIPTOR.services_by_name["CaptureService"]
    assert all(method.name in vars(CaptureServicer) for method in service.methods)
