"""Landmarks are read from a pose and written into one in a single step, and come out as field by field."""

import numpy as np
import pytest

from komi.common.v1 import pose_pb2
from services.sync import samples
from services.sync.resample import LANDMARKS


def filled(*lists: str) -> pose_pb2.PoseFrame:
    frame = pose_pb2.PoseFrame(image_width=640, image_height=480)
    rng = np.random.default_rng(1)
    for name, width in samples.LISTS:
        if name in lists:
            getattr(frame.pose, name).extend(rng.normal(size=LANDMARKS * width).tolist())
    return frame


NAMES = [name for name, _ in samples.LISTS]


@pytest.mark.parametrize("lacking", [None, "image_px", "presence"])
def test_what_is_read_is_what_the_lists_hold(lacking: str | None) -> None:
    frame = filled(*(name for name in NAMES if name != lacking))
    (sample,) = samples.read([frame], [7])
    assert sample is not None
    landmarks = np.concatenate([sample.values, sample.confidence], axis=1)
    column = 0
    for name, width in samples.LISTS:
        expected = np.asarray(getattr(frame.pose, name)).reshape(-1, width)
        if name == lacking:
            expected = np.full((LANDMARKS, width), float(width == 1))
        assert np.array_equal(landmarks[:, column : column + width], expected)
        column += width
    assert (sample.time_us, sample.size_px) == (7, (640, 480))


def test_poses_read_together_are_read_as_each_by_itself() -> None:
    frames = [filled(*NAMES), pose_pb2.PoseFrame(), filled(*NAMES[1:]), filled(*NAMES)]
    together = samples.read(frames, [1, 2, 3, 4])
    for n, (frame, sample) in enumerate(zip(frames, together, strict=True), 1):
        (alone,) = samples.read([frame], [n])
        assert (sample is None) == (alone is None) == (n == 2)
        if sample is not None and alone is not None:
            assert sample.time_us == n
            assert np.array_equal(sample.values, alone.values)
            assert np.array_equal(sample.confidence, alone.confidence)


def test_what_is_written_is_the_pose_that_was_read() -> None:
    frame = filled(*NAMES)
    (sample,) = samples.read([frame], [7])
    assert sample is not None
    assert pose_pb2.Pose.FromString(samples.write(sample)) == frame.pose


def test_nobody_found_gives_no_sample() -> None:
    assert samples.read([pose_pb2.PoseFrame()], [7]) == [None]
