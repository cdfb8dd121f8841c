"""Every metric of sync, with its unit."""

from prometheus_client import Counter, Gauge, Histogram

from services.mesh.telemetry import LATENCY_BUCKETS_S

INGESTED = Counter("komi_sync_poses_total", "Poses stored", ["session"])
SETS = Counter("komi_sync_sets_total", "Synced sets emitted", ["session", "full"])
HELD = Gauge("komi_sync_sessions_held", "Sessions whose lease this replica holds")
WAITING = Gauge("komi_sync_waiting_poses", "Poses waiting for their group", ["session"])
LATENESS = Gauge(
    "komi_sync_lateness_seconds",
    "How long a late camera is waited for, after the fastest one's usual delay",
    ["session"],
)
SPREAD = Histogram(
    "komi_sync_spread_seconds",
    "Latest minus earliest member of a set",
    ["session"],
    buckets=LATENCY_BUCKETS_S,
)
WAIT = Histogram(
    "komi_sync_wait_seconds",
    "From the arrival of a set's last member to its emission",
    ["session"],
    buckets=LATENCY_BUCKETS_S,
)
OFFSET = Gauge("komi_sync_clock_offset_seconds", "Server clock minus the camera's", ["session", "camera"])
DRIFT = Gauge("komi_sync_clock_drift_ppm", "Drift of the camera's clock", ["session", "camera"])
UNCERTAINTY = Gauge(
    "komi_sync_clock_uncertainty_seconds",
    "Half-width of the interval that holds the offset",
    ["session", "camera"],
)
JITTER = Gauge("komi_sync_stamp_jitter_seconds", "Deviation of capture stamps", ["session", "camera"])
CONTENT_LAG = Gauge(
    "komi_sync_content_lag_seconds",
    "How late the camera's pictures are, judged by the person's motion",
    ["session", "camera"],
)
FPS = Gauge("komi_sync_camera_fps", "Frames a second by server timestamps", ["session", "camera"])
COMPLETENESS = Gauge(
    "komi_sync_camera_completeness", "Share of the last sets that have this camera", ["session", "camera"]
)


class OfSession:
    """One session's metrics of poses and sets: looked up once, since looking up costs more than counting."""

    def __init__(self, session_id: str) -> None:
        self.ingested = INGESTED.labels(session_id)
        self.spread = SPREAD.labels(session_id)
        self.wait = WAIT.labels(session_id)
        self.sets = {full: SETS.labels(session_id, str(full).lower()) for full in (False, True)}


def forget(session_id: str, cameras: list[str]) -> None:
    """Drop the labels of a session that ended, so that they do not pile up."""
    for metric in (INGESTED, WAITING, LATENESS, SPREAD, WAIT):
        _remove(metric, session_id)
    for full in ("true", "false"):
        _remove(SETS, session_id, full)
    for camera_id in cameras:
        for of_camera in (OFFSET, DRIFT, UNCERTAINTY, JITTER, CONTENT_LAG, FPS, COMPLETENESS):
            _remove(of_camera, session_id, camera_id)


def _remove(metric: Counter | Gauge | Histogram, *labels: str) -> None:
    try:
        metric.remove(*labels)
    except KeyError:
        pass
