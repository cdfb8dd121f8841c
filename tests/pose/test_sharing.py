"""Networks are shared by all cameras: nobody's frame gets another's landmarks, and one that failed is not used again."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.pose.blazepose import threads
from services.pose.blazepose.model import BlazePose
from services.pose.blazepose.networks import Networks
from services.pose.decode import Image, ImageLimits, decode_jpeg
from services.pose.errors import InferenceFailed
from services.pose.tracker import Floats, TrackerOptions
from tests.pose.conftest import Video

LIMITS = ImageLimits(max_bytes=4 << 20, max_pixels=3840 * 2160)
FRAMES = 8


@pytest.fixture(scope="module")
def images(squats: Video) -> list[Image]:
    return [decode_jpeg(jpeg, LIMITS) for jpeg in squats.jpegs[:FRAMES]]


def followed(model: BlazePose, images: list[Image]) -> list[Floats]:
    tracker = model.tracker()
    found = [tracker.track(image, number * 33_333).person for number, image in enumerate(images)]
    return [person.image_px for person in found if person is not None]


def test_cameras_that_are_looked_at_together_each_have_their_own_landmarks(
    full_model: Path, images: list[Image]
) -> None:
    model = BlazePose(full_model, workers=2, cores=2)
    upside_down = [np.ascontiguousarray(image[:, ::-1]) for image in images]
    clips = [images, upside_down, images, upside_down]
    alone = [followed(BlazePose(full_model), clip) for clip in clips[:2]]
    begun = threading.Barrier(len(clips))

    def one(clip: list[Image]) -> list[Floats]:
        begun.wait(timeout=30)
        return followed(model, clip)

    with ThreadPoolExecutor(len(clips)) as pool:
        together = list(pool.map(one, clips))
    for number, found in enumerate(together):
        np.testing.assert_allclose(found, alone[number % 2], atol=0.05)


def test_networks_that_failed_are_replaced_and_the_tracker_begins_anew(
    full_model: Path, images: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = BlazePose(full_model)
    tracker = model.tracker()
    assert tracker.track(images[0], 0).persons == 1
    look, used = Networks.look, set()

    def failing(self: Networks, *_arguments: object, **_options: object) -> None:
        used.add(id(self))
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patched:
        patched.setattr(Networks, "look", failing)
        with pytest.raises(InferenceFailed, match="out of memory"):
            tracker.track(images[1], 33_333)

    def noted(self: Networks, *arguments: object, **options: object) -> object:
        used.add(id(self))
        return look(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Networks, "look", noted)
    assert tracker.track(images[2], 66_666).persons == 1
    assert len(used) == 2


def test_two_people_are_both_seen_and_the_larger_is_followed(full_model: Path, images: list[Image]) -> None:
    image = images[0]
    height, width = image.shape[:2]
    pair = np.zeros((height, 2 * width, 3), np.uint8)
    pair[:, :width] = image
    smaller = cv2.resize(image, None, fx=0.7, fy=0.7)
    pair[-smaller.shape[0] :, width : width + smaller.shape[1]] = smaller
    tracker = BlazePose(full_model).tracker()
    for number in range(3):
        found = tracker.track(pair, number * 33_333, TrackerOptions(max_persons=2))
        assert found.persons == 2
        assert found.person is not None
        assert found.person.image_px[:, 0].max() < width


@pytest.mark.skipif(sys.platform != "linux", reason="threads have names in /proc on Linux")
def test_a_networks_own_threads_are_known_by_name(full_model: Path, images: list[Image]) -> None:
    before = threads.running()
    model = BlazePose(full_model, cores=2)
    model.prepare()
    assert model.tracker().track(images[0], 0).persons == 1
    own = threads.running() - before
    assert len(own) == 2, "each of the two networks has one beside the caller's"
