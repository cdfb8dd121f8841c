"""Uploads that break off never become references."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import grpc
import numpy as np
import pytest

from komi.common.v1 import stream_pb2
from komi.pose.v1 import pose_service_pb2, pose_service_pb2_grpc
from komi.scoring.v1 import scoring_service_pb2 as pb
from services.mesh.errors import Unavailable
from services.scoring.errors import CutOff
from services.scoring.library.detection import detect
from services.scoring.library.video import SampleVideo, ends_early
from services.scoring.movement.landmarks import Landmark
from services.scoring.reference.building import build_template
from tests.scoring.mesh import Running
from tests.scoring.puppet import squats
from tests.scoring.test_service import requests, with_pose


def moov_first(data: bytes) -> bytes:
    """The MP4 with its index at the front, as the web likes it, its offsets put right: half of it can be played."""
    boxes: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big") or len(data) - at
        boxes[data[at + 4 : at + 8]] = data[at : at + length]
        at += length
    moov = bytearray(boxes[b"moov"])
    order = list(boxes)
    if order.index(b"moov") > order.index(b"mdat"):
        table = moov.index(b"stco")
        for entry in range(int.from_bytes(moov[table + 8 : table + 12], "big")):
            place = slice(table + 12 + 4 * entry, table + 16 + 4 * entry)
            moov[place] = (int.from_bytes(moov[place], "big") + len(moov)).to_bytes(4, "big")
    rest = b"".join(box for name, box in boxes.items() if name not in (b"ftyp", b"moov"))
    return boxes[b"ftyp"] + bytes(moov) + rest


def frames_of(path: Path) -> int:
    video = SampleVideo(path, label="clip", longest_s=60, most_fps=60)
    try:
        return len(list(video.read()))
    finally:
        video.close()


def test_an_mp4_that_ends_in_the_middle_is_told_from_a_whole_one(shared_data: Path, tmp_path: Path) -> None:
    data = (shared_data / "tfjs-pose-squats" / "pose_squats.mp4").read_bytes()
    clip = tmp_path / "clip.mp4"
    for whole in (data, moov_first(data)):
        clip.write_bytes(whole)
        assert not ends_early(clip)
        assert frames_of(clip) == 65
        for share in (0.3, 0.5, 0.97):
            clip.write_bytes(whole[: round(len(whole) * share)])
            with pytest.raises(CutOff, match="clip ends in the middle"):
                frames_of(clip)


def test_a_video_with_fewer_frames_than_it_says_is_refused_whatever_its_container(tmp_path: Path) -> None:
    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, (160, 120))
    noise = np.random.default_rng(1)
    for _ in range(60):
        writer.write(noise.integers(0, 255, (120, 160, 3), dtype=np.uint8))
    writer.release()
    assert frames_of(clip) == 60
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) // 2])
    with pytest.raises(CutOff, match="where it says 60"):
        frames_of(clip)


async def refused(scoring: Running, upload: AsyncIterator[pb.BuildReferenceRequest]) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        async for _ in scoring.stub.BuildReference(upload):
            pass
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    return error.value.details() or ""


async def test_half_an_upload_becomes_no_reference(redis_url: str, shared_data: Path, tmp_path: Path) -> None:
    whole = moov_first((shared_data / "tfjs-pose-squats" / "pose_squats.mp4").read_bytes())
    half = whole[: len(whole) // 2]

    async def vanishing() -> AsyncIterator[pb.BuildReferenceRequest]:
        async for one in requests(half):
            yield one
        call.cancel()

    async def too_small() -> AsyncIterator[pb.BuildReferenceRequest]:
        yield pb.BuildReferenceRequest(
            config=pb.ReferenceConfig(name="Squat", file_name="squat.mp4", size_bytes=len(whole) + (1 << 20))
        )
        yield pb.BuildReferenceRequest(chunk=whole)

    async def missing_frames() -> AsyncIterator[pb.BuildReferenceRequest]:
        """Its boxes are whole, its frames are not: the second half is nothing."""
        blank = half + bytes(len(whole) - len(half))
        async for one in requests(blank):
            yield one

    async with with_pose(redis_url) as scoring:
        call = scoring.stub.BuildReference(vanishing())
        with pytest.raises((grpc.aio.AioRpcError, asyncio.CancelledError)):
            async for _ in call:
                pass
        assert "ends in the middle" in await refused(scoring, requests(half))
        assert f"ended after {len(whole)} of" in await refused(scoring, too_small())
        assert "where it says 65" in await refused(scoring, missing_frames())
        assert not (await scoring.stub.ListReferences(pb.ListReferencesRequest())).references


class Leaving(pose_service_pb2_grpc.PoseServiceServicer):
    """A pose service that stops before it has looked at anything."""

    async def StreamPoses(
        self, request_iterator: AsyncIterator[pose_service_pb2.StreamPosesRequest], context: object
    ) -> AsyncIterator[pose_service_pb2.StreamPosesResponse]:
        await anext(request_iterator)
        yield pose_service_pb2.StreamPosesResponse(ready=pose_service_pb2.StreamReady(credit=1))
        end = stream_pb2.StreamEnd(
            reason=stream_pb2.STREAM_END_REASON_DRAINING, message="it is shutting down"
        )
        yield pose_service_pb2.StreamPosesResponse(end=end)

    GetModel = pose_service_pb2_grpc.PoseServiceServicer.GetModel
    ListCameras = pose_service_pb2_grpc.PoseServiceServicer.ListCameras


async def test_a_pose_service_that_stops_meanwhile_is_no_end_of_the_video(tmp_path: Path) -> None:
    """What had been found until then became the reference."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, (160, 120))
    for _ in range(10):
        writer.write(np.zeros((120, 160, 3), dtype=np.uint8))
    writer.release()
    server = grpc.aio.server()
    pose_service_pb2_grpc.add_PoseServiceServicer_to_server(Leaving(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    video = SampleVideo(path, label="clip", longest_s=60, most_fps=60)
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = pose_service_pb2_grpc.PoseServiceStub(channel)
            with pytest.raises(Unavailable, match="could not look at the whole video"):
                await detect(stub, video, lambda done, total: None)
    finally:
        video.close()
        await server.stop(None)


def test_a_landmark_missing_here_and_there_is_no_missing_person() -> None:
    """One NaN among 33 landmarks made the whole frame count as showing nobody."""
    seen = squats(3)
    seen.world_m[:, Landmark.LEFT_WRIST] = np.nan
    seen.image_px[::2, Landmark.RIGHT_EAR] = np.nan
    seen.world_m[::3, Landmark.NOSE, 2] = np.inf
    assert seen.found.all()
    template = build_template(seen)
    assert len(template.repetitions) == 3
    assert np.isfinite(template.features).all()
    assert np.isfinite(template.ghost).all()
    assert template.known.sum() < build_template(squats(3)).known.sum(), "what is never seen is unknown"
