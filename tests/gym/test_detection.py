"""The pose model takes a rendered person for a person. This says nothing about accuracy on real people."""

from pathlib import Path

import numpy as np
import pytest

import gym
from gym import movement
from services.pose.models import ModelError, task_path
from tests.support.capabilities import require

VIEWS = ("front", "45", "side")
FRAMES = 10  # of one repetition, from each view


@pytest.fixture(scope="module")
def full_model() -> Path:
    """The full model's bundle."""
    try:
        return task_path("full")
    except ModelError as error:
        require(False, str(error))
        raise


def test_the_person_is_found_in_99_of_100_frames_of_every_movement_from_front_45_and_side(
    full_model: Path,
) -> None:
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(full_model)), running_mode=vision.RunningMode.VIDEO
    )
    frames, missed, errors = 0, [], []
    for name in movement.names():
        faults = [*movement.load(name).faults, ""]
        for number, view in enumerate(VIEWS):
            fault = faults[number % len(faults)]
            form = f"&form={fault}:0.8" if fault else ""
            camera = gym.open_address(
                f"gym:{name}?view={view}&person={number + 1}&reps=1&epoch=0{form}", now=0.0
            )
            step = camera.duration / FRAMES
            with vision.PoseLandmarker.create_from_options(options) as model:
                for i in range(FRAMES):
                    image = mp.Image(image_format=mp.ImageFormat.SRGB, data=camera.frame(i * step))
                    found = model.detect_for_video(image, int(i * step * 1000) + 1)
                    frames += 1
                    if not found.pose_landmarks:
                        missed.append(f"{name} {fault or 'good'} {view} {i * step:.1f} s")
                        continue
                    seen = camera.seen(i * step)
                    assert seen is not None
                    pixels = np.array([(p.x * 640 - 0.5, p.y * 480 - 0.5) for p in found.pose_landmarks[0]])
                    main_joints = [*range(11, 17), *range(23, 29)]
                    errors.append(np.linalg.norm(pixels - seen.pixels, axis=1)[main_joints].mean())
    assert len(missed) <= 0.01 * frames, missed
    # Found where it is, by the conventions of the two: a wide net against a swapped or shifted truth.
    assert np.median(errors) < 8
