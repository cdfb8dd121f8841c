"""The limit: decode and MediaPipe in plain processes, as many as cores, and nothing else.

With the model as it is, and with what pose makes of it where nobody asks for masks. `python -m bench.bare_loop TASK
MASKS SECONDS FRAME…` is one of the processes; it prints one JSON line.
"""

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simplejpeg

from services.pose.graphics import provide_graphics
from services.pose.models.masks import without_masks

AS_IT_IS, WITHOUT = "as-it-is", "without"
"""What becomes of the part of the model that draws masks."""
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


async def run(task: Path, clips: list[list[Path]], seconds: float, *, masks: bool = True) -> Bare:
    """Work clips off with as many processes as cores, all at once. Without `masks` with the model that pose uses."""
    cores = len(os.sched_getaffinity(0))
    kind = AS_IT_IS if masks else WITHOUT
    said = await asyncio.gather(
        *(_process(task, kind, clips[number % len(clips)], seconds) for number in range(cores))
    )
    frames = sum(each["frames"] for each in said)
    return Bare(
        fps=sum(each["frames"] / each["seconds"] for each in said),
        frames=int(frames),
        cpu_ms_per_frame=1000 * sum(each["cpu_s"] for each in said) / max(frames, 1),
        inference_ms=float(np.median([each["inference_ms"] for each in said])),
    )


async def _process(task: Path, masks: str, frames: list[Path], seconds: float) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.bare_loop", str(task), masks, f"{seconds:g}", *map(str, frames),
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


def main(task: str, masks: str, seconds: float, frames: list[str]) -> None:
    """One process: over and over the same frames."""
    provide_graphics()
    if masks == WITHOUT:
        task = str(without_masks(Path(task)))
    import mediapipe
    from mediapipe.tasks.python.core.base_options import BaseOptions
    from mediapipe.tasks.python.vision import PoseLandmarker, PoseLandmarkerOptions, RunningMode

    jpegs = [Path(frame).read_bytes() for frame in frames]
    settings = PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=task), running_mode=RunningMode.VIDEO
    )
    with PoseLandmarker.create_from_options(settings) as landmarker:
        took_s: list[float] = []
        done = 0

        def one() -> None:
            nonlocal done
            image = simplejpeg.decode_jpeg(jpegs[done % len(jpegs)], "RGB")
            began_s = time.perf_counter()
            landmarker.detect_for_video(mediapipe.Image(mediapipe.ImageFormat.SRGB, image), done * STEP_MS)
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


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4:])
