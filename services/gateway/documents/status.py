"""What a session is doing now."""

from typing import Literal

from services.gateway.documents.base import Document, Micros, example
from services.gateway.documents.sessions import SESSION, Session

CAMERA = {
    "camera_id": "front", "connected": True, "fps": 29.8, "width": 640, "height": 480, "time_source": "clock_probes",
    "idle": False, "completeness": 0.998, "delay_median_ms": 31.0, "delay_p99_ms": 58.0, "last_us": 1795219261123456,
    "dropped": {"superseded": 3},
    "clock": {
        "offset_us": 1250, "drift_ppm": 3.1, "round_trip_us": 410, "jitter_us": 60, "uncertainty_us": 230, "probes": 512,
    },
}  # fmt: skip
SYNC = {
    "watermark_us": 1795219261090000, "lateness_ms": 45.0, "sets": 1830, "completeness": 0.99, "spread_median_us": 4200,
    "replica_id": "sync-5f0c2d1e",
}  # fmt: skip
ALARM = {
    "camera_id": "side", "lag_ms": 44.0, "uncertainty_ms": 6.0, "confidence": 0.9, "applied": False,
    "applied_lag_ms": None,
}  # fmt: skip


class Clock(Document):
    """State of a camera's clock mapping."""

    offset_us: int
    drift_ppm: float
    round_trip_us: int
    jitter_us: int
    uncertainty_us: int
    probes: int


class CameraStatus(Document):
    """A camera's part in a session."""

    camera_id: str
    connected: bool
    fps: float | None
    width: int | None
    height: int | None
    time_source: str | None
    idle: bool | None
    completeness: float | None
    delay_median_ms: float | None
    delay_p99_ms: float | None
    last_us: Micros | None
    dropped: dict[str, int]
    clock: Clock | None


class SyncStatus(Document):
    """What sync says of a session."""

    watermark_us: Micros | None
    lateness_ms: float
    sets: int
    completeness: float
    spread_median_us: int
    replica_id: str | None


class ContentAlarm(Document):
    """A camera whose pictures come late or early against the others', judged by the person's motion."""

    camera_id: str
    lag_ms: float
    """As its frames came, before any correction; negative: early."""
    uncertainty_ms: float | None
    """Null: not measured at present, nobody moves."""
    confidence: float | None
    """0 to 1; null: not measured at present."""
    applied: bool
    """The session corrects it."""
    applied_lag_ms: float | None
    """What is taken off its times at present."""


class SessionSync(Document):
    """How well a session's cameras agree in time."""

    model_config = example(
        session_id="s-7f3a9c2e", cameras=[CAMERA], sync=SYNC, alarms=[ALARM], server_us=1795219261140000
    )

    session_id: str
    cameras: list[CameraStatus]
    sync: SyncStatus | None
    alarms: list[ContentAlarm]
    server_us: Micros | None


class Status(Document):
    """State of a session now."""

    model_config = example(
        type="status", session=SESSION, cameras=[CAMERA], sync=SYNC, alarms=[ALARM], viewers=1,
        server_us=1795219261140000, problems=[],
    )  # fmt: skip

    type: Literal["status"] = "status"
    session: Session
    cameras: list[CameraStatus]
    sync: SyncStatus | None
    """Null while sync cannot be reached or knows nothing of the session."""
    alarms: list[ContentAlarm]
    """Cameras whose clocks agree and whose pictures do not."""
    viewers: int
    """WebSocket viewers of the session at this gateway."""
    server_us: Micros | None
    problems: list[str]
    """What cannot be reached now, a sentence each."""
