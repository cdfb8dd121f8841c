"""The limit: decode and infer in plain processes, as many as cores, and nothing else.

With MediaPipe as it comes, and with pose's own inference. `python -m bench.bare_loop TASK ENGINE SECONDS FRAME…` is one of
the processes; it prints one JSON line.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from bench.stock.landmarker import load
from services.pose.blazepose.model import BlazePose

Engine = Literal["mediapipe", "pose"]
Infer = Callable[[NDArray[np.uint8], int], object]
"""Looks at an RGB image of a time in milliseconds."""
STEP_MS = 33
WARM_UP = 10


@dataclass(frozen=True)
class Bare:
    """What the plain processes reached, together."""

    fps: float
    frames: int
    cpu_ms_per_frame: float
    inference_ms: float
    """Median wall time of one inference."""


async def run(task: Path, clips: list[list[Path]], seconds: float, engine: Engine) -> Bare:
    """Work clips off with as many processes as cores, all at once."""
    cores = len(os.sched_getaffinity(0))
    said = await asyncio.gather(
        *(_process(task, engine, clips[number % len(clips)], seconds) for number in range(cores))
    )
    frames = sum(each["frames"] for each in said)
    return Bare(
        fps=sum(each["frames"] / each["seconds"] for each in said),
        frames=int(frames),
        cpu_ms_per_frame=1000 * sum(each["cpu_s"] for each in said) / max(frames, 1),
        inference_ms=float(np.median([each["inference_ms"] for each in said])),
    )


async def _process(task: Path, engine: Engine, frames: list[Path], seconds: float) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.bare_loop", str(task), engine, f"{seconds:g}", *map(str, frames),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(
            f"the bare loop ended with {process.returncode}: try {' '.join(sys.orig_argv[:1])} -m bench.bare_loop"
        )
    return dict(json.loads(out))


def main(task: Path, engine: str, seconds: float, frames: list[str]) -> None:
    """One process: over and over the same frames."""
    jpegs = [Path(frame).read_bytes() for frame in frames]
    with _mediapipe(task) if engine == "mediapipe" else _pose(task) as infer:
        took_s: list[float] = []
        done = 0

        def one() -> None:
            nonlocal done
            image = simplejpeg.decode_jpeg(jpegs[done % len(jpegs)], "RGB")
            began_s = time.perf_counter()
            infer(image, done * STEP_MS)
            took_s.append(time.perf_counter() - began_s)
            done += 1

        for _ in range(WARM_UP):
            one()
        took_s.clear()
        began_s, cpu_s = time.perf_counter(), time.process_time()
        while time.perf_counter() - began_s < seconds:
            one()
        spent_s = time.perf_counter() - began_s
        print(
            json.dumps(
                {
                    "frames": len(took_s),
                    "seconds": spent_s,
                    "cpu_s": time.process_time() - cpu_s,
                    "inference_ms": 1000 * float(np.median(took_s)),
                }
            )
        )


@contextmanager
def _mediapipe(task: Path) -> Iterator[Infer]:
    with load(task) as landmarker:
        from mediapipe import Image, ImageFormat

        yield lambda image, at_ms: landmarker.detect_for_video(Image(ImageFormat.SRGB, image), at_ms)


@contextmanager
def _pose(task: Path) -> Iterator[Infer]:
    tracker = BlazePose(task).tracker()
    yield lambda image, at_ms: tracker.track(image, at_ms * 1000)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4:])
