"""The model, frames of real video, and a pose service on free ports."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray

from services.mesh.channel import open_channel
from services.mesh.server import Service
from services.pose.build import build
from services.pose.config import PoseSettings
from services.pose.models import ModelError, task_path
from tests.pose.camera import Camera
from tests.pose.ingest import IngestServer
from tests.support.capabilities import require
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Video:
    """The first frames of a recording as JPEG, and its pace."""

    jpegs: tuple[bytes, ...]
    fps: float
    width: int
    height: int


@cache
def read_video(path: Path, frames: int) -> Video:
    """Compress the first `frames` frames at high quality."""
    capture = cv2.VideoCapture(str(path))
    jpegs: list[bytes] = []
    height = width = 0
    while len(jpegs) < frames:
        there, image = capture.read()
        if not there:
            break
        height, width = image.shape[:2]
        jpegs.append(simplejpeg.encode_jpeg(np.ascontiguousarray(image), quality=95, colorspace="BGR"))
    fps = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    return Video(tuple(jpegs), fps, width, height)


@pytest.fixture(scope="session")
def full_model() -> Path:
    """The full model's bundle."""
    try:
        return task_path("full")
    except ModelError as error:
        require(False, str(error))
        raise


@pytest.fixture(scope="session")
def squats(shared_data: Path) -> Video:
    """A woman who squats, 720×1280, 5 frames a second."""
    return read_video(shared_data / "tfjs-pose-squats" / "pose_squats.mp4", 65)


@pytest.fixture(scope="session")
def landscape() -> bytes:
    """A JPEG of 320×240 pixels with nobody in it."""
    rows, columns = np.mgrid[0:240, 0:320]
    image: NDArray[np.uint8] = np.stack([rows % 256, columns % 256, (rows + columns) % 256], axis=2).astype(
        np.uint8
    )
    jpeg: bytes = simplejpeg.encode_jpeg(image, quality=90, colorspace="RGB")
    return jpeg


class Replica:
    """A running pose service, with cameras that are broken off when the test ends."""

    def __init__(self, settings: PoseSettings) -> None:
        self.service = Service(settings, partial(build, settings))
        self._cameras: list[Camera] = []
        self._stopped = False

    async def start(self) -> None:
        await self.service.start()
        self.channel = open_channel(self.service.address)

    async def ready(self) -> None:
        """Wait until it says that it is."""
        context = self.service.context
        assert context is not None
        await eventually(lambda: context.readiness.ready, within=30, what="the pose service")

    def camera(self) -> Camera:
        """A camera that has not said anything yet."""
        self._cameras.append(Camera(self.channel))
        return self._cameras[-1]

    async def stop(self) -> None:
        """Shut down gracefully, cameras still connected."""
        if not self._stopped:
            self._stopped = True
            await self.service.stop()

    async def close(self) -> None:
        for camera in self._cameras:
            await camera.close()
        await self.channel.close(None)
        await self.stop()


class Replicas:
    """Starts pose services on free ports."""

    def __init__(self, stack: AsyncExitStack, defaults: dict[str, Any]) -> None:
        self._stack = stack
        self._defaults = defaults

    async def __call__(self, *, wait: bool = True, **settings: Any) -> Replica:
        """Start one; `wait` until it is ready."""
        replica = Replica(PoseSettings(**{**self._defaults, **settings}))
        await replica.start()
        self._stack.push_async_callback(replica.close)
        if wait:
            await replica.ready()
        return replica


@pytest.fixture
async def sync_server() -> AsyncIterator[IngestServer]:
    """What stands in for sync."""
    server = IngestServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def pose(full_model: Path, redis_url: str, sync_server: IngestServer) -> AsyncIterator[Replicas]:
    """Starts replicas of the pose service on the test's Redis and sync."""
    defaults = {
        "redis_url": redis_url,
        "sync": sync_server.address,
        "port": 0,
        "metrics_port": 0,
        # Longer than any pause of a busy machine: who stops in good order does not use it up.
        "drain_s": 30.0,
    }
    async with AsyncExitStack() as stack:
        yield Replicas(stack, defaults)
