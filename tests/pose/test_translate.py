"""What was found reaches the proto as it was found."""

import numpy as np
import pytest

from komi.common.v1 import frame_pb2, pose_pb2
from komi.pose.v1 import pose_service_pb2
from services.pose.lane import Done, Job
from services.pose.tracker import LANDMARKS, Found, Person
from services.pose.translate import Arrived, pose_frame

LISTS = ("image_px", "image_normalised", "world_m", "visibility", "presence")


def frame_of(person: Person | None) -> pose_pb2.PoseFrame:
    frame = pose_service_pb2.Frame(epoch=2, sequence=3, jpeg=b"")
    arrived = Arrived(frame, 1_000, "live", frame_pb2.CaptureTime())
    found = Found(640, 480, persons=int(person is not None), person=person)
    return pose_frame(Done(Job(arrived, b"", 0), found, None, 2_000, 3_000, 4_000), "cam01")


@pytest.mark.parametrize("scale", [0.0, 1.0, -1e9])
def test_landmarks_packed_in_one_step_are_those_packed_list_by_list(scale: float) -> None:
    rng = np.random.default_rng(4)
    shapes = ((LANDMARKS, 2), (LANDMARKS, 3), (LANDMARKS, 3), (LANDMARKS,), (LANDMARKS,))
    person = Person(*[np.asarray(scale * rng.random(shape), np.float32) for shape in shapes])
    lists = {name: getattr(person, name).ravel().tolist() for name in LISTS}
    assert frame_of(person).pose == pose_pb2.Pose(**lists)


def test_where_nobody_was_found_there_is_no_pose() -> None:
    frame = frame_of(None)
    assert not frame.HasField("pose")
    assert (frame.persons, frame.image_width, frame.image_height) == (0, 640, 480)
