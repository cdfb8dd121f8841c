"""Cameras and a monitor of the former design; a frame counts from when it was due."""

import asyncio
import base64
import contextlib
import json
import math
import sys
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from bench.clips import at_rate
from bench.stages import Stages
from demo import ports

START_S = 60.0
WARM_UP_S = 2.0


@dataclass(frozen=True)
class Former:
    """How it did."""

    total_ms: dict[str, float]
    """Percentiles from a frame's due time to the monitor."""
    without_inference_ms: dict[str, float]
    """The same less the model's own time, frame by frame."""
    sent: int
    seen: int
    """Frames of which the pose reached the monitor; the others were overwritten between two polls."""
    cpu_ms_per_frame: float


async def run(task: Path, clips: list[list[Path]], fps: float, seconds: float) -> Former:
    """Start it, play the clips for so long, stop it."""
    async with _server(task) as (port, process):
        stages, sent, seen = Stages(), 0, 0
        measure_from = until = math.inf
        ready = asyncio.Barrier(len(clips) + 1)

        async def camera(number: int, frames: list[Path]) -> None:
            nonlocal sent
            played = [base64.b64encode(frame.read_bytes()).decode() for frame in at_rate(frames, fps)]
            address = f"ws://127.0.0.1:{port}/ws/camera?name=cam{number:02}"
            async with connect(address, max_size=1 << 24, compression=None, open_timeout=60) as link:
                await link.recv()
                answers = asyncio.create_task(_read_on(link))
                await ready.wait()
                due, n = time.monotonic(), 0
                while due < until:
                    await asyncio.sleep(max(0, due - time.monotonic()))
                    message = {"type": "frame", "timestamp": due, "image_data": played[n % len(played)]}
                    await link.send(json.dumps(message))
                    sent += due >= measure_from
                    due, n = due + 1 / fps, n + 1
                answers.cancel()
                await asyncio.gather(answers, return_exceptions=True)

        async def monitor() -> None:
            nonlocal seen
            async with connect(
                f"ws://127.0.0.1:{port}/ws/monitor", max_size=1 << 24, compression=None, open_timeout=60
            ) as link:
                async for text in link:
                    now, pose = time.monotonic(), json.loads(text)["pose_data"]
                    if pose["timestamp"] >= measure_from:
                        seen += 1
                        total_s = now - pose["timestamp"]
                        stages.add("total", int(total_s * 1e9))
                        stages.add("total - infer", int((total_s - pose["inference_s"]) * 1e9))

        async def clock() -> float:
            nonlocal measure_from, until
            await ready.wait()
            measure_from = time.monotonic() + WARM_UP_S
            until = measure_from + seconds
            await asyncio.sleep(WARM_UP_S)
            before = _cpu_s(process)
            await asyncio.sleep(seconds)
            return _cpu_s(process) - before

        watching = asyncio.create_task(monitor())
        try:
            cameras = [camera(number, clip) for number, clip in enumerate(clips, 1)]
            spent, *_ = await asyncio.gather(clock(), *cameras)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    found = stages.table()
    cost = 1000 * (spent or 0.0) / max(sent, 1)
    return Former(found.get("total", {}), found.get("total - infer", {}), sent, seen, cost)


async def _read_on(link: Any) -> None:
    """Take the answers and leave them: the monitor measures."""
    with contextlib.suppress(ConnectionClosed):
        recent: deque[str] = deque(maxlen=1)
        async for text in link:
            recent.append(text)


@asynccontextmanager
async def _server(task: Path) -> AsyncIterator[tuple[int, psutil.Process]]:
    (port,) = ports.block(1)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.former.server", str(task), str(port),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(START_S), httpx.AsyncClient() as client:
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"http://127.0.0.1:{port}/")).is_success:
                        break
                await asyncio.sleep(0.1)
        yield port, psutil.Process(process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
            process.terminate()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
