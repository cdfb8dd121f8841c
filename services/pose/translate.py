"""Protos to dataclasses and back."""

from dataclasses import dataclass

from komi.common.v1 import frame_pb2, pose_pb2, stream_pb2
from komi.pose.v1 import pose_service_pb2
from services.mesh.keys import LIVE_SESSION
from services.mesh.sessions import check_name
from services.mesh.stages import HOST_ID, new_traceparent
from services.pose.errors import BadStream, FrameError, InferenceFailed, OversizedImage
from services.pose.lane import Done
from services.pose.tracker import LANDMARKS, Found, Person, TrackerOptions

MOST_PERSONS = 4


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """What a stream's first message asks for, checked."""

    camera_id: str
    session_id: str
    lossless: bool
    return_poses: bool
    instance_id: str
    options: TrackerOptions


@dataclass(frozen=True, slots=True)
class Arrived:
    """A frame, and when it was taken from the transport."""

    frame: pose_service_pb2.Frame
    received_ns: int
    session_id: str
    time: frame_pb2.CaptureTime


def stream_request(config: pose_service_pb2.StreamConfig, unnamed_instance: str) -> StreamRequest:
    """Check a stream's config. Raises InvalidInput naming the field."""
    lossless = config.mode == pose_service_pb2.STREAM_MODE_LOSSLESS
    if config.max_persons > MOST_PERSONS:
        raise BadStream(
            f"max_persons is {config.max_persons}: ask for 1 to {MOST_PERSONS}", reason="BAD_MAX_PERSONS"
        )
    if config.mode not in pose_service_pb2.StreamMode.values():
        raise BadStream(f"mode {config.mode} is none that this service knows", reason="BAD_MODE")
    session_id = config.session_id or ("" if lossless else LIVE_SESSION)
    return StreamRequest(
        camera_id=check_name(config.camera_id, "camera_id"),
        session_id=check_name(session_id, "session_id") if session_id else "",
        lossless=lossless,
        return_poses=config.return_poses or lossless,
        instance_id=config.instance_id or unnamed_instance,
        options=TrackerOptions(segmentation=config.segmentation, max_persons=max(config.max_persons, 1)),
    )


def pose_frame(done: Done[Arrived], camera_id: str) -> pose_pb2.PoseFrame:
    """What goes to sync and back to the sender; `done.found` is set."""
    arrived, found = done.job.tag, done.found
    assert found is not None
    frame = arrived.frame
    answer = pose_pb2.PoseFrame(
        id=frame_pb2.FrameId(
            session_id=arrived.session_id,
            camera_id=camera_id,
            epoch=frame.epoch,
            sequence=frame.sequence,
        ),
        time=arrived.time,
        image_width=found.width,
        image_height=found.height,
        stamps=frame.stamps,
        traceparent=frame.traceparent or new_traceparent(),
        persons=found.persons,
        media_time=frame.media_time if frame.HasField("media_time") else None,
        clock=frame.clock if frame.HasField("clock") else None,
        mask=_mask(found),
    )
    if found.person is not None:
        answer.pose.MergeFromString(_packed(found.person))
    stamps = answer.stamps
    stamps.received_monotonic_ns = arrived.received_ns
    stamps.dequeued_monotonic_ns = done.dequeued_ns
    stamps.decoded_monotonic_ns = done.decoded_ns
    stamps.inferred_monotonic_ns = done.inferred_ns
    stamps.pose_host_id = HOST_ID
    return answer


def frame_failed(frame: pose_service_pb2.Frame, error: FrameError) -> stream_pb2.FrameFailed:
    """Why one frame could not be used."""
    return stream_pb2.FrameFailed(
        epoch=frame.epoch, sequence=frame.sequence, error=error.reason, message=error.message
    )


def drop_reason(error: FrameError) -> stream_pb2.DropReason.ValueType:
    """Under which reason a failed frame is counted."""
    if isinstance(error, OversizedImage):
        return stream_pb2.DROP_REASON_OVERSIZED
    if isinstance(error, InferenceFailed):
        return stream_pb2.DROP_REASON_UNSPECIFIED
    return stream_pb2.DROP_REASON_BROKEN


def _packed(person: Person) -> bytes:
    """A serialised komi.common.v1.Pose: 1 µs in place of the 32 it takes to make numbers of arrays, and a proto of those."""
    return b"".join(head + getattr(person, name).astype("<f4", copy=False).tobytes() for name, head in _HEADS)


def _heads() -> list[tuple[str, bytes]]:
    """What stands on the wire before each packed list of a Pose: number, kind and bytes that follow."""
    heads = []
    for name, width in (
        ("image_px", 2),
        ("image_normalised", 3),
        ("world_m", 3),
        ("visibility", 1),
        ("presence", 1),
    ):
        blank = pose_pb2.Pose(**{name: [1.0] * LANDMARKS * width}).SerializeToString()
        heads.append((name, blank[: -4 * LANDMARKS * width]))
    return heads


_HEADS = _heads()


def _mask(found: Found) -> pose_pb2.SegmentationMask | None:
    mask = found.mask
    if mask is None:
        return None
    return pose_pb2.SegmentationMask(width=mask.width, height=mask.height, bits_zlib=mask.bits_zlib)
