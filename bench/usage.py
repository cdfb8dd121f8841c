"""What each service spends: CPU, that of inference apart, and memory; and what it gave up, from its metrics."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from services.pose.blazepose.threads import THREAD_NAME

SUMS = ("total", "inference", "mesh")
"""What stands beside the services in CPU by frame."""
TICKS = 100.0
"""Of /proc, a second."""


@dataclass(frozen=True)
class Clocks:
    """CPU seconds that all services have spent by now."""

    at_s: float
    cpu_s: Mapping[str, float]
    inference_s: float
    """Of the networks' own threads."""


@dataclass(frozen=True)
class Reading:
    """The counts of all services at one instant; asking them for it costs them CPU between `before` and `after`."""

    before: Clocks
    after: Clocks
    calls_s: float
    """CPU of pose's workers inside the model's calls."""
    dropped: Counter[tuple[str, str, str]]
    """Service, stage, reason."""
    captured: float
    """Frames that the sources gave."""
    sent: float
    """Frames that capture handed to the transport."""


@dataclass(frozen=True)
class Spent:
    """Between two readings."""

    seconds: float
    cpu_s: dict[str, float]
    inference_s: float
    """Of the networks' own threads."""
    calls_s: float
    """Of pose's workers inside the model's calls."""
    dropped: dict[str, int]
    """`service/stage/reason`."""
    captured: int
    sent: int

    def cpu_ms_per_frame(self, frames: int) -> dict[str, float]:
        """`total`, `inference` (what stands in MediaPipe's place: from pixels to landmarks), `mesh` (all else), each service."""
        each = 1000 / max(frames, 1)
        total_s = sum(self.cpu_s.values())
        inference_s = self.inference_s + self.calls_s
        return {
            "total": total_s * each,
            "inference": inference_s * each,
            "mesh": (total_s - inference_s) * each,
            **{name: spent * each for name, spent in self.cpu_s.items()},
        }


CpuOf = Callable[[], tuple[dict[str, float], float]]
"""CPU seconds of each service so far, and those of the networks' own threads."""


async def read(cpu: CpuOf, metrics: Mapping[str, str]) -> Reading:
    """The counts now. `metrics`: addresses of /metrics by service."""
    dropped: Counter[tuple[str, str, str]] = Counter()
    captured = sent = calls_s = 0.0
    before = Clocks(time.monotonic(), *cpu())
    async with httpx.AsyncClient(timeout=30) as client:
        texts = [(await client.get(address)).text for address in metrics.values()]
    after = Clocks(time.monotonic(), *cpu())
    for text in texts:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == "komi_dropped_total":
                    labels = sample.labels
                    dropped[labels["service"], labels["stage"], labels["reason"]] += int(sample.value)
                elif sample.name == "komi_capture_frames_read_total":
                    captured += sample.value
                elif sample.name == "komi_capture_frames_sent_total":
                    sent += sample.value
                elif sample.name == "komi_pose_model_calls_cpu_seconds_total":
                    calls_s += sample.value
    return Reading(before, after, calls_s, dropped, captured, sent)


def of_processes(pids: Mapping[str, int]) -> tuple[dict[str, float], float]:
    """CPU of processes of this machine; `pose` is among them."""
    return cpu_of(pids), inference_s(pids["pose"])


def cpu_of(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds of each process so far."""
    return {name: _cpu_s(psutil.Process(pid)) for name, pid in pids.items()}


def between(first: Reading, last: Reading) -> Spent:
    """What was spent from one reading to the other, without what the readings themselves cost."""
    dropped = last.dropped - first.dropped
    began, ended = first.after, last.before
    return Spent(
        ended.at_s - began.at_s,
        {name: spent - began.cpu_s.get(name, 0.0) for name, spent in ended.cpu_s.items()},
        ended.inference_s - began.inference_s,
        last.calls_s - first.calls_s,
        {"/".join(key): count for key, count in sorted(dropped.items())},
        int(last.captured - first.captured),
        int(last.sent - first.sent),
    )


def peak_memory_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """Highest resident memory since each service's start, MB (Linux; elsewhere the present one)."""
    return {name: _peak_mb(pid) for name, pid in pids.items()}


def resident_memory_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """Resident memory now, MB; a page that several share counts in parts (Linux; elsewhere fully)."""
    return {name: _shared_out_mb(psutil.Process(pid)) for name, pid in pids.items()}


def _peak_mb(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def inference_s(pid: int) -> float:
    """CPU of the networks' own threads; 0 where /proc does not tell."""
    spent = 0
    for task in Path(f"/proc/{pid}/task").glob("*/stat"):
        try:
            name, _, rest = task.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if name == THREAD_NAME:
            fields = rest.split()
            spent += int(fields[11]) + int(fields[12])
    return spent / TICKS


def _shared_out_mb(process: psutil.Process) -> float:
    memory = process.memory_full_info()
    return float(getattr(memory, "pss", memory.rss)) / 1e6
