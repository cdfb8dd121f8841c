"""Far more frames than the cores can infer, beside cameras that ask for little: who gets what, how late, how soon it is over."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import usage
from bench.running import FLOOD, Mesh
from bench.stages import Stages
from bench.viewer import Seen
from services.mesh.stages import monotonic_ns

TIMES = 4.0
"""What the cores can infer."""
CAMERAS = 4
MOST_FPS = 240.0
"""Of one camera: capture plays no faster."""
SETTLE_S = 2.0
WATCHED_S = 6.0
"""After the flood."""
LATE = 1.5
"""Times the slowest of a hundred frames before the flood: later than this is not yet as before."""
FAIREST, LATEST, SOONEST_S, SENT = 1.2, 3.0, 2.0, 1.25
"""The bars: max/min between the cameras of the flood, p99 against that before, seconds to recover, frames sent for each
that is looked at (the rest stays in the cameras, which were told to slow down)."""


@dataclass(frozen=True)
class Flooded:
    """What was seen of all cameras during the flood, and of those that stayed before and after it."""

    before: Seen
    during: Seen
    after: Seen
    spent: usage.Spent
    offered_fps: float
    ended_ns: int
    """When the flood ended, CLOCK_MONOTONIC."""

    def figures(self) -> dict[str, Any]:
        """For the JSON; each bar with whether it is held."""
        unloaded_ms = self.before.stages.p("total", 99.0)
        # Before any other figure of that phase: sorted in, single frames are not known any more.
        recovery_s = recovered_after_s(self.after.stages, self.ended_ns, LATE * unloaded_ms)
        p99_ms = self.during.stages.p("total", 99.0)
        flood = [n for camera, n in self.during.by_camera.items() if camera.startswith(FLOOD)]
        fairness = max(flood) / min(flood) if len(flood) == CAMERAS else None
        sent = self.spent.sent / max(self.during.frames, 1)
        held = {
            "fairness": fairness is not None and fairness <= FAIREST,
            "latency": p99_ms <= LATEST * unloaded_ms,
            "recovery": self.after.frames > 0 and recovery_s <= SOONEST_S,
            "slowed_down": sent <= SENT,
        }
        return {
            "offered_fps": self.offered_fps,
            "looked_at_fps": self.during.frames / self.spent.seconds,
            "by_camera": self.during.by_camera,
            "fairness": fairness,
            "unloaded_p99_ms": unloaded_ms,
            "p50_ms": self.during.stages.p("total", 50.0),
            "p99_ms": p99_ms,
            "p99_times_unloaded": p99_ms / unloaded_ms if unloaded_ms else None,
            "sent_a_frame_looked_at": sent,
            "recovery_s": recovery_s,
            "frames_after": self.after.frames,
            "dropped": self.spent.dropped,
            "bars": {"fairness": FAIREST, "latency": LATEST, "recovery": SOONEST_S, "slowed_down": SENT},
            "held": held,
        }


def recovered_after_s(after: Stages, ended_ns: int, limit_ms: float) -> float:
    """Seconds from the flood's end until frames are no later than `limit_ms` any more; 0: at once."""
    last_ns = after.last_slower_than(limit_ms)
    return max(0.0, (last_ns - ended_ns) / 1e9) if last_ns is not None else 0.0


async def flooded(
    mesh: Mesh, frames: list[list[Path]], fps: float, carried_fps: float, seconds: float
) -> Flooded:
    """Cameras that play all along at `fps`, and a flood beside them of `TIMES` the `carried_fps`. Raises TimeoutError."""
    each = min(MOST_FPS, TIMES * carried_fps / CAMERAS)
    clips = [frames[number % len(frames)] for number in range(CAMERAS)]
    async with mesh.viewer() as viewer, mesh.load(frames, fps):
        async with asyncio.timeout(30.0):
            await viewer.started.wait()
        await asyncio.sleep(SETTLE_S)
        before = viewer.begin()
        await asyncio.sleep(seconds)
        async with mesh.load(clips, each, FLOOD):
            await asyncio.sleep(SETTLE_S)
            began = await mesh.read()
            during = viewer.begin()
            await asyncio.sleep(seconds)
            spent = usage.between(began, await mesh.read())
            after, ended_ns = viewer.begin(), monotonic_ns()
        await asyncio.sleep(max(0.0, WATCHED_S - (monotonic_ns() - ended_ns) / 1e9))
    return Flooded(before, during, after, spent, CAMERAS * each + len(frames) * fps, ended_ns)
