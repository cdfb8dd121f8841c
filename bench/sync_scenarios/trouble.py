"""Scenarios 8 and 10, and a real rig's timestamps: Redis dies, many sessions, a slow consumer."""

import asyncio
import csv
import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import grpc

from bench.sync_scenarios.driver import Driver, Played, cpu_s
from bench.sync_scenarios.matching import WARM_US, baselines
from bench.sync_scenarios.report import Row
from bench.sync_scenarios.scoring import quantile, score
from bench.sync_scenarios.traces import Shot, in_order, shoot
from komi.sync.v1 import sync_service_pb2 as pb
from komi.sync.v1 import sync_service_pb2_grpc
from services.mesh.channel import open_channel
from services.mesh.sessions import SessionConfig, SessionStore
from tests.support.redis_server import RedisServer
from tests.sync.processes import Client
from tests.sync.rig import make_pose

CAMERAS = 8
SESSIONS = 3
FPS = 30


async def redis_dies(driver: Driver, server: RedisServer) -> list[Row]:
    """8: kill -9 of a durable Redis, back after 3 s."""
    name, session_id, ticks, down_at, outage_s = "Redis killed, 3 s outage", "outage", 360, 90, 3.0
    await SessionStore(driver.redis).put(SessionConfig(session_id, resample=False))
    start_us = await driver.now_us()
    loop = asyncio.get_running_loop()
    began, most_waiting = loop.time(), 0
    async with Client([driver.address], session_id) as client:
        for n in range(ticks):
            await asyncio.sleep(max(0.0, began + n / FPS - loop.time()))
            for k in range(3):
                at_us = start_us + round(n * 1e6 / FPS) + 1500 * k
                client.send(make_pose(f"cam{k}", n, at_us, session_id=session_id))
            most_waiting = max(most_waiting, client.waiting)
            if n == down_at:
                server.kill()
                loop.call_later(outage_s, server.start)
        await asyncio.sleep(0.5)
    emitted = await driver.read(session_id, start_us)
    members = [member for e in emitted for member in e.members]
    back_s = max(b.position_ms - a.position_ms for a, b in pairwise(emitted)) / 1000 - outage_s
    return [
        Row("8", name, "output resumes after Redis is back, s", back_s, 2.0, at_least=False),
        Row("8", name, "ticks lost, s", (ticks - len({m[2] for m in members})) / FPS, outage_s + 1, at_least=False),
        Row("8", name, "frames emitted twice", len(members) - len(set(members)), 0, at_least=False),
        Row("8", name, "sets out of order or number", sum(
            b.time_us <= a.time_us or b.sequence != a.sequence + 1 for a, b in pairwise(emitted)), 0, at_least=False),
        Row("8", name, "poses that waited in the client", most_waiting, 64, at_least=False),
    ]  # fmt: skip


async def crowd(driver: Driver, plain: Driver, seeds: list[int], sync_pid: int, redis_pid: int) -> list[Row]:
    """10: eight cameras a session, several sessions, and a consumer that reads one set a second.

    `plain` keeps no more than a session keeps by default: it gives the memory figure.
    """
    name = f"{SESSIONS} sessions of {CAMERAS} cameras, slow consumer"
    traces = []
    for seed in range(SESSIONS):
        rng = random.Random(seeds[0] * 100 + seed)
        shots = [s for n in range(CAMERAS) for s in shoot(rng, f"cam{n}", seconds=20, phase_ms=n)]
        traces.append(in_order(shots))
    lazy = asyncio.create_task(_slow_consumer(driver.address, "crowd-0"))
    meter = _Meter(driver, sync_pid, redis_pid)
    played = await meter.play("crowd", traces)
    scripts_us = (await driver.redis.info("commandstats"))["cmdstat_evalsha"]["usec"] / sum(map(len, traces))
    sync_ms, redis_us = meter.sync_ms, meter.redis_us
    await meter.play(
        "ticks", [[shot for shot in trace if shot.true_us < 8_000_000] for trace in traces], resample=True
    )
    sized = await plain.play("sized", [shot for shot in traces[0] if shot.true_us < 8_000_000])
    lazy.cancel()
    await asyncio.gather(lazy, return_exceptions=True)
    scores = [score(p.groups, p.shots, CAMERAS, after_us=WARM_US) for p in played]
    waits = [e.latency_ms for p in played for e in p.emitted if e.time_us > WARM_US]
    return [
        Row("10", name, "recall of whole ticks", min(s.full for s in scores), 0.99, baselines=baselines(traces, "full")),
        Row("10", name, "wait p50, ms", quantile(waits, 0.5), 10, at_least=False),
        Row("10", name, "wait p99, ms", quantile(waits, 0.99), 50, at_least=False),
        Row("10", name, "CPU a frame in sync, ms", sync_ms, 0.5, at_least=False),
        Row("10", name, "the same where sessions are resampled, ms", meter.sync_ms, None, at_least=False),
        Row("10", name, "CPU a frame in Redis (all it does), µs", redis_us, 60, at_least=False),
        Row("10", name, "of it in scripts, µs", scripts_us, None, at_least=False),
        Row("10", name, "sessions a Redis core carries, extrapolated", 1e6 / (redis_us * CAMERAS * FPS), 20),
        Row("10", name, "sessions a sync core carries, extrapolated", 1e3 / (sync_ms * CAMERAS * FPS), None),
        Row("10", name, "sync replicas for 20 sessions, extrapolated", 20 * sync_ms * CAMERAS * FPS / 1e3, None),
        Row("10", name, "Redis a session, MB", sized.status.redis_bytes / 1e6, 1.2, at_least=False),
    ]  # fmt: skip


class _Meter:
    """CPU that sync and Redis use for a frame while traces are played; reading the output back does not count."""

    def __init__(self, driver: Driver, sync_pid: int, redis_pid: int) -> None:
        self._driver = driver
        self._pids = (sync_pid, redis_pid)
        self.sync_ms = self.redis_us = 0.0

    async def play(
        self, session_id: str, traces: Sequence[Sequence[Shot]], *, resample: bool = False
    ) -> list[Played]:
        await self._driver.redis.config_resetstat()
        before_s, used_s = self._used_s(), [0.0, 0.0]

        def sent() -> None:
            if not any(used_s):
                used_s[:] = [now - before for now, before in zip(self._used_s(), before_s, strict=True)]

        self._driver.on_sent = sent
        played = await asyncio.gather(
            *(
                self._driver.play(f"{session_id}-{n}", trace, resample=resample)
                for n, trace in enumerate(traces)
            )
        )
        frames = sum(map(len, traces))
        self.sync_ms, self.redis_us = used_s[0] / frames * 1e3, used_s[1] / frames * 1e6
        self._driver.on_sent = lambda: None
        return list(played)

    def _used_s(self) -> list[float]:
        return [cpu_s(pid) for pid in self._pids]


async def _slow_consumer(address: str, session_id: str) -> None:
    async with open_channel(address) as channel:
        stub = sync_service_pb2_grpc.SyncServiceStub(channel)
        while True:
            try:
                async for _ in stub.WatchSession(pb.WatchSessionRequest(session_id=session_id)):
                    await asyncio.sleep(1.0)
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.2)


async def recorded(driver: Driver, data: Path) -> list[Row]:
    """Timestamps of four real webcams (Caliscope), replayed through the service."""
    path = data / "caliscope" / "4_cam_recording_timestamps" / "timestamps.csv"
    with path.open() as file:
        rows = list(csv.DictReader(file))
    first_s = min(float(row["frame_time"]) for row in rows)
    first_tick = min(int(row["sync_index"]) for row in rows)
    numbers: dict[str, int] = {}
    shots = []
    for row in sorted(rows, key=lambda r: float(r["frame_time"])):
        camera_id = f"cam{row['cam_id']}"
        at_us = round((float(row["frame_time"]) - first_s) * 1e6)
        numbers[camera_id] = numbers.get(camera_id, -1) + 1
        tick = int(row["sync_index"]) - first_tick
        shots.append(Shot(camera_id, 0, numbers[camera_id], tick, at_us, at_us, at_us + 30_000))
    played = await driver.play("recorded", shots)
    judged = score(played.groups, played.shots, 4)
    sets = [e for e in played.emitted if len(e.members) > 1]
    spreads = [e.raw.spread_us / 1000 for e in sets]
    per_tick = Counter(shot.tick for shot in shots)
    # One camera dropped frames, so that 97.8 % of the ticks can be complete at most.
    ticks, complete = len(per_tick), sum(count == 4 for count in per_tick.values())
    name = "real rig: Caliscope's four webcams"
    return [
        Row(
            "R",
            name,
            "complete groups, share of ticks",
            sum(len(e.members) == 4 for e in sets) / ticks,
            complete / ticks,
        ),
        Row(
            "R",
            name,
            "wrong groups",
            judged.wrong,
            0.0,
            at_least=False,
            baselines=baselines([shots], "wrong"),
        ),
        Row("R", name, "spread p50, ms", quantile(spreads, 0.5), None),
        Row("R", name, "spread p95, ms", quantile(spreads, 0.95), None),
        Row("R", name, "spread max, ms", max(spreads), None),
    ]
