"""Landmarks are those that MediaPipe's own PoseLandmarker finds in the same frames."""

import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from bench.stock import landmarker
from services.pose.blazepose.model import BlazePose
from services.pose.decode import Image, ImageLimits, decode_jpeg
from services.pose.tracker import Floats, Mask, TrackerOptions
from tests.pose.conftest import Video

LIMITS = ImageLimits(max_bytes=4 << 20, max_pixels=3840 * 2160)
STEP_MS = 33
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="MediaPipe's bundle is made in memory"),
    pytest.mark.timeout(120),
]


@pytest.fixture(scope="module")
def images(squats: Video) -> list[Image]:
    return [decode_jpeg(jpeg, LIMITS) for jpeg in squats.jpegs]


def test_landmarks_and_outlines_are_mediapipes(full_model: Path, images: list[Image]) -> None:
    import mediapipe

    tracker = BlazePose(full_model).tracker()
    off_px, off_m, off_sure, shared = [], [], [], []
    with landmarker.load(full_model, masks=True) as stock:
        for number, image in enumerate(images):
            at_ms = number * STEP_MS
            found = tracker.track(image, at_ms * 1000, TrackerOptions(segmentation=True))
            theirs = stock.detect_for_video(mediapipe.Image(mediapipe.ImageFormat.SRGB, image), at_ms)
            assert found.persons == len(theirs.pose_landmarks) == 1
            assert found.person is not None
            assert found.mask is not None
            height, width = image.shape[:2]
            marks = np.array([(m.x * width, m.y * height, m.visibility) for m in theirs.pose_landmarks[0]])
            metres = np.array([(m.x, m.y, m.z) for m in theirs.pose_world_landmarks[0]])
            size = np.ptp(marks[:, 1])
            off_px.append(np.linalg.norm(found.person.image_px - marks[:, :2], axis=1) / size)
            off_m.append(np.abs(found.person.world_m - metres))
            off_sure.append(np.abs(found.person.visibility - marks[:, 2]))
            shared.append(overlap(found.mask, theirs.segmentation_masks[0].numpy_view()))
    print(
        f"mean {np.mean(off_px):.4f} of the body's height, {1000 * np.mean(off_m, axis=(0, 1))} mm, "
        f"visibility {np.mean(off_sure):.4f}, outlines share {np.mean(shared):.3f}"
    )
    # A region that lies a pixel elsewhere moves landmarks by a third of a pixel and depths by 10 mm: the network's own noise.
    assert np.mean(off_px) < 0.003
    assert np.percentile(off_px, 99) < 0.02
    across_m, down_m, deep_m = np.mean(off_m, axis=(0, 1))
    assert max(across_m, down_m) < 0.01
    assert deep_m < 0.03
    assert np.mean(off_sure) < 0.01
    assert np.mean(shared) > 0.95


def test_of_several_persons_looked_for_the_landmarks_are_mediapipes_too(
    full_model: Path, images: list[Image]
) -> None:
    """Reference videos are looked at so: once the squares of the frame before went first, and nothing was as it had been."""
    import mediapipe

    tracker = BlazePose(full_model).tracker()
    off = []
    with landmarker.load(full_model, persons=2) as stock:
        for number, image in enumerate(images[:20]):
            at_ms = number * STEP_MS
            person = tracker.track(image, at_ms * 1000, TrackerOptions(max_persons=2)).person
            theirs = stock.detect_for_video(mediapipe.Image(mediapipe.ImageFormat.SRGB, image), at_ms)
            height, width = image.shape[:2]
            marks = np.array([(m.x * width, m.y * height) for m in theirs.pose_landmarks[0]])
            assert person is not None
            off.append(np.linalg.norm(person.image_px - marks, axis=1) / np.ptp(marks[:, 1]))
    assert np.mean(off) < 0.003


def overlap(mask: Mask, likelihood: Floats) -> float:
    """Intersection over union of our thinned outline and MediaPipe's mask."""
    rows = np.frombuffer(zlib.decompress(mask.bits_zlib), np.uint8).reshape(mask.height, -1)
    ours = np.unpackbits(rows, axis=1)[:, : mask.width].astype(bool)
    height, width = likelihood.shape[:2]
    step = -(-width // mask.width)
    theirs = likelihood.reshape(height, width)[::step, ::step] > 0.5
    return float((ours & theirs).sum() / (ours | theirs).sum())


def test_a_frame_without_a_past_gives_the_same_landmarks_too(full_model: Path, images: list[Image]) -> None:
    import mediapipe

    model = BlazePose(full_model)
    with landmarker.load(full_model, live=False) as stock:
        for image in images[::10]:
            theirs = stock.detect(mediapipe.Image(mediapipe.ImageFormat.SRGB, image))
            height, width = image.shape[:2]
            marks = np.array([(m.x * width, m.y * height) for m in theirs.pose_landmarks[0]])
            person = model.tracker().track(image, 0).person
            assert person is not None
            assert np.abs(person.image_px - marks).mean() < 0.005 * np.ptp(marks[:, 1])


def test_one_network_on_several_cores_finds_what_it_finds_on_one(
    full_model: Path, images: list[Image]
) -> None:
    one, several = BlazePose(full_model).tracker(), BlazePose(full_model, cores=2).tracker()
    for number, image in enumerate(images[:10]):
        alone = one.track(image, number * 33_333).person
        together = several.track(image, number * 33_333).person
        assert alone is not None
        assert together is not None
        np.testing.assert_allclose(together.image_px, alone.image_px, atol=0.01)
