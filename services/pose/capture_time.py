"""Decides when a frame was captured: as the sender says, as the recording says, or else when it arrived.

Pure: the caller reads the clock.
"""

from komi.common.v1 import frame_pb2
from komi.pose.v1 import pose_service_pb2
from services.mesh.times import from_timestamp, to_timestamp
from services.pose.errors import FrameError

OLDEST_US = 30_000_000
"""A live frame captured longer ago than this is a mistake of its sender's clock, or of no use."""
NEWEST_US = 2_000_000
"""So is one from further ahead than this."""


class BadTime(FrameError):
    """A frame whose capture time cannot be."""

    reason = "BAD_TIME"


def media_time(frame: pose_service_pb2.Frame) -> frame_pb2.CaptureTime:
    """Time of a frame of a recording: as sent, marked as media time. Raises BadTime where it names no position."""
    if not frame.HasField("media_time"):
        raise BadTime("a lossless frame has no media_time: send its position in the recording")
    time = frame_pb2.CaptureTime()
    time.CopyFrom(frame.time)
    time.source = frame_pb2.TIME_SOURCE_MEDIA
    return time


def live_time(frame: pose_service_pb2.Frame, now_us: int | None) -> frame_pb2.CaptureTime:
    """Time of a live frame that arrived at `now_us`, server clock, microseconds since the epoch.

    None for `now_us`: the server clock is not known yet. Then what the sender says is taken unchecked, and a frame
    without a time stays without. Raises BadTime where the sender's time is far from now.
    """
    time = frame_pb2.CaptureTime()
    time.CopyFrom(frame.time)
    if now_us is None:
        return time
    if time.HasField("server_time"):
        server_us = from_timestamp(time.server_time)
        if not now_us - OLDEST_US <= server_us <= now_us + NEWEST_US:
            raise BadTime(
                f"captured {(now_us - server_us) / 1e6:.1f} s ago by its server_time: measure the server clock with "
                "probes, or leave the time out"
            )
        return time
    time.server_time.CopyFrom(to_timestamp(now_us))
    time.uncertainty_us = 0
    time.source = frame_pb2.TIME_SOURCE_ARRIVAL
    return time
