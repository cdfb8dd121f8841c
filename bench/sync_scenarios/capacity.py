"""C: how many sessions of eight cameras one core of sync carries, by measurement.

Sync is held to one core; its Redis and the load share the others. Every session has its own phase, and its poses go the
way pose sends them: through `services.pose.forward`, one stream a session. A pose is ready when it is due, whether or not
sync keeps up. By itself: `python -m bench.sync_scenarios.capacity --sessions 3,8,20 [--resample]`.
"""

import argparse
import asyncio
import contextlib
import os
import random
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from bench.sync_scenarios.driver import cpu_s
from bench.sync_scenarios.report import Row
from bench.sync_scenarios.scoring import quantile
from bench.sync_scenarios.traces import Shot, in_order, shoot
from komi.common.v1 import pose_pb2
from komi.sync.v1 import sync_service_pb2 as pb
from services.mesh import keys
from services.mesh.channel import open_channel
from services.mesh.redis import RedisClient, connect
from services.mesh.sessions import SessionConfig, SessionStore
from services.mesh.stages import monotonic_ns
from services.mesh.times import to_timestamp
from services.pose.forward import SyncForwarder
from tests.support.redis_server import RedisServer, find_binary
from tests.sync.processes import SyncProcess
from tests.sync.rig import make_pose

CAMERAS, FPS = 8, 30
SECONDS, WARM_S = 19.0, 7.0
"""By then every session's pictures are looked at once in twelve seconds (services/sync/house.py): so once while it counts."""
SESSIONS = 20
LEAD_S = 1.0
"""Before the first pose is due."""
POSTURES = 30
BUFFERED = 64
"""Poses that wait for sync at most, as pose has it by default."""
FLUSH_S = 5.0
"""For what is still under way when the last pose is sent."""


@dataclass(frozen=True)
class Load:
    """What so many sessions took."""

    sessions: int
    sync_ms: float
    """CPU of sync a frame, milliseconds."""
    redis_us: float
    core: float
    """Share of its core that sync used."""
    whole: float
    """Share of the ticks that came out as one set of all cameras."""
    p50_ms: float
    """From when a set's last pose was ready to the set: what it waited at the sender included, and the load's own delay."""
    p99_ms: float
    gathered_ms: float
    """How long a pose waited at the sender for others or for its stream, median."""
    late_ms: float
    """How late the load handed its poses to the forwarder, 99th percentile."""


async def one_core() -> list[Row]:
    """C: that many sessions at once. What they wait includes the load's own delay, so it is published, not judged."""
    name = f"{SESSIONS} sessions of {CAMERAS} cameras, sync on one core"
    async with _pinned() as (address, redis, pids):
        load = await measure(address, redis, pids, SESSIONS)
    return [
        Row("C", name, "whole sets, share of ticks", load.whole, 0.99),
        Row("C", name, "sessions a core carries by the CPU these took", SESSIONS / load.core, SESSIONS),
        Row("C", name, "CPU a frame in sync, ms", load.sync_ms, None),
        Row("C", name, "from a set's last pose being ready to the set p50, ms", load.p50_ms, None),
        Row("C", name, "the same p99, ms", load.p99_ms, None),
        Row("C", name, "of it at the sender, waiting for others p50, ms", load.gathered_ms, None),
        Row("C", name, "of it the load's own delay p99, ms", load.late_ms, None),
    ]


async def measure(
    address: str,
    redis: RedisClient,
    pids: Sequence[int],
    sessions: int,
    seconds: float = SECONDS,
    *,
    resample: bool = False,
) -> Load:
    """Play so many sessions. `pids`: of sync and of its Redis."""
    rng = random.Random(sessions)
    server_s, _ = await redis.time()
    traces: dict[str, list[Shot]] = {}
    for n in range(sessions):
        phase_ms = rng.uniform(0, 1000 / FPS)
        shots = [s for k in range(CAMERAS) for s in shoot(rng, f"cam{k}", seconds=seconds, phase_ms=phase_ms + k)]  # fmt: skip
        # Another name each time: a session that was played goes on where it was.
        traces[f"capacity-{server_s}-{n}"] = in_order(shots)
    for name in traces:
        cameras = tuple(f"cam{k}" for k in range(CAMERAS))
        await SessionStore(redis).put(SessionConfig(name, cameras, resample=resample))
    due = [(shot.arrival_us, name, shot) for name, trace in traces.items() for shot in trace]
    due.sort(key=lambda each: each[0])
    looks = {name: appearances(name) for name in traces}
    server_s, micros = await redis.time()
    start_ns = monotonic_ns() + round(LEAD_S * 1e9)
    start_us = server_s * 1_000_000 + micros + round(LEAD_S * 1e6)
    poses = (
        (start_ns + at_us * 1000, pose_of(shot, looks[name], start_us, start_ns)) for at_us, name, shot in due
    )
    warm_ns = start_ns + round(WARM_S * 1e9)
    used_s, counted, took_s, late_ms = await _send(address, poses, warm_ns, pids)
    await asyncio.sleep(0.5)
    waits_ms, gathered_ms, whole = [], [], 0
    for name in traces:
        for _, fields in await redis.xrange(keys.synced_sets(name)):
            found = pb.SyncedSet.FromString(fields[b"set"])
            stamps = [member.stamps for member in found.members]
            if min(s.captured_monotonic_ns for s in stamps) >= warm_ns:
                whole += len(stamps) == CAMERAS
                ready_ns = max(s.inferred_monotonic_ns for s in stamps)
                waits_ms.append((found.stamps.synced_monotonic_ns - ready_ns) / 1e6)
                gathered_ms += [(s.published_monotonic_ns - s.inferred_monotonic_ns) / 1e6 for s in stamps]
        await redis.delete(keys.synced_sets(name))
    # The last instants are cut off: a tick may still wait for what never comes.
    ticks = sum(s.camera_id == "cam0" and s.true_us >= WARM_S * 1e6 for t in traces.values() for s in t)
    return Load(
        sessions=sessions,
        sync_ms=used_s[0] / counted * 1e3,
        redis_us=used_s[1] / counted * 1e6,
        core=used_s[0] / took_s,
        whole=min(1.0, whole / max(1, ticks - 2 * sessions)),
        p50_ms=quantile(waits_ms, 0.5),
        p99_ms=quantile(waits_ms, 0.99),
        gathered_ms=quantile(gathered_ms, 0.5),
        late_ms=quantile(late_ms, 0.99),
    )


def appearances(session_id: str) -> dict[str, list[bytes]]:
    """For each camera a second of somebody who moves up and down: PoseFrames to be numbered and timed."""
    blank = make_pose("", 0, 0, session_id=session_id, person=False)
    found: dict[str, list[bytes]] = {}
    for camera, poses in enumerate(_postures(random.Random(session_id.rpartition("-")[2]))):
        blank.id.camera_id = f"cam{camera}"
        found[blank.id.camera_id] = []
        for pose in poses:
            blank.pose.CopyFrom(pose)
            found[blank.id.camera_id].append(blank.SerializeToString())
    return found


def pose_of(shot: Shot, looks: dict[str, list[bytes]], start_us: int, start_ns: int) -> pose_pb2.PoseFrame:
    """The pose of a shot. `start_us` on the server clock, `start_ns` on the monotonic one: the start of the scenario."""
    pose = pose_pb2.PoseFrame.FromString(looks[shot.camera_id][shot.sequence % POSTURES])
    pose.id.sequence = shot.sequence
    pose.time.server_time.CopyFrom(to_timestamp(start_us + shot.stamp_us))
    pose.stamps.captured_monotonic_ns = start_ns + shot.true_us * 1000
    pose.stamps.inferred_monotonic_ns = start_ns + shot.arrival_us * 1000
    return pose


def _postures(rng: random.Random) -> list[list[pose_pb2.Pose]]:
    """For each camera a second of somebody who moves up and down."""
    noise = np.random.default_rng(rng.randrange(2**32))
    body = noise.uniform((-0.3, -0.8, -0.2), (0.3, 0.8, 0.2), (33, 3))
    found = []
    for camera in range(CAMERAS):
        cosine, sine = np.cos(camera * np.pi / CAMERAS), np.sin(camera * np.pi / CAMERAS)
        axes = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
        poses = []
        for n in range(POSTURES):
            height = np.array([0, 0.2 * np.sin(2 * np.pi * n / POSTURES), 0])
            world = (body + height) @ axes.T + noise.normal(0, 0.005, (33, 3))
            share = world / 4 + 0.5
            poses.append(
                pose_pb2.Pose(
                    image_px=(share[:, :2] * [1280, 720]).ravel(),
                    image_normalised=share.ravel(),
                    world_m=world.ravel(),
                    visibility=noise.uniform(0.6, 1, 33),
                    presence=np.full(33, 0.99),
                )
            )
        found.append(poses)
    return found


async def _send(
    address: str, poses: Iterable[tuple[int, pose_pb2.PoseFrame]], warm_ns: int, pids: Sequence[int]
) -> tuple[list[float], int, float, list[float]]:
    """Hand on what is due. From `warm_ns` on: CPU seconds of `pids`, poses, seconds, and how late each pose was (ms)."""
    late_ms: list[float] = []
    before_s, began_ns = [0.0 for _ in pids], 0
    async with open_channel(address) as channel:
        forwarder = SyncForwarder(channel, "load", capacity=BUFFERED, now_ns=monotonic_ns)
        for due_ns, pose in poses:
            # Late or not: the streams have their turn.
            pause_s = (due_ns - monotonic_ns()) / 1e9
            await asyncio.sleep(pause_s if pause_s > 0.0005 else 0)
            if not began_ns and due_ns >= warm_ns:
                before_s, began_ns = [cpu_s(pid) for pid in pids], monotonic_ns()
            forwarder.publish(pose)
            if began_ns:
                late_ms.append((monotonic_ns() - due_ns) / 1e6)
        used_s = [cpu_s(pid) - before for pid, before in zip(pids, before_s, strict=True)]
        took_s = (monotonic_ns() - began_ns) / 1e9
        await forwarder.close(FLUSH_S)
    return used_s, len(late_ms), took_s, late_ms


@asynccontextmanager
async def _pinned() -> AsyncIterator[tuple[str, RedisClient, tuple[int, int]]]:
    """A sync on the first core, its Redis and this process on the others: address, client, ids of both processes."""
    binary = find_binary()
    if binary is None:
        raise SystemExit("no redis-server: `make redis-binary` fetches one")
    first, *others = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="komi-capacity-") as folder:
        server = RedisServer(binary, Path(folder), durable=True, fsync="everysec")
        server.start()
        redis = connect(server.url)
        try:
            async with SyncProcess(server.url, keep_bytes=200_000_000) as sync:
                assert server.pid
                _hold(sync.process.pid, {first})
                for pid in (server.pid, os.getpid()):
                    _hold(pid, set(others) or {first})
                yield sync.address, redis, (sync.process.pid, server.pid)
        finally:
            _hold(os.getpid(), {first, *others})
            await redis.aclose()
            server.stop()


def _hold(pid: int, cores: set[int]) -> None:
    """Keep all threads of a process, and those they start, on `cores`."""
    for thread in psutil.Process(pid).threads():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(thread.id, cores)


async def _by_itself(numbers: Sequence[int], seconds: float, *, resample: bool) -> None:
    async with _pinned() as (address, redis, pids):
        for sessions in numbers:
            print(await measure(address, redis, pids, sessions, seconds, resample=resample), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sync_scenarios.capacity", description=__doc__)
    parser.add_argument("--sessions", default="3,8,14,20", help="numbers of sessions, comma-separated")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each is played")
    parser.add_argument("--resample", action="store_true", help="on a tick, in place of grouped")
    options = parser.parse_args()
    numbers = [int(number) for number in options.sessions.split(",")]
    asyncio.run(_by_itself(numbers, options.seconds, resample=options.resample))


if __name__ == "__main__":
    main()
