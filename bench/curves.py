"""What each service costs against the number of cameras, sessions and viewers, without inference: should be straight lines."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from bench import usage
from bench.clips import clips
from bench.running import Mesh, running
from bench.viewer import Viewer, watching

FPS = 10.0
"""Of each camera."""
A_SESSION = 2
"""Cameras a session has, where sessions are counted."""
CAMERAS = (1, 2, 4, 8, 16)
SESSIONS = (1, 2, 4, 8)
VIEWERS = (1, 8, 32, 64)
SETTLE_S = 3.0
FIRST_FRAME_S = 30.0
ATTEMPTS = 10
SERVICES = ("capture", "pose", "sync", "scoring", "gateway", "redis")

Say = Callable[[str], None]
Curve = dict[str, Any]


async def run(model: str, seconds: float, say: Say) -> dict[str, Curve]:
    """The three curves, each point so many seconds, on one mesh after the other."""
    found = {}
    async with running(model, inference=False) as mesh:
        points = [await _point(mesh, cameras, 0, 1, cameras, seconds, say) for cameras in CAMERAS]
        found["cameras"] = curve(points)
        points = [await _point(mesh, viewers, 0, viewers, A_SESSION, seconds, say) for viewers in VIEWERS]
        found["viewers"] = curve(points)
        points = [
            await _point(mesh, sessions, sessions, 1, A_SESSION * sessions, seconds, say)
            for sessions in SESSIONS
        ]
        found["sessions"] = curve(points)
    return found


def curve(points: list[dict[str, Any]]) -> Curve:
    """With the straight line through the points of each service: cores at none, cores for each more, and its r²."""
    lines = {}
    numbers = np.array([point["number"] for point in points], dtype=float)
    for service in (*SERVICES, "total"):
        cores = np.array([point["cores"][service] for point in points])
        slope, offset = np.polyfit(numbers, cores, 1)
        rest, spread = (
            np.square(cores - (offset + slope * numbers)).sum(),
            np.square(cores - cores.mean()).sum(),
        )
        fit = 1.0 - float(rest / spread) if spread > 0 else 1.0
        lines[service] = {"cores_at_none": float(offset), "cores_each": float(slope), "r2": fit}
    return {"points": points, "lines": lines}


async def _point(
    mesh: Mesh, number: int, sessions: int, viewers: int, cameras: int, seconds: float, say: Say
) -> dict[str, Any]:
    """`sessions` 0: all cameras in the one that is always there. `viewers` of each session."""
    async with AsyncExitStack() as stack:
        names = [f"bench-{index}" for index in range(sessions)]
        for index, name in enumerate(names):
            mine = [f"cam{A_SESSION * index + camera:02}" for camera in range(1, A_SESSION + 1)]
            await stack.enter_async_context(_session(mesh, name, mine))
        watched: list[Viewer] = [
            await stack.enter_async_context(watching(mesh.addresses.gateway, name))
            for name in (names or ["live"])
            for _ in range(viewers)
        ]
        await stack.enter_async_context(mesh.load(clips(cameras), FPS))
        async with asyncio.timeout(FIRST_FRAME_S):
            for viewer in watched:
                await viewer.started.wait()
        await asyncio.sleep(SETTLE_S)
        before = await mesh.read()
        seen = [viewer.begin() for viewer in watched]
        await asyncio.sleep(seconds)
        spent = usage.between(before, await mesh.read())
    # Every viewer of a session sees the same frames.
    frames = sum(each.frames for each in seen) // viewers
    cores = {name: spent.cpu_s[name] / spent.seconds for name in SERVICES}
    cores["total"] = sum(cores.values())
    say(
        f"{cameras} cameras, {max(sessions, 1)} sessions, {len(watched)} viewers: {1000 * cores['total']:.0f} CPU ms/s"
    )
    return {
        "number": number,
        "cameras": cameras,
        "sessions": max(sessions, 1),
        "viewers": len(watched),
        "frames_per_second": frames / spent.seconds,
        "cores": cores,
        "cpu_ms_per_frame": spent.cpu_ms_per_frame(frames),
    }


@asynccontextmanager
async def _session(mesh: Mesh, name: str, cameras: list[str]) -> AsyncIterator[None]:
    sessions = f"{mesh.addresses.gateway}/api/v1/sessions"
    async with httpx.AsyncClient(timeout=10) as client:
        wanted = {"session_id": name, "cameras": cameras}
        answer = await client.post(sessions, json=wanted)
        for _ in range(ATTEMPTS):
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                break
            await asyncio.sleep(1.0)  # nobody may start many at once
            answer = await client.post(sessions, json=wanted)
        answer.raise_for_status()
        try:
            yield
        finally:
            await client.delete(f"{sessions}/{name}")


def draw(found: dict[str, Curve], path: Path) -> None:
    """One picture: cores against the number of each, with the lines through them."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, len(found), figsize=(5.5 * len(found), 4.5), constrained_layout=True)
    for panel, (what, each) in zip(np.atleast_1d(panels), found.items(), strict=True):
        numbers = [point["number"] for point in each["points"]]
        for service in SERVICES:
            line = each["lines"][service]
            drawn = panel.plot(numbers, [point["cores"][service] for point in each["points"]], "o")[0]
            fitted = [line["cores_at_none"] + line["cores_each"] * number for number in numbers]
            panel.plot(numbers, fitted, color=drawn.get_color(), label=service)
        panel.set(title=f"CPU by number of {what}", xlabel=what, ylabel="cores", ylim=(0, None))
        panel.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def table(found: dict[str, Curve]) -> list[str]:
    """Lines for a terminal: what each more of something costs."""
    lines = []
    for what, each in found.items():
        cost = "  ".join(f"{name} {1000 * line['cores_each']:.2f}" for name, line in each["lines"].items())
        lines.append(
            f"each more of {what:<9} CPU ms/s {cost}  (r² {each['lines']['total']['r2']:.2f} of the total)"
        )
    return lines
