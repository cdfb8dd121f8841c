"""The open streams of this replica: who is who, who replaces whom, and how all of them end."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol

import structlog

from komi.common.v1 import pose_pb2, stream_pb2
from services.mesh.errors import AlreadyExists, Draining
from services.pose import metrics
from services.pose.config import PoseSettings
from services.pose.errors import ModelNotLoaded
from services.pose.lane import Lane
from services.pose.outbox import Outbox
from services.pose.pool import InferencePool
from services.pose.presence import REPORT_EVERY_S, Presence
from services.pose.stream import CameraStream, Clock
from services.pose.translate import Arrived, StreamRequest

log = structlog.get_logger()


SAME_INSTANT_US = 5_000
"""Frames this close together are of one instant: cameras in step, as those of a rig or of recordings."""


class Publish(Protocol):
    """Where the poses of live streams go."""

    def __call__(self, frame: pose_pb2.PoseFrame, /, *, company: bool) -> None:
        """`company`: another pose of its set is on its way."""


class Streams:
    """Opens and ends streams; `publish`, if there is a sync, takes the poses of live ones."""

    def __init__(
        self,
        settings: PoseSettings,
        pool: InferencePool,
        presence: Presence,
        clock: Clock,
        *,
        replica_id: str,
        publish: Publish | None,
        now_ns: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._presence = presence
        self._clock = clock
        self._replica_id = replica_id
        self._publish = publish
        self._now_ns = now_ns
        self._open: set[CameraStream] = set()
        self._draining = False

    @asynccontextmanager
    async def open(self, request: StreamRequest) -> AsyncIterator[CameraStream]:
        """A stream from its config to its end.

        Raises Draining, AlreadyExists, NoTracker or ModelNotLoaded.
        """
        self._refuse_if_draining()
        if not request.lossless:
            await self._take_over(request)
            await self._presence.claim(request)
        stream = CameraStream(
            request,
            Outbox(self._server_now_ns, newest_wins=not request.lossless),
            clock=self._clock,
            now_ns=self._now_ns,
            replica_id=self._replica_id,
            publish=self._hand_on,
            max_fps=self._pool.max_fps,
            credit=self._settings.lossless_credit if request.lossless else self._settings.credit,
        )
        lane = await self._pool.open(
            request.options,
            newest_wins=not request.lossless,
            capacity=self._settings.lossless_credit if request.lossless else 1,
            on_done=stream.on_done,
        )
        stream.run_on(lane)
        self._open.add(stream)
        streams_gauge = metrics.STREAMS.labels("lossless" if request.lossless else "live")
        streams_gauge.inc()
        try:
            # Whoever came meanwhile for all that are open has missed this one.
            self._refuse_if_draining()
            works = (self._keep(stream), self._presence.show(stream), self._refit(stream, lane))
            async with _ended_together(stream, *works):
                yield stream
        finally:
            self._open.discard(stream)
            streams_gauge.dec()
            stream.give_up_waiting()
            # Even when the call is cancelled the frame in hand must be let out of the worker first.
            await asyncio.shield(self._pool.close_lane(lane))

    def _refuse_if_draining(self) -> None:
        if self._draining:
            raise Draining("this replica is shutting down: connect again, to another", retry_after_s=0.1)

    async def drain(self) -> None:
        """Take no new streams and end those that are open: their clients connect elsewhere."""
        self._draining = True
        await asyncio.gather(
            *(
                stream.finish(stream_pb2.STREAM_END_REASON_DRAINING, "this replica is shutting down")
                for stream in self._open
            )
        )

    async def complete(self, stream: CameraStream) -> None:
        """The client has sent all it wanted: answer it all, free the camera's name, end the stream."""
        await stream.answer_all()
        if not stream.request.lossless:
            await self._presence.forget(stream)
        end = stream_pb2.StreamEnd(
            reason=stream_pb2.STREAM_END_REASON_COMPLETE, message="every frame has been answered"
        )
        stream.outbox.end(end)

    def _hand_on(self, stream: CameraStream, frame: pose_pb2.PoseFrame, time_us: int) -> None:
        """Publish a pose, and say whether it has company: a camera of its session is being looked at, at the same instant,
        so the set waits for that one anyway.
        """
        if self._publish is None:
            return
        others = (
            other.in_hand_us
            for other in self._open
            if other is not stream and other.session_id == stream.session_id and not other.request.lossless
        )
        company = any(at_us is not None and abs(at_us - time_us) <= SAME_INSTANT_US for at_us in others)
        self._publish(frame, company=company)

    async def _take_over(self, request: StreamRequest) -> None:
        """End the same camera's older stream here: its client has come back before we missed it."""
        for other in list(self._open):
            if other.request.lossless or other.request.camera_id != request.camera_id:
                continue
            if other.request.instance_id != request.instance_id:
                raise AlreadyExists(
                    f"camera {request.camera_id!r} is already streaming from another place: choose another name, or "
                    "stop that one",
                    reason="CAMERA_NAME_TAKEN",
                )
            await other.finish(stream_pb2.STREAM_END_REASON_REPLACED, "the camera connected again")

    async def _keep(self, stream: CameraStream) -> None:
        """Report a live stream to Redis, and end it when it is silent or old."""
        if stream.request.lossless:
            return
        settings = self._settings
        # Spread, so that the streams of one start do not all come back at one moment.
        oldest_s = settings.max_stream_age_s * random.uniform(0.9, 1.1)
        while not stream.finishing:
            now_ns = self._now_ns()
            if now_ns - stream.heard_ns > settings.idle_s * 1e9:
                message = f"nothing arrived for {settings.idle_s:g} s"
                await stream.finish(stream_pb2.STREAM_END_REASON_IDLE, message)
            elif oldest_s and now_ns - stream.began_ns > oldest_s * 1e9:
                message = "connect again, so that all replicas get their share"
                await stream.finish(stream_pb2.STREAM_END_REASON_REBALANCE, message)
            else:
                try:
                    await self._presence.report(stream)
                except AlreadyExists as taken:
                    await stream.finish(stream_pb2.STREAM_END_REASON_REPLACED, taken.message)
            await asyncio.sleep(REPORT_EVERY_S)

    async def _refit(self, stream: CameraStream, lane: Lane[Arrived]) -> None:
        """Look at the camera's frames for something else whenever that is wanted."""
        while (options := await stream.wishes.get()) is not None:
            try:
                await self._pool.refit(lane, options)
            except ModelNotLoaded as error:
                log.warning(
                    "the camera goes on as it was", camera=stream.request.camera_id, error=error.message
                )

    def _server_now_ns(self) -> int:
        return self._clock.at_ns(self._now_ns())


@asynccontextmanager
async def _ended_together(stream: CameraStream, *works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `works` beside the stream: one that fails ends it, and they end with it."""
    tasks = [asyncio.create_task(work) for work in works]

    def check(task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            stream.outbox.fail(error)

    for task in tasks:
        task.add_done_callback(check)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
