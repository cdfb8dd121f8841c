"""Connected cameras."""

from services.gateway.documents.base import Document, Micros, example


class Camera(Document):
    """A connected camera."""

    model_config = example(
        camera_id="front", session_id="live", connected_us=1795219200000000, last_frame_us=1795219261123456,
        fps=29.8, width=640, height=480, time_source="clock_probes", dropped={"superseded": 3},
        replica_id="pose-1f2e3d4c",
    )  # fmt: skip

    camera_id: str
    session_id: str
    connected_us: Micros
    last_frame_us: Micros | None
    """Capture time of the newest processed frame."""
    fps: float
    """Processed frames a second over the last seconds."""
    width: int
    height: int
    time_source: str
    """How its frames are timed: clock_probes, client_timestamps, arrival or media."""
    dropped: dict[str, int]
    """Frames dropped since it connected, by reason."""
    replica_id: str
    """Pose replica that serves it."""


class Cameras(Document):
    """The connected cameras, by name."""

    cameras: list[Camera]
