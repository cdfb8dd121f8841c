"""Writes a script as videos with their truth: one MP4 a camera, truth.json, calibration."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl

import cv2
import numpy as np
from numpy.typing import NDArray

from gym.address import CAMERA_KEYS, read_view
from gym.calibration import caliscope_toml, pose2sim_toml
from gym.errors import GymError, ScriptError
from gym.landmarks import NAMES
from gym.script import Script
from gym.stage import Stage
from gym.timeline import Repetition
from gym.virtual_camera import VirtualCamera

Progress = Callable[[str, int, int], None]
Json = dict[str, object]


def cameras_of(script: Script) -> dict[str, VirtualCamera]:
    """The script's cameras by name, on one stage, one cycle long."""
    once = replace(script, loop=False)
    stage = Stage(once)
    cameras = {}
    for name, query in script.cameras.items():
        settings = dict(parse_qsl(query, keep_blank_values=True))
        if unknown := set(settings) - set(CAMERA_KEYS):
            raise ScriptError(
                f"camera {name}: unknown {', '.join(sorted(unknown))}; known: {', '.join(CAMERA_KEYS)}"
            )
        view = read_view(settings, name, size=script.size, fps=script.fps, seed=script.seed)
        cameras[name] = VirtualCamera(once, view, stage=stage)
    return cameras


def record(script: Script, folder: Path, progress: Progress | None = None) -> list[Path]:
    """Write one cycle of a script into `folder`; returns what was written.

    Raises:
        GymError: a video cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cameras = cameras_of(script)
    written = []
    truths: dict[str, list[Json]] = {}
    for name, camera in cameras.items():
        path = folder / f"{name}.mp4"
        truths[name] = _film(camera, path, name, progress)
        written.append(path)
    first = next(iter(cameras.values()))
    document: Json = {
        "version": 1,
        "title": script.title,
        "note": "A rendered person: this says nothing about accuracy on real people.",
        "seed": script.seed,
        "duration": first.duration,
        "units": {
            "landmarks": "room metres, z up",
            "pixels": "(0, 0) is the middle of the first pixel",
            "times": "s",
        },
        "landmark_names": list(NAMES),
        "repetitions": [repetition_json(r) for r in first.stage.timeline.repetitions()],
        "cameras": truths,
    }
    for name, text in (
        ("truth.json", json.dumps(document, separators=(",", ":"))),
        ("Calib.toml", pose2sim_toml([c.calibration for c in cameras.values()])),
        ("camera_array.toml", caliscope_toml([c.calibration for c in cameras.values()])),
    ):
        (folder / name).write_text(text + "\n", encoding="utf-8")
        written.append(folder / name)
    return written


def _film(camera: VirtualCamera, path: Path, name: str, progress: Progress | None) -> list[Json]:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), camera.fps, camera.size)
    if not writer.isOpened():
        raise GymError(f"{path}: no video can be written there")
    total = round(camera.duration * camera.fps)
    frames = []
    try:
        for shot in camera.shots(_Still(), live=False):
            writer.write(np.ascontiguousarray(shot.image[..., ::-1]))
            frames.append(frame_json(camera, shot.number, shot.true_time, shot.stamp))
            if progress is not None:
                progress(name, len(frames), total)
    finally:
        writer.release()
    return frames


def frame_json(camera: VirtualCamera, number: int, true_time: float, stamp: float) -> Json:
    """The truth of one frame of one camera."""
    truth = camera.truth(true_time)
    seen = camera.seen(true_time)
    return {
        "number": number,
        "true_time": round(true_time, 6),
        "stamp": round(stamp, 6),
        "person": truth.person,
        "movement": truth.movement,
        "phase": truth.phase,
        "repetition": truth.repetition.index if truth.repetition else None,
        "faults": dict(truth.faults),
        "angles": {k: round(v, 2) for k, v in truth.angles.items()},
        "landmarks": _listed(truth.landmarks, 4),
        "pixels": _listed(None if seen is None else seen.pixels, 2),
        "visibility": _listed(None if seen is None else seen.visibility, 0),
    }


def repetition_json(repetition: Repetition) -> Json:
    """One repetition's boundaries, seconds from the beginning of the script."""
    return {
        "index": repetition.index,
        "person": repetition.person,
        "movement": repetition.movement,
        "faults": dict(repetition.faults),
        "mirrored": repetition.mirrored,
        **{k: round(getattr(repetition, k), 4) for k in ("start", "lowest", "rise", "end")},
    }


def _listed(values: NDArray[np.float64] | None, digits: int) -> object:
    """As lists; NaN (behind the camera) becomes null."""
    if values is None:
        return None
    rounded = np.round(values, digits).tolist()
    if np.isfinite(values).all():
        return rounded
    return [_without_nan(row) for row in rounded]


def _without_nan(row: object) -> object:
    if isinstance(row, list):
        return [_without_nan(v) for v in row]
    return row if row == row else None


class _Still:
    """Nobody waits for a recording."""

    def time(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Not."""


def cameras_summary(cameras: Mapping[str, VirtualCamera]) -> Iterator[str]:
    """A line a camera."""
    for name, camera in cameras.items():
        width, height = camera.size
        yield f"{name}: {width}x{height} at {camera.fps:g} fps, {camera.duration:.1f} s"
