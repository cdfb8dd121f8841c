"""A sync replica in this process, its clients, and what comes out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from types import TracebackType
from typing import Any, Self

import grpc

from komi.common.v1 import frame_pb2, pose_pb2
from komi.sync.v1 import sync_service_pb2 as pb
from komi.sync.v1 import sync_service_pb2_grpc
from services.mesh import keys
from services.mesh.channel import open_channel
from services.mesh.redis import connect
from services.mesh.server import Service
from services.mesh.stages import HOST_ID, monotonic_ns
from services.mesh.times import from_timestamp, to_timestamp
from services.sync.build import builder
from services.sync.config import SyncSettings
from tests.support.waiting import eventually


class Replica:
    """A running sync service."""

    def __init__(self, redis_url: str, **settings: Any) -> None:
        self.redis_url = redis_url
        self.settings = SyncSettings(
            redis_url=redis_url, **{"port": 0, "metrics_port": 0, "drain_s": 0.5, **settings}
        )
        self.service = Service(self.settings, builder(self.settings))
        self.channel: grpc.aio.Channel
        self.stub: Any

    async def __aenter__(self) -> Self:
        await self.service.start()
        context = self.service.context
        assert context is not None
        self.redis = connect(self.redis_url)
        self.channel = open_channel(self.service.address)
        self.stub = sync_service_pb2_grpc.SyncServiceStub(self.channel)
        await eventually(lambda: context.readiness.ready, what="sync being ready")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.channel.close()
        await self.redis.aclose()
        await self.service.stop()

    async def now_us(self) -> int:
        """Redis TIME."""
        seconds, micros = await self.redis.time()
        return int(seconds) * 1_000_000 + int(micros)

    def ingest(self, session_id: str = "live") -> "Ingest":
        """A stream of poses into a session."""
        return Ingest(self.stub, session_id)

    def sets_emitted(self, count: int) -> Callable[[], Awaitable[bool]]:
        """A condition: the live session has emitted so many sets."""

        async def emitted() -> bool:
            return len(await self.sets()) >= count

        return emitted

    async def sets(self, session_id: str = "live") -> list[pb.SyncedSet]:
        """Everything in the output stream."""
        return await read_sets(self.redis, session_id)


async def read_sets(redis: Any, session_id: str = "live") -> list[pb.SyncedSet]:
    """Everything in the output stream of a session."""
    entries = await redis.xrange(keys.synced_sets(session_id))
    return [pb.SyncedSet.FromString(fields[b"set"]) for _, fields in entries]


class Ingest:
    """One IngestPoses call: `send` poses, read `answers`."""

    def __init__(self, stub: Any, session_id: str) -> None:
        self._call = stub.IngestPoses()
        self._session_id = session_id
        self.answers: list[pb.IngestPosesResponse] = []
        self.error: grpc.aio.AioRpcError | None = None

    async def __aenter__(self) -> Self:
        config = pb.IngestConfig(session_id=self._session_id, replica_id="pose-test")
        await self._call.write(pb.IngestPosesRequest(config=config))
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await self._call.done_writing()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._reader), 3)
        self._call.cancel()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        try:
            async for answer in self._call:
                self.answers.append(answer)
        except grpc.aio.AioRpcError as error:
            self.error = error

    async def send(self, *poses: pose_pb2.PoseFrame) -> None:
        for pose in poses:
            await self._call.write(pb.IngestPosesRequest(pose=pose))

    async def send_together(self, *poses: pose_pb2.PoseFrame) -> None:
        """As one batch."""
        await self._call.write(pb.IngestPosesRequest(batch=pb.PoseBatch(poses=poses)))

    async def finish(self) -> None:
        """Close our side and read to the end."""
        await self._call.done_writing()
        await self._reader

    @property
    def stored(self) -> int:
        """Poses acknowledged so far."""
        return max((a.ack.stored for a in self.answers if a.HasField("ack")), default=0)

    def dropped(self) -> dict[int, int]:
        """Poses given up so far, by reason."""
        found: dict[int, int] = {}
        for answer in self.answers:
            if answer.HasField("dropped"):
                found[answer.dropped.reason] = found.get(answer.dropped.reason, 0) + answer.dropped.count
        return found


def make_pose(
    camera_id: str,
    sequence: int,
    time_us: int,
    *,
    epoch: int = 0,
    person: bool = True,
    session_id: str = "live",
) -> pose_pb2.PoseFrame:
    """A pose as pose would send it."""
    pose = pose_pb2.PoseFrame(
        id=frame_pb2.FrameId(session_id=session_id, camera_id=camera_id, epoch=epoch, sequence=sequence),
        time=frame_pb2.CaptureTime(
            server_time=to_timestamp(time_us), uncertainty_us=300, source=frame_pb2.TIME_SOURCE_CLOCK_PROBES
        ),
        image_width=1280,
        image_height=720,
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
    )
    pose.stamps.captured_monotonic_ns = pose.stamps.inferred_monotonic_ns = monotonic_ns()
    pose.stamps.capture_host_id = pose.stamps.pose_host_id = HOST_ID
    if person:
        pose.pose.image_px.extend([100.0] * 66)
        pose.pose.image_normalised.extend([0.5] * 99)
        pose.pose.world_m.extend([0.1] * 99)
        pose.pose.visibility.extend([0.9] * 33)
        pose.pose.presence.extend([0.9] * 33)
        pose.persons = 1
    return pose


def member_ids(synced: pb.SyncedSet) -> list[tuple[str, int, int]]:
    """Camera, epoch and sequence of each member."""
    return [(m.id.camera_id, m.id.epoch, m.id.sequence) for m in synced.members]


def times_us(sets: Iterable[pb.SyncedSet]) -> list[int]:
    """Server times of sets."""
    return [from_timestamp(synced.server_time) for synced in sets]


async def pace(start_us: int, period_us: int, replica: Replica) -> AsyncIterator[tuple[int, int]]:
    """Number and server time of ticks, each as it falls due."""
    loop = asyncio.get_running_loop()
    # In this order: whoever is held up in between sends old poses, and none from the future.
    ahead_us = start_us - await replica.now_us()
    began = loop.time() + ahead_us / 1e6
    number = 0
    while True:
        due_us = start_us + number * period_us
        await asyncio.sleep(max(0, began + (due_us - start_us) / 1e6 - loop.time()))
        yield number, due_us
        number += 1
