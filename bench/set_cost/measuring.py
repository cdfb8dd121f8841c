"""One set after the other, timed: in this process, and through Redis and a scoring process of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from bench.set_cost.load import START_US, Load
from demo.fetch import redis_server
from komi.scoring.v1 import scoring_service_pb2
from komi.sync.v1 import sync_service_pb2
from services.mesh import keys
from services.mesh.redis import RedisClient, connect
from services.mesh.sessions import SessionConfig, SessionStore
from services.mesh.times import to_timestamp
from services.scoring.library.store import ReferenceStore
from services.scoring.library.stored import Stored
from services.scoring.live.session import Rules
from services.scoring.sessions.scribe import Scribe
from tests.support.redis_server import RedisServer
from tests.support.waiting import eventually

Figures = dict[str, Any]
WARM: Final = 30
"""Sets that are not counted: caches are cold, loops are loaded."""
RATE_HZ: Final = 20.0
"""Sets a second through Redis."""
READY_S: Final = 60.0


def in_process(load: Load) -> Figures:
    """SyncedSet bytes to ScoreUpdate bytes and the session's state, without Redis."""
    scribe = Scribe(Stored("bench", 1, "", 0, load.template), Rules())
    cpu_ns, wall_ns = [], []
    repetitions = 0
    for data in load.sets:
        wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
        written = scribe.write([data])
        cpu_ns.append(time.thread_time_ns() - cpu)
        wall_ns.append(time.perf_counter_ns() - wall)
        repetitions += len(written.repetitions)
    return {
        "sets": len(load.sets) - WARM,
        "repetitions": repetitions,
        "rows": len(load.template.features),
        "cpu_ms": _percentiles(cpu_ns[WARM:]),
        "wall_ms": _percentiles(wall_ns[WARM:]),
    }


def _percentiles(values_ns: list[int]) -> dict[str, float]:
    ms = np.array(values_ns) / 1e6
    named = {f"p{q:g}": round(float(np.percentile(ms, q)), 3) for q in (50, 95, 99)}
    return {"mean": round(float(ms.mean()), 3), **named, "max": round(float(ms.max()), 3)}


async def through_redis(load: Load, seconds: float) -> Figures:
    """The same sets, one at a time, into Redis and out of it again, through `python -m services.scoring`."""
    with _redis() as url, _scoring(url) as scoring:
        redis = connect(url)
        try:
            await _follow(redis, load)
            await asyncio.sleep(2.0)
            idle_s = await _cpu_over(scoring, 3.0) / 3.0
            server = int((await redis.info("server"))["process_id"])
            redis_before, before = _cpu_s(psutil.Process(server)), _cpu_s(scoring)
            began_s = time.monotonic()
            ages_ns = await _play(redis, load, round(seconds * RATE_HZ))
            took_s = time.monotonic() - began_s
            spent_s = _cpu_s(scoring) - before
            return {
                "sets": len(ages_ns),
                "cpu_ms_per_set": round(1e3 * spent_s / len(ages_ns), 3),
                "less_idle": round(1e3 * (spent_s - idle_s * took_s) / len(ages_ns), 3),
                "redis_cpu_ms_per_set": round(
                    1e3 * (_cpu_s(psutil.Process(server)) - redis_before) / len(ages_ns), 3
                ),
                "wall_ms": _percentiles(ages_ns[WARM:]),
            }
        finally:
            await redis.aclose()


async def _follow(redis: RedisClient, load: Load) -> None:
    """The live session follows the reference, and a replica scores it."""
    stored = await ReferenceStore(redis).add(load.template, load.name, 1)
    await SessionStore(redis).put(SessionConfig("live", reference_id=stored.reference_id))

    async def follows() -> bool:
        return stored.reference_id.encode() in (
            await redis.hget(keys.scoring_state("live"), "reference") or b""
        )

    await eventually(follows, what="a replica that follows the reference", within=READY_S)


async def _play(redis: RedisClient, load: Load, count: int) -> list[int]:
    """Nanoseconds from each set's way to Redis to its score's way out of it."""
    cursor, ages_ns = "0-0", []
    due_s = time.monotonic()
    for number in range(count):
        data = _renumbered(load.sets[number % len(load.sets)], number)
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        due_s += 1.0 / RATE_HZ
        sent_ns = time.monotonic_ns()
        await redis.xadd(keys.synced_sets("live"), {"set": data}, maxlen=4096, approximate=True)
        found = await redis.xread({keys.scores("live"): cursor}, block=5000)
        ages_ns.append(time.monotonic_ns() - sent_ns)
        (cursor, fields), *_ = found[0][1]
        update = scoring_service_pb2.ScoreUpdate.FromString(fields[b"update"])
        if update.set_sequence != number + 1:
            raise RuntimeError(f"set {number + 1} was answered by the score of {update.set_sequence}")
    return ages_ns


def _renumbered(data: bytes, number: int) -> bytes:
    message = sync_service_pb2.SyncedSet.FromString(data)
    message.sequence = number + 1
    message.server_time.CopyFrom(to_timestamp(START_US + round(number / 30 * 1e6)))
    return message.SerializeToString()


@contextmanager
def _redis() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(redis_server(), Path(folder), durable=True, fsync="everysec")
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


@contextmanager
def _scoring(redis_url: str) -> Iterator[psutil.Process]:
    asked = ["--port=0", "--metrics-port=0", f"--redis-url={redis_url}", "--log-level=warning"]
    process = subprocess.Popen([sys.executable, "-m", "services.scoring", *asked])
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(READY_S)


async def _cpu_over(process: psutil.Process, seconds: float) -> float:
    before = _cpu_s(process)
    await asyncio.sleep(seconds)
    return _cpu_s(process) - before


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
