"""What goes to a pose service and what its last word means, between our terms and the protos'."""

from collections.abc import Iterable
from dataclasses import dataclass

from komi.common.v1 import frame_pb2, stream_pb2
from komi.pose.v1 import pose_service_pb2
from services.capture.frames import Frame
from services.capture.link import StreamOver
from services.capture.server_time import ServerTime
from services.mesh.stages import HOST_ID, new_traceparent
from services.mesh.times import put_duration

AGAIN_AT_ONCE = {stream_pb2.STREAM_END_REASON_DRAINING, stream_pb2.STREAM_END_REASON_REBALANCE}


@dataclass(frozen=True)
class StreamOptions:
    """What a stream's config says beside the camera's name."""

    session_id: str
    instance_id: str
    return_poses: bool
    segmentation: bool
    max_persons: int


def config_request(camera_id: str, fps: float, options: StreamOptions) -> pose_service_pb2.StreamPosesRequest:
    """First message of a stream."""
    return pose_service_pb2.StreamPosesRequest(
        config=pose_service_pb2.StreamConfig(
            camera_id=camera_id,
            session_id=options.session_id,
            mode=pose_service_pb2.STREAM_MODE_LIVE,
            return_poses=options.return_poses,
            segmentation=options.segmentation,
            max_persons=options.max_persons,
            instance_id=options.instance_id,
            fps=fps,
        )
    )


def frame_request(
    frame: Frame,
    server_time: ServerTime,
    clock: frame_pb2.ClockStatus | None,
    dropped: Iterable[stream_pb2.DropNotice],
) -> pose_service_pb2.StreamPosesRequest:
    """A compressed frame, all but the stamp of its sending.

    Filled in place: a message that is built and then put into another one is copied, JPEG and all.
    """
    assert frame.jpeg is not None
    request = pose_service_pb2.StreamPosesRequest()
    message = request.frame
    message.epoch, message.sequence = frame.epoch, frame.sequence
    message.jpeg = frame.jpeg.data
    message.traceparent = new_traceparent()
    server_time.tell(message.time, frame.stamp_ns)
    if frame.media_us is not None:
        put_duration(message.media_time, frame.media_us)
    if clock is not None:
        message.clock.MergeFrom(clock)
    message.dropped.extend(dropped)
    stamps = message.stamps
    stamps.captured_monotonic_ns = frame.captured_ns
    # A recording's frames are compressed ahead of their time.
    stamps.encoded_monotonic_ns = max(frame.jpeg.encoded_ns, frame.captured_ns)
    stamps.capture_host_id = HOST_ID
    return request


def stream_over(end: stream_pb2.StreamEnd) -> StreamOver:
    """What the server's last message means for the link."""
    reason = stream_pb2.StreamEndReason.Name(end.reason).removeprefix("STREAM_END_REASON_").lower()
    return StreamOver(reason, end.message, again_at_once=end.reason in AGAIN_AT_ONCE)
