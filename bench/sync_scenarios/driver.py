"""Plays traces through the real service, each in a session of its own, at their own pace."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import grpc
import psutil

from bench.sync_scenarios.scoring import Key
from bench.sync_scenarios.traces import Shot
from komi.common.v1 import pose_pb2
from komi.sync.v1 import sync_service_pb2 as pb
from komi.sync.v1 import sync_service_pb2_grpc
from services.mesh import keys
from services.mesh.channel import open_channel
from services.mesh.redis import RedisClient
from services.mesh.sessions import SessionConfig, SessionStore
from services.mesh.times import from_timestamp, to_timestamp
from tests.sync.rig import make_pose

LEAD_S = 0.3
SETTLE_S = 1.2
LATE_S = 0.01


@dataclass(frozen=True)
class Emitted:
    """One set as it came out. Times are microseconds since the scenario's start; latency as the bars define it."""

    sequence: int
    time_us: int
    members: tuple[Key, ...]
    missing: tuple[tuple[str, int], ...]
    latency_ms: float
    """From the storage of its last member to its emission."""
    position_ms: int
    """When Redis took it, milliseconds since the epoch."""
    raw: pb.SyncedSet


@dataclass(frozen=True)
class Played:
    """What a session gave."""

    session_id: str
    start_us: int
    emitted: list[Emitted]
    status: pb.GetSessionStatusResponse
    dropped: dict[int, int]
    shots: list[Shot]
    """What was sent when it was due. The driver shares the machine: what it sent late is not of the scenario."""

    @property
    def groups(self) -> list[tuple[Key, ...]]:
        return [emitted.members for emitted in self.emitted]


class Driver:
    """One sync process and its Redis."""

    def __init__(self, address: str, redis: RedisClient) -> None:
        self.address = address
        self.redis = redis
        self.on_sent: Callable[[], None] = lambda: None
        """Called once a trace is through, before what came out is read back: reading is not of the scenario."""

    async def play(
        self, session_id: str, shots: Sequence[Shot], *, resample: bool = False, start_us: int | None = None
    ) -> Played:
        """Send `shots` when they are due and read what came out."""
        await SessionStore(self.redis).put(
            SessionConfig(
                session_id, cameras=tuple(sorted({shot.camera_id for shot in shots})), resample=resample
            )
        )
        async with open_channel(self.address) as channel:
            stub = sync_service_pb2_grpc.SyncServiceStub(channel)
            start_us = start_us or await self.now_us() + round(LEAD_S * 1e6)
            dropped, late_ticks = await self._send(stub, session_id, shots, start_us)
            await asyncio.sleep(SETTLE_S)
            status = await stub.GetSessionStatus(pb.GetSessionStatusRequest(session_id=session_id))
        self.on_sent()
        on_time = [shot for shot in shots if shot.tick not in late_ticks]
        emitted = await self.read(session_id, start_us)
        return Played(session_id, start_us, emitted, status, dropped, on_time)

    async def _send(
        self,
        stub: "sync_service_pb2_grpc.SyncServiceAsyncStub",
        session_id: str,
        shots: Sequence[Shot],
        start_us: int,
    ) -> tuple[dict[int, int], set[int]]:
        call = stub.IngestPoses()
        config = pb.IngestConfig(session_id=session_id, replica_id="scenario")
        await call.write(pb.IngestPosesRequest(config=config))
        dropped: dict[int, int] = {}
        late_ticks: set[int] = set()
        reader = asyncio.create_task(_read(call, dropped))
        loop = asyncio.get_running_loop()
        began = loop.time() + (start_us - await self.now_us()) / 1e6
        template = make_pose("", 0, 0, session_id=session_id)
        for shot in sorted(shots, key=lambda s: s.arrival_us):
            pause_s = began + shot.arrival_us / 1e6 - loop.time()
            if pause_s > 0.0005:
                await asyncio.sleep(pause_s)
            if -pause_s > LATE_S:
                late_ticks |= {shot.tick - 1, shot.tick, shot.tick + 1}
            await call.write(pb.IngestPosesRequest(pose=_pose(template, shot, start_us)))
        await call.done_writing()
        await reader
        return dropped, late_ticks

    async def now_us(self) -> int:
        """Redis TIME."""
        seconds, micros = await self.redis.time()
        return int(seconds) * 1_000_000 + int(micros)

    async def read(self, session_id: str, start_us: int) -> list[Emitted]:
        """Everything a session emitted."""
        entries = await self.redis.xrange(keys.synced_sets(session_id))
        return [
            _emitted(int(i.partition(b"-")[0]), pb.SyncedSet.FromString(f[b"set"]), start_us)
            for i, f in entries
        ]


async def _read(
    call: "grpc.aio.StreamStreamCall[pb.IngestPosesRequest, pb.IngestPosesResponse]", dropped: dict[int, int]
) -> None:
    async for answer in call:
        if answer.HasField("dropped"):
            dropped[answer.dropped.reason] = dropped.get(answer.dropped.reason, 0) + answer.dropped.count


def _pose(template: pose_pb2.PoseFrame, shot: Shot, start_us: int) -> pose_pb2.PoseFrame:
    pose = pose_pb2.PoseFrame()
    pose.CopyFrom(template)
    pose.id.camera_id, pose.id.epoch, pose.id.sequence = shot.camera_id, shot.epoch, shot.sequence
    pose.time.server_time.CopyFrom(to_timestamp(start_us + shot.stamp_us))
    return pose


def _emitted(position_ms: int, synced: pb.SyncedSet, start_us: int) -> Emitted:
    last_ns = max(member.stamps.ingested_monotonic_ns for member in synced.members)
    return Emitted(
        sequence=synced.sequence,
        time_us=from_timestamp(synced.server_time) - start_us,
        members=tuple((m.id.camera_id, m.id.epoch, m.id.sequence) for m in synced.members),
        missing=tuple((m.camera_id, m.reason) for m in synced.missing),
        latency_ms=(synced.stamps.synced_monotonic_ns - last_ns) / 1e6,
        position_ms=position_ms,
        raw=synced,
    )


def cpu_s(pid: int) -> float:
    """CPU seconds a process has used."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
