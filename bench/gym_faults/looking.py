"""Landmarks of a scene from one view: by the real pose model, kept in the cache, or the truth with noise."""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import gym
from bench.gym_faults.scenes import FPS, VIEWS, Scene
from gym.recording import cameras_of
from services.pose.blazepose.model import BlazePose
from services.pose.models import task_path
from services.scoring.movement.landmarks import LANDMARKS, Recording

MODEL: Final = "full"
OFFSET_S: Final = 0.011
"""Each further view's frames are taken so much later: cameras are not in step."""
JITTER_M: Final = 0.01
BIAS_M: Final = 0.015
PIXELS: Final = 2.0
"""Standard deviations of what stands for a pose model's errors where the truth is looked at."""

Floats = NDArray[np.float64]


def look(scene: Scene, view: int, source: str) -> Recording:
    """What one camera makes of a scene. `source`: blazepose or truth."""
    path = _folder() / f"{source}-{_edition()}" / f"{scene.name}-{view}.npz"
    if path.is_file():
        with np.load(path) as kept:
            arrays = {name: kept[name].astype(np.float64) for name in kept.files}
    else:
        arrays = _by_model(scene, view) if source == "blazepose" else _by_truth(scene, view)
        _keep(path, arrays)
    return Recording(arrays["times"], arrays["image"], arrays["world"], arrays["visibility"], FPS)


def is_kept(scene: Scene, view: int, source: str) -> bool:
    """Whether it has been looked at before."""
    return (_folder() / f"{source}-{_edition()}" / f"{scene.name}-{view}.npz").is_file()


def _times(camera: gym.VirtualCamera, view: int) -> Floats:
    return np.arange(OFFSET_S * VIEWS.index(view), camera.duration, 1.0 / FPS)


def _by_model(scene: Scene, view: int) -> dict[str, Floats]:
    camera = cameras_of(scene.script())[str(view)]
    times = _times(camera, view)
    world = np.full((len(times), LANDMARKS, 3), np.nan)
    image = np.full((len(times), LANDMARKS, 2), np.nan)
    visibility = np.zeros((len(times), LANDMARKS))
    tracker = BlazePose(task_path(MODEL)).tracker()
    for row, time_s in enumerate(times):
        found = tracker.track(camera.frame(float(time_s), number=row), round(time_s * 1e6)).person
        if found is not None:
            world[row], image[row] = found.world_m, found.image_px
            visibility[row] = found.visibility
    return {"times": times, "image": image, "world": world, "visibility": visibility}


def _by_truth(scene: Scene, view: int) -> dict[str, Floats]:
    camera = cameras_of(scene.script())[str(view)]
    times = _times(camera, view)
    rng = np.random.default_rng([scene.seed, scene.person, view % 360])
    bias = rng.normal(0.0, BIAS_M, (LANDMARKS, 3))
    rows = []
    for time_s in times:
        person = camera.truth(float(time_s)).landmarks
        if person is None:
            raise ValueError(f"{scene.name}: nobody is there at {time_s:.2f} s")
        pixels, _ = camera.calibration.project(person)
        centred = (person - (person[23] + person[24]) / 2) @ np.asarray(camera.calibration.rotation).T
        rows.append((centred + bias + rng.normal(0.0, JITTER_M, centred.shape), pixels))
    world, image = (np.array(column) for column in zip(*rows, strict=True))
    image += rng.normal(0.0, PIXELS, image.shape)
    return {"times": times, "image": image, "world": world, "visibility": np.ones((len(times), LANDMARKS))}


def _keep(path: Path, arrays: dict[str, Floats]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as part:
        compact: dict[str, Any] = {name: values.astype(np.float32) for name, values in arrays.items()}
        np.savez_compressed(part, **compact)
    Path(part.name).replace(path)


def _folder() -> Path:
    root = os.environ.get("KOMI_CACHE_DIR")
    return (Path(root) if root else Path.home() / ".cache" / "komi") / "gym-landmarks"


@cache
def _edition() -> str:
    """Changes with the gym, so that nothing is taken from a gym that is no more; the pose model's name is in it."""
    digest = hashlib.sha256(MODEL.encode())
    folder = Path(gym.__file__).parent
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".py", ".yaml", ".npz"):
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
