"""Landmarks of the shared recordings, from the real model, once a run."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from services.pose.blazepose.model import BlazePose
from services.pose.decode import ImageLimits, decode_jpeg
from services.pose.models import ModelError, task_path
from services.scoring.library.video import SampleVideo
from services.scoring.movement.landmarks import LANDMARKS, Recording
from tests.support.capabilities import require

LIMITS = ImageLimits(16 << 20, 1 << 24)
Watch = Callable[[str], Recording]


@pytest.fixture(scope="session")
def published_squats(shared_data: Path) -> Recording:
    """The landmarks tfjs-models publishes for its squat video."""
    folder = shared_data / "tfjs-pose-squats"
    image = np.array(json.loads((folder / "pose_squats.full.json").read_text()))[:, :, :2]
    world = np.array(json.loads((folder / "pose_squats_3d.full.json").read_text()))
    return Recording(np.arange(len(image)) / 5.0, image, world, np.ones((len(image), LANDMARKS)), 5.0)


@pytest.fixture(scope="session")
def watch(shared_data: Path) -> Watch:
    """Look at a shared video with the full model; its path within the shared data."""
    try:
        model = task_path("full")
    except ModelError as error:
        require(False, str(error))
        raise

    @cache
    def landmarks(path: str) -> Recording:
        video = SampleVideo(shared_data / path, label=path, longest_s=60, most_fps=60)
        tracker = BlazePose(model).tracker()
        rows = []
        for frame in video.read():
            person = tracker.track(decode_jpeg(frame.jpeg, LIMITS), round(frame.time_s * 1e6)).person
            nobody = (np.full((33, 2), np.nan), np.full((33, 3), np.nan), np.zeros(33))
            seen = (person.image_px, person.world_m, person.visibility) if person is not None else nobody
            rows.append((frame.time_s, *seen))
        video.close()
        times, image, world, visibility = (
            np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)
        )
        return Recording(times, image, world, visibility, video.fps)

    return landmarks
