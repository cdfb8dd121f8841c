"""What a run found: the table, the picture, and what it was found on."""

import os
import platform
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from bench import curves, usage
from bench.run import Plan

PACKAGES = (
    "mediapipe",
    "ai-edge-litert",
    "grpcio",
    "protobuf",
    "redis",
    "numpy",
    "simplejpeg",
    "uvloop",
    "numba",
)
COLUMNS = ("p50", "p90", "p99", "p99.9", "max")

Found = dict[str, Any]


def headed(plan: Plan, found: Found) -> Found:
    """With the plan, the machine and the versions in front."""
    return {
        "plan": asdict(plan),
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "cpu": _cpu_model(),
            "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
            "system": platform.platform(),
            "load_average": os.getloadavg(),
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        },
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        **found,
    }


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()


def table(found: Found) -> str:
    """For a terminal."""
    lines: list[str] = []
    if "stages" in found:
        lines += ["", f"{'milliseconds':<14}" + "".join(f"{column:>9}" for column in COLUMNS)]
        for stage, row in found["stages"].items():
            lines.append(f"{stage:<14}" + "".join(f"{row[column]:>9.1f}" for column in COLUMNS))
        frames = found["frames"]
        lines += ["", f"frames         {frames['in']} in, {frames['out']} out {_dropped(frames)}"]
        lines += ["", "CPU ms a frame  " + _row(found["cpu_ms_per_frame"], ".2f")]
        lines += ["peak memory MB  " + _row(found["peak_memory_mb"], ".0f")]
        lines += ["resident MB     " + _row(found["resident_memory_mb"], ".0f")]
    if "ready_s" in found:
        lines.append(f"ready in        {found['ready_s']:.1f} s")
    if "idle_cpu_percent_of_a_core" in found:
        idle = f"idle            {found['idle_cpu_percent_of_a_core']:.1f} % of a core right after the start"
        settled = found.get("idle_settled_cpu_percent_of_a_core")
        lines.append(idle if settled is None else f"{idle}, {settled:.1f} % settled")
        by_service = found["idle_by_service"].get("settled", found["idle_by_service"]["start"])
        lines.append(" " * 16 + _row(by_service, ".1f"))
    if throughput := found.get("throughput"):
        lines += ["", *_saturation(throughput)]
    if flood := found.get("overload"):
        lines += ["", *_overload(flood)]
    if sweep := found.get("sweep"):
        best = sweep["highest_fps"]
        lines.append(f"p99 ≤ {sweep['p99_limit_ms']:.0f} ms    up to {best and f'{best:.0f}'} fps")
    if alone := found.get("mesh_alone"):
        lines.append(f"mesh alone      {alone['highest_fps']:.0f} fps without inference")
        for each in alone["tried"]:
            cost = _row(each["cpu_ms_per_frame"], ".2f")
            lines.append(
                f"                {each['cameras']} × {each['fps']:g}: {each['reached_fps']:.0f} fps, {cost}"
            )
    if former := found.get("former_design"):
        lines += _former(former)
    if lines_through := found.get("curves"):
        lines += ["", *curves.table(lines_through)]
    return "\n".join(lines)


def _saturation(throughput: Found) -> list[str]:
    load = throughput["under_load"]
    p99, fairness = load["stages"]["total"]["p99"], load["frames"]["fairness"]

    def beside(bare: Found) -> str:
        return f"{bare['bare_fps']:.1f} fps: {bare['ratio']:.0%} ({bare['ratio_by_cpu']:.0%} by CPU)"

    return [
        f"at saturation   mesh {throughput['mesh_fps']:.1f} fps, bare loop with MediaPipe {beside(throughput)}",
        f"                bare loop with pose's own inference {beside(throughput['own_inference'])}",
        f"                p99 {p99:.0f} ms, fairness {fairness:.2f}",
        f"                CPU ms a frame {_row(load['cpu_ms_per_frame'], '.2f')}",
    ]


def _former(former: Found) -> list[str]:
    p50, p99 = (former["total_ms"].get(name, 0) for name in ("p50", "p99"))
    times = former.get("p50_times_ours", 0)
    seen, sent = former["seen"], former["sent"]
    lines = [
        f"former design   p50 {p50:.0f} ms, p99 {p99:.0f} ms: {times:.1f} times ours; {seen} of {sent} frames seen"
    ]
    if without := former.get("p50_times_ours_without_inference"):
        lines.append(f"                {without:.1f} times, the model's own time taken off both")
    return lines


def _overload(flood: Found) -> list[str]:
    """Each figure with its bar."""
    bars, held = flood["bars"], flood["held"]

    def told(name: str, value: float | None, form: str, unit: str = "") -> str:
        verdict = "held" if held[name] else "NOT HELD"
        return f"{value:{form}}{unit} (bar {bars[name]:g}: {verdict})" if value is not None else verdict

    shared = told("fairness", flood["fairness"], ".2f")
    late = told("latency", flood["p99_times_unloaded"], ".1f")
    sent = told("slowed_down", flood["sent_a_frame_looked_at"], ".2f")
    over = told("recovery", flood["recovery_s"], ".1f", " s")
    offered, looked_at = flood["offered_fps"], flood["looked_at_fps"]
    return [
        f"overload        {offered:.0f} frames/s offered, {looked_at:.0f} looked at; fairness {shared}",
        f"                p99 {flood['p99_ms']:.0f} ms, {late} times the unloaded; recovery {over}",
        f"                frames sent for each looked at {sent}",
    ]


def _dropped(frames: Found) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in frames["dropped"].items())
    return f"(dropped: {reasons})" if reasons else "(none dropped)"


def _row(values: dict[str, float], form: str) -> str:
    return "  ".join(f"{name} {value:{form}}" for name, value in values.items())


def draw(found: Found, path: Path) -> None:
    """Three pictures in one: where time goes, where CPU goes, how fast."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(16, 5), constrained_layout=True)
    stages = {name: row for name, row in found.get("stages", {}).items() if name != "total - infer"}
    names = list(stages)[::-1]
    for percentile, shade in (("p99", "#c7d7ea"), ("p50", "#2d6aa8")):
        left.barh(names, [stages[name][percentile] for name in names], color=shade, label=percentile)
    left.set(title="Where time goes", xlabel="milliseconds")
    if stages:
        left.legend()
    cpu = {k: v for k, v in found.get("cpu_ms_per_frame", {}).items() if k not in usage.SUMS}
    if cpu:
        model = found["cpu_ms_per_frame"]["inference"]
        middle.bar(["inference"], [model], color="#9aa5b1")
        cpu["pose"] -= model
        middle.bar(list(cpu), list(cpu.values()), color="#2d6aa8")
        middle.tick_params(axis="x", rotation=45)
    middle.set(title="Where CPU goes", ylabel="CPU milliseconds a frame")
    speeds: dict[str, float] = {}
    if throughput := found.get("throughput"):
        speeds |= {"bare loop": throughput["bare_fps"], "mesh": throughput["mesh_fps"]}
    if alone := found.get("mesh_alone"):
        speeds["mesh without\ninference"] = alone["highest_fps"]
    right.bar(list(speeds), list(speeds.values()), color="#2d6aa8")
    right.set(title="Frames a second", ylabel="all cameras together")
    figure.savefig(path, dpi=110)
    plt.close(figure)
