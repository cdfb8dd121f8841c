"""What Redis knows of a live camera, and what the camera learns from Redis: name, session, lookers, newest image."""

import asyncio

import structlog

from komi.common.v1 import stream_pb2
from services.mesh.cameras import CameraRegister
from services.mesh.errors import AlreadyExists, Unavailable
from services.mesh.images import CameraImage, Images
from services.mesh.redis import UNREACHABLE, RedisClient, RedisError
from services.mesh.times import from_timestamp
from services.pose import metrics
from services.pose.stream import CameraStream, Clock
from services.pose.translate import StreamRequest

log = structlog.get_logger()

REPORT_EVERY_S = 0.5
PRUNE_EVERY_S = 30.0
FAILURES = (*UNREACHABLE, RedisError, TimeoutError, Unavailable)
"""What calls to Redis raise while it is away, and what the clock raises before it was ever there."""


class Presence:
    """Speaks to Redis for all streams of this replica. While Redis is away streams go on without it."""

    def __init__(self, redis: RedisClient, clock: Clock) -> None:
        self.register = CameraRegister(redis)
        self._images = Images(redis)
        self._clock = clock
        self._away = False

    async def claim(self, request: StreamRequest) -> None:
        """Own the camera's name. Raises AlreadyExists; passes while Redis is away, as `report` claims again."""
        try:
            await self.register.claim(request.camera_id, request.instance_id)
        except FAILURES as error:
            self._failed("claim", error)

    async def report(self, stream: CameraStream) -> None:
        """Say how the camera does, and take over what it learns. Raises AlreadyExists when its name was lost."""
        request = stream.request
        async with stream.reporting:
            if stream.finishing:
                return
            try:
                heartbeat = await self.register.report(
                    stream.camera(), request.instance_id, self._clock.now_us()
                )
            except FAILURES as error:
                self._failed("report", error)
                return
        self._away = False
        if not heartbeat.owned:
            raise AlreadyExists(
                f"camera {request.camera_id!r} is streaming from another place now",
                reason="CAMERA_NAME_TAKEN",
            )
        stream.watched = heartbeat.watched
        stream.show_silhouettes(heartbeat.silhouettes)
        stream.join(heartbeat.session_id or request.session_id)

    async def prune(self) -> None:
        """From time to time, let go of the names of cameras that are long gone."""
        while True:
            await asyncio.sleep(PRUNE_EVERY_S)
            try:
                await self.register.prune(self._clock.now_us())
            except FAILURES as error:
                self._failed("prune", error)

    async def forget(self, stream: CameraStream) -> None:
        """The camera, which takes no more frames, said goodbye: free its name at once."""
        async with stream.reporting:
            try:
                await self.register.forget(stream.request.camera_id, stream.request.instance_id)
            except FAILURES as error:
                self._failed("forget", error)

    async def show(self, stream: CameraStream) -> None:
        """Write the camera's newest image whenever there is one, until its slot closes."""
        while (newest := await stream.images.get()) is not None:
            jpeg, frame = newest
            image = CameraImage(
                jpeg=jpeg,
                sequence=frame.id.sequence,
                server_us=from_timestamp(frame.time.server_time),
                width=frame.image_width,
                height=frame.image_height,
                pose_frame=frame.SerializeToString(),
            )
            try:
                await self._images.put(stream.request.camera_id, image)
                metrics.IMAGES.inc()
            except FAILURES as error:
                metrics.dropped("image", stream_pb2.DROP_REASON_UNREACHABLE)
                self._failed("image", error)

    def _failed(self, what: str, error: BaseException) -> None:
        metrics.REDIS_FAILURES.labels(what).inc()
        if not self._away:
            log.warning("Redis is away; streams go on", what=what, error=f"{type(error).__name__}: {error}")
        self._away = True
