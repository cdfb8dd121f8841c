"""What capture's tests share: made recordings, a scripted pose, and a whole capture service inside the test."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from komi.capture.v1 import capture_service_pb2, capture_service_pb2_grpc
from services.capture.build import build
from services.capture.config import CaptureSettings
from services.mesh.channel import open_channel
from services.mesh.server import Service
from tests.capture.scripted_pose import ScriptedPose, serving

MakeVideo = Callable[..., Path]


def write_video(
    path: Path, frames: int, fps: float, size: tuple[int, int] = (64, 48), detail: bool = False
) -> Path:
    """A video whose frame n is of brightness 20 + 8 n, over and over after 25 (or noise, with `detail`)."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, size)
    assert writer.isOpened()
    rng = np.random.default_rng(7)
    for n in range(frames):
        if detail:
            image = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        else:
            image = np.full((size[1], size[0], 3), 20 + 8 * (n % 25), np.uint8)
        writer.write(image)
    writer.release()
    return path


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """`make_video("a", frames=30, fps=30)` writes a video and gives its path."""

    def make(name: str = "video", frames: int = 30, fps: float = 30.0, **how: object) -> Path:
        return write_video(tmp_path / f"{name}.mp4", frames, fps, **how)  # type: ignore[arg-type]

    return make


class RunningCapture:
    """A capture service of this process, with a client for it."""

    def __init__(self, service: Service, client: "capture_service_pb2_grpc.CaptureServiceAsyncStub") -> None:
        self.service = service
        self.client = client

    async def cameras(self) -> dict[str, capture_service_pb2.Camera]:
        answer = await self.client.ListCameras(capture_service_pb2.ListCamerasRequest())
        return {camera.camera_id: camera for camera in answer.cameras}

    async def camera(self, camera_id: str) -> capture_service_pb2.Camera:
        return (await self.cameras())[camera_id]

    @property
    def finished(self) -> bool:
        """Whether it wants to leave by itself with status 0."""
        assert self.service.context is not None
        done = self.service.context.finished
        return done.done() and done.exception() is None

    @property
    def failure(self) -> BaseException | None:
        """What it wants to leave with by itself."""
        assert self.service.context is not None
        done = self.service.context.finished
        return done.exception() if done.done() else None


StartCapture = Callable[..., AbstractAsyncContextManager[RunningCapture]]


@pytest.fixture
async def pose() -> AsyncIterator[ScriptedPose]:
    """A scripted pose service; `pose.address` says where."""
    scripted = ScriptedPose()
    async with serving(scripted) as port:
        scripted.address = f"grpc://127.0.0.1:{port}"
        yield scripted


@pytest.fixture
def start_capture() -> StartCapture:
    """Start a capture service with the given settings, for the length of an `async with`."""

    @contextlib.asynccontextmanager
    async def start(**settings: object) -> AsyncIterator[RunningCapture]:
        chosen = CaptureSettings(port=0, metrics_port=0, **settings)  # type: ignore[arg-type]
        service = Service(chosen, partial(build, chosen))
        await service.start()
        channel = open_channel(service.address)
        try:
            yield RunningCapture(service, capture_service_pb2_grpc.CaptureServiceStub(channel))
        finally:
            await channel.close()
            await service.stop()

    return start
