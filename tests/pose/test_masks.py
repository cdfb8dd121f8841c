"""What draws the mask is left out where nobody asks for masks, and nothing else changes."""

import zipfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.pose.blazepose.model import BlazePose
from services.pose.decode import ImageLimits, decode_jpeg
from services.pose.models.archive import DETECTOR, LANDMARKS
from services.pose.models.masks import without_mask
from services.pose.tracker import Floats, TrackerOptions
from tests.pose.conftest import Video

LIMITS = ImageLimits(max_bytes=4 << 20, max_pixels=3840 * 2160)


def landmarks_of(model: BlazePose, video: Video, options: TrackerOptions) -> list[Floats]:
    tracker = model.tracker()
    persons = [
        tracker.track(decode_jpeg(jpeg, LIMITS), number * 33_333, options).person
        for number, jpeg in enumerate(video.jpegs[:20])
    ]
    return [
        np.hstack([one.image_normalised, one.world_m, one.visibility[:, None], one.presence[:, None]])
        for one in persons
        if one is not None
    ]


def test_without_the_masks_branch_the_landmarks_are_the_same_to_the_last_bit(
    full_model: Path, squats: Video
) -> None:
    model = BlazePose(full_model)
    seen = landmarks_of(model, squats, TrackerOptions())
    expected = landmarks_of(model, squats, TrackerOptions(segmentation=True))
    assert len(seen) == 20
    np.testing.assert_array_equal(seen, expected)


def test_the_masks_branch_is_half_of_the_landmark_models_operators(full_model: Path) -> None:
    with zipfile.ZipFile(full_model) as bundle:
        whole, detector = bundle.read(LANDMARKS), bundle.read(DETECTOR)
    pruned = without_mask(whole)
    assert pruned is not None
    assert len(pruned) == len(whole), "it is cut in place"
    assert pruned != whole
    assert without_mask(detector) is None, "built in another way"


@given(st.binary(max_size=200), st.booleans())
def test_what_is_no_model_is_told_so(content: bytes, named: bool) -> None:
    assert without_mask(content[:4].ljust(4, b"\0") + b"TFL3" + content[4:] if named else content) is None
