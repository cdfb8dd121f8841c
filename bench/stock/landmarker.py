"""Loads it with the bundle that pose uses, whatever the machine lacks."""

import os
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

from bench.stock.graphics import provide_graphics
from services.pose.models.archive import DETECTOR, LANDMARKS, packed

INPUTS = {DETECTOR: (127.5, 127.5), LANDMARKS: (0.0, 255.0)}
"""How each model wants its pixels: (value - mean) / std."""


def load(task: Path, *, masks: bool = False, live: bool = True, persons: int = 1) -> Any:
    """A PoseLandmarker, to be closed: for frames one after the other if `live`, else for single images. Linux only."""
    provide_graphics()
    from mediapipe.tasks.python.core.base_options import BaseOptions
    from mediapipe.tasks.python.vision import PoseLandmarker, PoseLandmarkerOptions, RunningMode

    return PoseLandmarker.create_from_options(
        PoseLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(with_metadata(task))),
            running_mode=RunningMode.VIDEO if live else RunningMode.IMAGE,
            output_segmentation_masks=masks,
            num_poses=persons,
        )
    )


@cache
def with_metadata(task: Path) -> Path:
    """A bundle in memory with what MediaPipe must know about its models' inputs."""
    # Brings all of mediapipe.
    from bench.stock.metadata import with_image_input

    with zipfile.ZipFile(task) as archive:
        models = [(name, with_image_input(archive.read(name), *INPUTS[name])) for name in INPUTS]
    # It stays open: its path is good for as long as this process lives.
    handle = os.memfd_create("pose-model")
    with os.fdopen(os.dup(handle), "wb") as file:
        file.write(packed(models))
    return Path(f"/proc/self/fd/{handle}")
