"""What draws the mask is left out where nobody asks for masks, and nothing else changes."""

import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from services.pose.decode import ImageLimits, decode_jpeg
from services.pose.models.archive import DETECTOR, LANDMARKS, packed
from services.pose.models.masks import without_masks
from services.pose.tracker import Floats, MediaPipeTracker, TrackerOptions
from tests.pose.conftest import Video

LIMITS = ImageLimits(max_bytes=4 << 20, max_pixels=3840 * 2160)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs files in memory")


def landmarks_of(model: Path, video: Video, options: TrackerOptions) -> list[Floats]:
    tracker = MediaPipeTracker(model, options)
    try:
        persons = [
            tracker.track(decode_jpeg(jpeg, LIMITS), number * 33_333).person
            for number, jpeg in enumerate(video.jpegs[:20])
        ]
    finally:
        tracker.close()
    return [
        np.hstack([one.image_normalised, one.world_m, one.visibility[:, None], one.presence[:, None]])
        for one in persons
        if one is not None
    ]


def test_without_the_masks_branch_the_landmarks_are_the_same_to_the_last_bit(
    full_model: Path, squats: Video
) -> None:
    assert without_masks(full_model) != full_model
    seen = landmarks_of(full_model, squats, TrackerOptions())
    expected = landmarks_of(full_model, squats, TrackerOptions(segmentation=True))
    assert len(seen) == 20
    np.testing.assert_array_equal(seen, expected)


def test_a_bundle_without_the_masks_branch_is_made_once_and_is_whole(full_model: Path) -> None:
    made = without_masks(full_model)
    assert without_masks(full_model) == made
    with zipfile.ZipFile(made) as bundle:
        assert bundle.namelist() == [DETECTOR, LANDMARKS]
        assert bundle.testzip() is None


def test_a_model_that_is_built_in_another_way_is_used_as_it_is(full_model: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(full_model) as bundle:
        detector = bundle.read(DETECTOR)
    for number, content in enumerate(
        (
            b"no bundle",
            packed([("other.tflite", b"x")]),
            packed([(LANDMARKS, b"no model")]),
            packed([(LANDMARKS, detector)]),
        )
    ):
        path = tmp_path / f"{number}.task"
        path.write_bytes(content)
        assert without_masks(path) == path
