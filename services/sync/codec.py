"""Protos to frames and groups to protos.

A pose is serialised once, when it is stored; a set is its header followed by the members' bytes as they are. Protobuf
allows that: a message is the concatenation of its fields, and a repeated field may stand anywhere.
"""

from collections.abc import Sequence

from komi.common.v1 import pose_pb2
from komi.sync.v1 import sync_service_pb2 as pb
from services.mesh.errors import InvalidInput, KomiError
from services.mesh.sessions import check_name
from services.mesh.stages import HOST_ID, monotonic_ns
from services.mesh.times import from_timestamp, put_timestamp
from services.sync import samples
from services.sync.frames import Frame
from services.sync.fusion import Fused
from services.sync.groups import Group, Missing
from services.sync.resample import Sample

MISSING = {
    Missing.IDLE: pb.MISSING_REASON_IDLE,
    Missing.NO_FRAME: pb.MISSING_REASON_NO_FRAME,
    Missing.LATE: pb.MISSING_REASON_LATE,
    Missing.JOINING: pb.MISSING_REASON_JOINING,
}
MASK_US = 40_000
"""A silhouette cannot be interpolated: that of a frame this near stands for the tick."""
# Tags of length-delimited fields.
_MEMBER_TAG = bytes([pb.SyncedSet.DESCRIPTOR.fields_by_name["members"].number << 3 | 2])
_POSE_TAG = bytes([pose_pb2.PoseFrame.DESCRIPTOR.fields_by_name["pose"].number << 3 | 2])


class BadTime(InvalidInput):
    """A capture time that cannot be."""

    reason = "BAD_TIME"


def to_frame(pose: pose_pb2.PoseFrame, now_us: int, *, future_us: int, past_us: int) -> Frame:
    """The frame of a pose that arrived at `now_us`; stamps the pose as ingested.

    Raises InvalidInput (no usable name), BadTime (no capture time, or one that is far from now).
    """
    # Each look into a message makes an object, and there are thousands of poses a second.
    named, time, stamps = pose.id, pose.time, pose.stamps
    camera_id = check_name(named.camera_id, "camera")
    if not time.HasField("server_time"):
        raise BadTime(f"pose {_name(pose)} has no capture time on the server clock: map it before sending")
    time_us = from_timestamp(time.server_time)
    ahead_us = time_us - now_us
    if ahead_us > future_us + time.uncertainty_us or -ahead_us > past_us:
        raise BadTime(
            f"pose {_name(pose)} was captured {abs(ahead_us) / 1e6:.3f} s {'after' if ahead_us > 0 else 'before'} now: "
            "check how its clock is mapped"
        )
    stamps.ingested_monotonic_ns = monotonic_ns()
    stamps.sync_host_id = HOST_ID
    return Frame(time_us, camera_id, named.epoch, named.sequence, now_us, pose.SerializeToString(), pose)


def failed(pose: pose_pb2.PoseFrame, error: KomiError) -> pb.IngestPosesResponse:
    """The answer for a pose that cannot be used."""
    answer = pb.IngestPosesResponse()
    answer.failed.epoch, answer.failed.sequence = pose.id.epoch, pose.id.sequence
    answer.failed.error, answer.failed.message = error.reason, error.message
    return answer


def encode_set(
    session_id: str, sequence: int, fence: int, group: Group, fused: Fused | None, synced_ns: int
) -> bytes:
    """SyncedSet of a group, serialised; stamped as synced at `synced_ns` of this host's monotonic clock."""
    header = pb.SyncedSet()
    header.session_id, header.sequence, header.fence = session_id, sequence, fence
    put_timestamp(header.server_time, group.time_us)
    for name, why in group.missing.items():
        header.missing.add(camera_id=name, reason=MISSING[why])
    header.spread_us, header.approximate = group.spread_us, group.approximate
    header.kind = pb.SET_KIND_GROUP if group.resampled is None else pb.SET_KIND_RESAMPLED
    if fused is not None:
        told = header.fused
        told.world_m.extend(fused.world_m.ravel().tolist())
        told.confidence.extend(fused.confidence.tolist())
        if fused.reprojection_px is not None:
            told.triangulated = True
            told.reprojection_px.extend(fused.reprojection_px.tolist())
    last = max(group.there, key=lambda frame: frame.arrival_us)
    stamps = header.stamps
    stamps.CopyFrom(_read(last).stamps)
    stamps.synced_monotonic_ns, stamps.sync_host_id = synced_ns, HOST_ID
    members = (_field(_MEMBER_TAG, payload) for payload in _payloads(group))
    return b"".join((header.SerializeToString(), *members))


def to_samples(frames: Sequence[Frame]) -> list[Sample | None]:
    """Landmarks of stored frames; None where nobody was found."""
    return samples.read([_read(frame) for frame in frames], [frame.time_us for frame in frames])


def _payloads(group: Group) -> list[bytes]:
    if group.resampled is None:
        return [frame.payload for frame in sorted(group.members, key=lambda frame: frame.camera_id)]
    return [_resampled(frame, sample, group.time_us) for frame, sample in group.resampled]


def _resampled(frame: Frame, sample: Sample | None, time_us: int) -> bytes:
    """The PoseFrame of a camera at a tick: its frame's names and stamps with interpolated landmarks."""
    pose = pose_pb2.PoseFrame.FromString(frame.payload)
    put_timestamp(pose.time.server_time, time_us)
    pose.ClearField("pose")
    if sample is None or abs(frame.time_us - time_us) > MASK_US:
        pose.ClearField("mask")
    if sample is None:
        return pose.SerializeToString()
    return pose.SerializeToString() + _field(_POSE_TAG, samples.write(sample))


def _read(frame: Frame) -> pose_pb2.PoseFrame:
    """The pose of a frame, not to be changed."""
    return frame.pose if frame.pose is not None else pose_pb2.PoseFrame.FromString(frame.payload)


def _name(pose: pose_pb2.PoseFrame) -> str:
    return f"{pose.id.camera_id!r} {pose.id.epoch}/{pose.id.sequence}"


def _field(tag: bytes, payload: bytes) -> bytes:
    return tag + samples.varint(len(payload)) + payload
