"""Whatever a stop meets halfway ends: a stream that is being opened, a feed between two streams to sync."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from komi.common.v1 import stream_pb2
from komi.pose.v1 import pose_service_pb2
from komi.sync.v1 import sync_service_pb2
from services.mesh.errors import Draining
from services.mesh.redis import connect
from services.mesh.server_clock import ServerClock
from services.mesh.stages import monotonic_ns
from services.pose.config import PoseSettings
from services.pose.decode import ImageLimits
from services.pose.forward import SessionFeed
from services.pose.pool import InferencePool
from services.pose.presence import Presence
from services.pose.streams import Streams
from services.pose.tracker import IdleModel
from services.pose.translate import stream_request

DRAINING = stream_pb2.STREAM_END_REASON_DRAINING


async def test_a_stream_that_is_being_opened_while_the_replica_drains_is_refused_or_ended(
    redis_url: str,
) -> None:
    """One that was on its way to be opened was taken up and ended by nobody: the stop waited its whole grace."""
    redis, settings = connect(redis_url), PoseSettings()
    clock = ServerClock(redis)
    limits = ImageLimits(settings.max_frame_bytes, settings.max_frame_pixels)
    pool = InferencePool(IdleModel(), workers=1, max_trackers=4, limits=limits, now_ns=monotonic_ns)
    await pool.start()
    request = stream_request(pose_service_pb2.StreamConfig(camera_id="front"), "instance")
    outcomes: list[stream_pb2.StreamEndReason.ValueType | None] = []
    for steps in range(500):
        streams = Streams(
            settings,
            pool,
            Presence(redis, clock),
            clock,
            replica_id="pose",
            publish=None,
            now_ns=monotonic_ns,
        )

        async def use(streams: Streams = streams) -> stream_pb2.StreamEndReason.ValueType | None:
            reason = None
            try:
                async with streams.open(request) as stream:
                    while (response := await stream.outbox.next()) is not None:
                        reason = response.end.reason
            except Draining:
                return None
            return reason

        using = asyncio.create_task(use())
        for _ in range(steps):
            await asyncio.sleep(0)
        await streams.drain()
        async with asyncio.timeout(30):
            outcomes.append(await using)
        if outcomes[-3:] == [DRAINING] * 3:
            break
    assert set(outcomes) == {None, DRAINING}
    await pool.close()
    await redis.aclose()


class _Moving:
    """A call that sync ends at once and wants opened again."""

    async def write(self, _request: object) -> None:
        await asyncio.sleep(0)

    async def __aiter__(self) -> AsyncIterator[sync_service_pb2.IngestPosesResponse]:
        await asyncio.sleep(0)
        yield sync_service_pb2.IngestPosesResponse(end=stream_pb2.StreamEnd(reason=DRAINING))

    def cancel(self) -> None:
        """It is over already."""


async def test_a_feed_that_is_cancelled_is_cancelled_at_whichever_step_of_its_streams() -> None:
    """While it waited for its writer to end it took the cancellation for the writer's, and went on for ever."""
    stub: Any = SimpleNamespace(IngestPoses=_Moving)
    for steps in range(1, 30):
        feed = SessionFeed(stub, sync_service_pb2.IngestConfig(session_id="live"), 4, monotonic_ns)
        running = asyncio.create_task(feed.run())
        for _ in range(steps):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait({running}, timeout=5)
        cancelled = running.cancelled()
        running.cancel()
        assert cancelled, f"cancelled at step {steps} it went on"
