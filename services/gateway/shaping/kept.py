"""The messages of the former server, whose shapes never change: `timestamp` in seconds, keypoints as objects."""

import math

from komi.common.v1 import frame_pb2, pose_pb2
from services.gateway.shaping.encoding import Document
from services.mesh.times import from_timestamp

Timestamp = int | float


def connection_successful(camera_id: str) -> Document:
    """First message to a camera."""
    return {"type": "connection_successful", "camera_id": camera_id, "message": "connected to the server"}


def frame_processed(client_id: str, timestamp: Timestamp, frame: pose_pb2.PoseFrame) -> Document:
    """Answer to a camera's frame; `timestamp` is the one it sent."""
    return {
        "type": "frame_processed",
        "client_id": client_id,
        "timestamp": timestamp,
        "pose_data": pose_data(frame, timestamp),
    }


def cameras_list(camera_ids: list[str]) -> Document:
    """First message to a monitor, and at every change."""
    return {"type": "cameras_list", "cameras": camera_ids}


def status_update(frame: pose_pb2.PoseFrame) -> Document:
    """A monitor's news of one camera."""
    timestamp = capture_seconds(frame.time)
    return {
        "type": "status_update",
        "camera_id": frame.id.camera_id,
        "timestamp": timestamp,
        "has_new_image": True,
        "pose_data": pose_data(frame, timestamp),
    }


def pose_data(frame: pose_pb2.PoseFrame, timestamp: Timestamp) -> Document:
    """33 keypoints, `x` and `y` in pixels, `confidence` the visibility; no pose where nobody was found."""
    return {
        "pose": [{"keypoints": _keypoints(frame.pose)}] if frame.HasField("pose") else [],
        "timestamp": timestamp,
    }


def _keypoints(pose: pose_pb2.Pose) -> list[Document]:
    pixels = [round(value, 1) if math.isfinite(value) else 0.0 for value in pose.image_px]
    return [
        {"id": i, "x": x, "y": y, "confidence": round(confidence, 3) if math.isfinite(confidence) else 0.0}
        for i, (x, y, confidence) in enumerate(zip(pixels[::2], pixels[1::2], pose.visibility, strict=False))
    ]


def capture_seconds(time: frame_pb2.CaptureTime) -> float:
    """A frame's timestamp for a former client: its own where the camera sent one, else the server's, seconds."""
    own = time.source in (frame_pb2.TIME_SOURCE_CLIENT_TIMESTAMPS, frame_pb2.TIME_SOURCE_ARRIVAL)
    stamp = time.camera_time if own and time.HasField("camera_time") else time.server_time
    return from_timestamp(stamp) / 1e6
