"""A synced set as the `poses` message, and the `clock` messages that ride on it."""

from komi.common.v1 import frame_pb2, pose_pb2
from komi.sync.v1 import sync_service_pb2
from services.gateway.shaping.encoding import Document, rounded
from services.gateway.shaping.stages import stages_ms
from services.mesh.times import from_duration, from_timestamp, time_source_name

PIXEL_DECIMALS, SHARE_DECIMALS, METRE_DECIMALS, LIKELIHOOD_DECIMALS = 1, 4, 4, 3


def poses_message(synced: sync_service_pb2.SyncedSet, stamps: frame_pb2.StageStamps) -> Document:
    """The `poses` message; `stamps` are the set's, with `pushed`."""
    return {
        "type": "poses",
        "session_id": synced.session_id,
        "seq": synced.sequence,
        "server_us": from_timestamp(synced.server_time),
        "kind": sync_service_pb2.SetKind.Name(synced.kind).removeprefix("SET_KIND_").lower(),
        "spread_us": synced.spread_us,
        "approximate": synced.approximate,
        "cameras": [member(frame) for frame in synced.members],
        "missing": [
            {
                "camera_id": camera.camera_id,
                "reason": _reason(camera.reason),
            }
            for camera in synced.missing
        ],
        "fused": _fused(synced.fused) if synced.HasField("fused") else None,
        "stages_ms": stages_ms(stamps),
        "traceparent": newest(synced).traceparent if synced.members else "",
    }


def newest(synced: sync_service_pb2.SyncedSet) -> pose_pb2.PoseFrame:
    """The member captured last; there must be one."""
    return max(synced.members, key=lambda frame: from_timestamp(frame.time.server_time))


def member(frame: pose_pb2.PoseFrame) -> Document:
    """One camera's part of a set."""
    return {
        "camera_id": frame.id.camera_id,
        "epoch": frame.id.epoch,
        "frame": frame.id.sequence,
        "server_us": server_us(frame.time),
        "uncertainty_us": frame.time.uncertainty_us or None,
        "time_source": time_source_name(frame.time.source),
        "width": frame.image_width,
        "height": frame.image_height,
        "persons": frame.persons,
        "media_us": from_duration(frame.media_time) if frame.HasField("media_time") else None,
        **landmarks(frame),
        "stages_ms": stages_ms(frame.stamps),
    }


def landmarks(frame: pose_pb2.PoseFrame) -> Document:
    """The five lists of a pose, or five times None where nobody was found."""
    if not frame.HasField("pose"):
        return dict.fromkeys(("image_px", "image_normalised", "world_m", "visibility", "presence"))
    pose = frame.pose
    return {
        "image_px": rounded(pose.image_px, PIXEL_DECIMALS),
        "image_normalised": rounded(pose.image_normalised, SHARE_DECIMALS),
        "world_m": rounded(pose.world_m, METRE_DECIMALS),
        "visibility": rounded(pose.visibility, LIKELIHOOD_DECIMALS),
        "presence": rounded(pose.presence, LIKELIHOOD_DECIMALS),
    }


def clock_message(frame: pose_pb2.PoseFrame) -> Document:
    """The `clock` message of a frame that carries the state of its camera's clock."""
    return {
        "type": "clock",
        "session_id": frame.id.session_id,
        "camera_id": frame.id.camera_id,
        "server_us": server_us(frame.time),
        **clock(frame.clock),
    }


def clock(status: frame_pb2.ClockStatus) -> Document:
    """State of a clock mapping."""
    return {
        "offset_us": status.offset_us,
        "drift_ppm": round(status.drift_ppm, 3),
        "round_trip_us": status.round_trip_us,
        "jitter_us": status.jitter_us,
        "uncertainty_us": status.uncertainty_us,
        "probes": status.probes,
    }


def server_us(time: frame_pb2.CaptureTime) -> int | None:
    """Capture time on the server clock; None where it was not mapped."""
    return from_timestamp(time.server_time) if time.HasField("server_time") else None


def _fused(fused: sync_service_pb2.FusedPose) -> Document:
    return {
        "world_m": rounded(fused.world_m, METRE_DECIMALS),
        "confidence": rounded(fused.confidence, LIKELIHOOD_DECIMALS),
        "reprojection_px": rounded(fused.reprojection_px, 2),
        "triangulated": fused.triangulated,
    }


def _reason(reason: sync_service_pb2.MissingReason.ValueType) -> str:
    return sync_service_pb2.MissingReason.Name(reason).removeprefix("MISSING_REASON_").lower()
