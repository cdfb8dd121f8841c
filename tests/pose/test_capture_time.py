"""When a frame was captured: what the sender says if it can be, else when it arrived."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from komi.common.v1 import frame_pb2
from komi.pose.v1 import pose_service_pb2
from services.mesh.times import from_timestamp, to_duration, to_timestamp
from services.pose.capture_time import NEWEST_US, OLDEST_US, BadTime, live_time, media_time

NOW_US = 1_800_000_000_000_000


def frame(server_us: int | None = None) -> pose_service_pb2.Frame:
    made = pose_service_pb2.Frame(sequence=1)
    if server_us is not None:
        made.time.server_time.CopyFrom(to_timestamp(server_us))
        made.time.source = frame_pb2.TIME_SOURCE_CLOCK_PROBES
        made.time.uncertainty_us = 150
    return made


@pytest.mark.parametrize("ago_us", [0, 1, 40_000, OLDEST_US, -NEWEST_US])
def test_a_mapped_time_is_kept_as_it_is(ago_us: int) -> None:
    sent = frame(NOW_US - ago_us)
    assert live_time(sent, NOW_US) == sent.time


@pytest.mark.parametrize("ago_us", [OLDEST_US + 1, -NEWEST_US - 1, NOW_US, -(10**15)])
def test_a_time_far_from_now_is_refused(ago_us: int) -> None:
    with pytest.raises(BadTime, match="s ago by its server_time"):
        live_time(frame(NOW_US - ago_us), NOW_US)


def test_without_a_time_the_arrival_stands_in() -> None:
    time = live_time(frame(), NOW_US)
    assert from_timestamp(time.server_time) == NOW_US
    assert time.source == frame_pb2.TIME_SOURCE_ARRIVAL


def test_the_cameras_own_clock_is_passed_on_beside_the_arrival() -> None:
    sent = pose_service_pb2.Frame()
    sent.time.camera_time.CopyFrom(Timestamp(seconds=5))
    time = live_time(sent, NOW_US)
    assert time.camera_time.seconds == 5
    assert time.source == frame_pb2.TIME_SOURCE_ARRIVAL


def test_before_the_server_clock_is_known_nothing_is_made_up() -> None:
    assert not live_time(frame(), None).HasField("server_time")
    assert live_time(frame(3), None) == frame(3).time


def test_a_recording_has_media_time_and_must_say_where_it_is() -> None:
    sent = frame()
    with pytest.raises(BadTime, match="media_time"):
        media_time(sent)
    sent.media_time.CopyFrom(to_duration(0))
    assert media_time(sent).source == frame_pb2.TIME_SOURCE_MEDIA
