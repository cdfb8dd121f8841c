"""What a session is doing now."""

from typing import Literal

from services.gateway.documents.base import Document, Micros
from services.gateway.documents.sessions import Session


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

    session_id: str
    cameras: list[CameraStatus]
    sync: SyncStatus | None
    alarms: list[ContentAlarm]
    server_us: Micros | None


class Status(Document):
    """State of a session now."""

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
