"""The phases of one run, one after the other on the same frames of the same machine."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import bare_loop, curves, usage
from bench.clips import clips
from bench.compose import composed
from bench.former import client as former_client
from bench.overload import flooded
from bench.running import Mesh, running
from bench.viewer import Seen
from demo import fetch
from services.pose.models import task_path

FIRST_FRAME_S = 60.0
WARM_UP_S = 3.0
"""After the first score: models are warm, compiled loops compiled, clocks known."""
SATURATE_FPS = 280.0
"""All cameras together; more than cores of this class infer."""
SETTLED_S = 20.0
"""After the start: clocks are calm, and what was only needed to start is given back."""
ENGINES: tuple[bare_loop.Engine, ...] = ("mediapipe", "pose")
PHASES = ("idle", "latency", "saturation", "overload", "sweep", "noop", "former")
COMPOSE_PHASES = ("idle", "latency", "saturation", "overload", "sweep")
"""Those that need no mesh of their own."""
ALL_PHASES = (*PHASES, "curves")
"""`curves` only when asked for: it starts the mesh anew a dozen times."""
SLOWEST_P99_MS = 150.0
"""Of total, for a rate to count as carried."""
FORMER_TIMES = 3.0
"""So many times as long: its polls slip past the frames by less than a millisecond each, and in 10 s reach only a part of
the waits there are."""
NOOP_CAMERAS = 8
NOOP_FPS = (30.0, 45.0, 60.0)
"""By camera."""


@dataclass(frozen=True)
class Plan:
    """What to run."""

    cameras: int = 2
    fps: float = 10.0
    model: str = "full"
    seconds: float = 10.0
    phases: tuple[str, ...] = PHASES
    reference: bool = True
    """Have the session follow a reference: scoring then does all its work."""
    target: str = "processes"
    """Or `compose`: what runs in containers as this project."""
    project: str = "komi"
    warm_up_s: float = 14.0
    """From the first score to the measuring of latency and saturation: clocks are calm then, as in a session."""


Say = Callable[[str], None]


async def run(plan: Plan, say: Say) -> dict[str, Any]:
    """Everything asked for; what docs/performance.md describes."""
    frames = clips(plan.cameras)
    task = task_path(plan.model)
    found: dict[str, Any] = {}
    if {"idle", "latency", "saturation", "overload", "sweep"} & set(plan.phases):
        say(f"the mesh: {plan.cameras} cameras, {plan.model} model")
        found |= await _mesh(plan, frames, task, say)
    if "noop" in plan.phases:
        say("the mesh alone: no inference")
        found["mesh_alone"] = await _noop(plan, say)
    if "curves" in plan.phases:
        say("curves: cost by cameras, sessions and viewers")
        found["curves"] = await curves.run(plan.model, max(4.0, plan.seconds / 2), say)
    if "former" in plan.phases:
        say(f"the former design at {plan.cameras} × {plan.fps:g} fps")
        did = await former_client.run(task, frames, plan.fps, FORMER_TIMES * plan.seconds)
        found["former_design"] = asdict(did)
        if "stages" in found and did.total_ms:
            for name, theirs, ours in (
                ("p50_times_ours", did.total_ms, "total"),
                ("p50_times_ours_without_inference", did.without_inference_ms, "total - infer"),
            ):
                found["former_design"][name] = theirs["p50"] / found["stages"][ours]["p50"]
    return found


async def _mesh(plan: Plan, frames: list[list[Path]], task: Path, say: Say) -> dict[str, Any]:
    found: dict[str, Any] = {}
    began_s = time.monotonic()
    started = composed(plan.project) if plan.target == "compose" else running(plan.model)
    async with started as mesh:
        if plan.target != "compose":
            found["ready_s"] = time.monotonic() - began_s
        await asyncio.sleep(1.0)
        found["idle_by_service"] = {"start": await _idle(mesh, min(plan.seconds, 5.0))}
        found["idle_cpu_percent_of_a_core"] = sum(found["idle_by_service"]["start"].values())
        if "idle" in plan.phases:
            say("idle, until it has settled")
            await asyncio.sleep(SETTLED_S)
            found["idle_by_service"]["settled"] = await _idle(mesh, max(plan.seconds, 10.0))
            found["idle_settled_cpu_percent_of_a_core"] = sum(found["idle_by_service"]["settled"].values())
        if plan.reference and plan.target != "compose":  # whose session follows what its users chose
            say("building the reference")
            await mesh.set_reference(fetch.recording()[0])
        if "latency" in plan.phases:
            say(f"open loop at {plan.cameras} × {plan.fps:g} fps for {plan.seconds:g} s")
            found |= _named(await _measure(mesh, frames, plan.fps, plan.seconds, plan.warm_up_s))
        if "saturation" in plan.phases:
            found["throughput"] = await _saturate(plan, mesh, frames, task, say)
        if "overload" in plan.phases:
            found["overload"] = await _overload(plan, mesh, frames, task, say, found.get("throughput"))
        if "sweep" in plan.phases:
            found["sweep"] = await _sweep(plan, mesh, frames, say)
    return found


async def _idle(mesh: Mesh, seconds: float) -> dict[str, float]:
    """CPU of each service, per cent of a core."""
    before = await mesh.read()
    await asyncio.sleep(seconds)
    spent = usage.between(before, await mesh.read())
    return {service: 100 * cpu_s / spent.seconds for service, cpu_s in spent.cpu_s.items()}


@dataclass(frozen=True)
class Measured:
    """One load on a mesh."""

    fps: float
    """Asked of each camera."""
    seen: Seen
    spent: usage.Spent
    peak_mb: dict[str, float]
    resident_mb: dict[str, float]

    @property
    def frames_per_second(self) -> float:
        """Frames of all cameras whose score reached the viewer."""
        return self.seen.frames / self.spent.seconds


async def _measure(
    mesh: Mesh, frames: list[list[Path]], fps: float, seconds: float, warm_up_s: float = WARM_UP_S
) -> Measured:
    async with mesh.viewer() as viewer, mesh.load(frames, fps):
        async with asyncio.timeout(FIRST_FRAME_S):
            await viewer.started.wait()
        await asyncio.sleep(warm_up_s)
        before = await mesh.read()
        seen = viewer.begin()
        await asyncio.sleep(seconds)
        after = await mesh.read()
        spent = usage.between(before, after)
        return Measured(fps, seen, spent, mesh.peak_memory_mb(), mesh.resident_memory_mb())


def _named(measured: Measured) -> dict[str, Any]:
    """The part of the JSON that one load fills."""
    seen, spent = measured.seen, measured.spent
    by_camera = seen.by_camera
    return {
        "stages": seen.stages.table(),
        "frames": {
            "in": spent.captured,
            "out": seen.frames,
            "with_a_person": seen.persons,
            "dropped": spent.dropped,
            "skipped_by_viewer": seen.skipped,
            "fairness": max(by_camera.values()) / min(by_camera.values()) if by_camera else None,
        },
        "cpu_ms_per_frame": spent.cpu_ms_per_frame(seen.frames),
        "peak_memory_mb": {**measured.peak_mb, "total": sum(measured.peak_mb.values())},
        "resident_memory_mb": {**measured.resident_mb, "total": sum(measured.resident_mb.values())},
    }


async def _saturate(plan: Plan, mesh: Mesh, frames: list[list[Path]], task: Path, say: Say) -> dict[str, Any]:
    """More than can be inferred; the bare loop before and after, so that a neighbour's load weighs on both."""
    each = SATURATE_FPS / plan.cameras
    say("the bare loop")
    before = [await bare_loop.run(task, frames, plan.seconds / 2, engine) for engine in ENGINES]
    say(f"saturation: {plan.cameras} × {each:g} fps for {plan.seconds:g} s")
    measured = await _measure(mesh, frames, each, plan.seconds, plan.warm_up_s)
    say("the bare loop again")
    after = [await bare_loop.run(task, frames, plan.seconds / 2, engine) for engine in ENGINES]
    stock, own = ([first, second] for first, second in zip(before, after, strict=True))
    return {
        "mesh_fps": measured.frames_per_second,
        **_against(stock, measured),
        "own_inference": _against(own, measured),
        "under_load": _named(measured),
    }


def _against(bare: list[bare_loop.Bare], measured: Measured) -> dict[str, Any]:
    """The mesh beside the bare loop, by frames a second and by CPU, which is the same where nobody else wants the cores."""
    bare_fps = sum(each.fps for each in bare) / len(bare)
    bare_cpu_ms = sum(each.cpu_ms_per_frame for each in bare) / len(bare)
    cost = measured.spent.cpu_ms_per_frame(measured.seen.frames)
    return {
        "bare_fps": bare_fps,
        "ratio": measured.frames_per_second / bare_fps,
        "ratio_by_cpu": bare_cpu_ms / cost["total"],
        "bare": [asdict(each) for each in bare],
    }


async def _overload(
    plan: Plan, mesh: Mesh, frames: list[list[Path]], task: Path, say: Say, throughput: dict[str, Any] | None
) -> dict[str, Any]:
    if throughput is None:
        say("the bare loop")
        carried_fps = (await bare_loop.run(task, frames, plan.seconds / 2, "pose")).fps
    else:
        carried_fps = throughput["own_inference"]["bare_fps"]
    say(f"overload: four times the {carried_fps:.0f} frames/s that the bare loop infers")
    return (await flooded(mesh, frames, plan.fps, carried_fps, plan.seconds)).figures()


async def _sweep(plan: Plan, mesh: Mesh, frames: list[list[Path]], say: Say) -> dict[str, Any]:
    """The highest rate with p99 of total within bounds, by halving."""
    tried = []
    low, high = plan.fps / 2, SATURATE_FPS / 2 / plan.cameras
    for _ in range(4):
        fps = (low + high) / 2
        measured = await _measure(mesh, frames, fps, max(4.0, plan.seconds / 2))
        p99 = measured.seen.stages.p("total", 99.0)
        share = measured.frames_per_second / (fps * plan.cameras)
        carried = p99 <= SLOWEST_P99_MS and share >= 0.97
        say(f"sweep: {plan.cameras} × {fps:.1f} fps: p99 {p99:.0f} ms, {share:.0%} arrive")
        tried.append({"fps": fps * plan.cameras, "total_p99_ms": p99, "share": share, "carried": carried})
        low, high = (fps, high) if carried else (low, fps)
    best = max((one["fps"] for one in tried if one["carried"]), default=None)
    return {"highest_fps": best, "p99_limit_ms": SLOWEST_P99_MS, "tried": tried}


async def _noop(plan: Plan, say: Say) -> dict[str, Any]:
    """What the mesh carries when inference costs nothing: cost by rate, cameras, and the highest rate."""
    tried: list[dict[str, Any]] = []
    async with running(plan.model, inference=False) as mesh:
        for cameras, fps in [(1, 30.0), (2, 30.0), (4, 30.0), *((NOOP_CAMERAS, fps) for fps in NOOP_FPS)]:
            measured = await _measure(mesh, clips(cameras), fps, max(4.0, plan.seconds / 2))
            cost = measured.spent.cpu_ms_per_frame(measured.seen.frames)
            reached = measured.frames_per_second
            say(f"{cameras} × {fps:g} fps: {reached:.0f} fps arrive, {cost['total']:.2f} CPU ms a frame")
            tried.append(
                {
                    "cameras": cameras,
                    "fps": fps,
                    "reached_fps": reached,
                    "cpu_ms_per_frame": cost,
                    "total_ms": measured.seen.stages.table().get("total"),
                    "dropped": measured.spent.dropped,
                    "skipped_by_viewer": measured.seen.skipped,
                }
            )
    return {"highest_fps": max(each["reached_fps"] for each in tried), "tried": tried}
