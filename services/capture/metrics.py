"""What capture measures. Cameras are named: a process has the few it was started with."""

from prometheus_client import Counter, Gauge, Histogram

from komi.common.v1 import stream_pb2
from services.mesh import telemetry
from services.mesh.times import drop_name

FRAMES_READ = Counter("komi_capture_frames_read_total", "Frames the source gave", ["camera"])
FRAMES_SENT = Counter("komi_capture_frames_sent_total", "Frames handed to the transport", ["camera"])
BYTES_SENT = Counter("komi_capture_jpeg_bytes_total", "JPEG handed to the transport, bytes", ["camera"])
WAITING = Gauge("komi_capture_waiting_frames", "Frames that wait for credit: 0 or 1", ["camera"])
READ_FPS = Gauge("komi_capture_read_fps", "Frames read a second over the last seconds", ["camera"])
SENT_FPS = Gauge("komi_capture_sent_fps", "Frames sent a second over the last seconds", ["camera"])
QUALITY = Gauge("komi_capture_jpeg_quality", "JPEG quality at present", ["camera"])
READING = Gauge("komi_capture_camera_reading", "1 while the camera gives frames", ["camera"])
STREAMING = Gauge("komi_capture_link_streaming", "1 while the link carries frames", ["camera"])
FRAMES_FAILED = Counter(
    "komi_capture_frames_failed_total", "Frames the server could not use", ["camera", "error"]
)
LINKS_LOST = Counter(
    "komi_capture_links_ended_total", "Links to the server that ended, by why", ["camera", "reason"]
)
CLOCK_UNCERTAINTY = Gauge(
    "komi_capture_clock_uncertainty_seconds", "How far the mapped server time may be off"
)
ENCODE_SECONDS = Histogram(
    "komi_capture_encode_seconds", "Time to compress one frame", buckets=telemetry.LATENCY_BUCKETS_S
)
AGE_SECONDS = Histogram(
    "komi_capture_sent_age_seconds", "From capture to the transport", buckets=telemetry.LATENCY_BUCKETS_S
)


class OfCamera:
    """One camera's metrics: looked up once, since looking up costs more than counting."""

    def __init__(self, camera_id: str) -> None:
        self.frames_read = FRAMES_READ.labels(camera_id)
        self.frames_sent = FRAMES_SENT.labels(camera_id)
        self.bytes_sent = BYTES_SENT.labels(camera_id)
        self.waiting = WAITING.labels(camera_id)
        self.read_fps = READ_FPS.labels(camera_id)
        self.sent_fps = SENT_FPS.labels(camera_id)
        self.quality = QUALITY.labels(camera_id)
        self.reading = READING.labels(camera_id)
        self.streaming = STREAMING.labels(camera_id)


def dropped(stage: str, reason: stream_pb2.DropReason.ValueType, count: int = 1) -> None:
    """Count what was given up: `read` before it reached the link, `send` after."""
    telemetry.drops("capture", stage, drop_name(reason)).inc(count)
