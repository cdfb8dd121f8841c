"""Every metric of the gateway, with its unit. Drops are counted in services.mesh.telemetry.DROPS."""

from prometheus_client import Counter, Gauge, Histogram

from services.mesh.telemetry import LATENCY_BUCKETS_S

SERVICE = "gateway"

CAPTURE_TO_PUSH = Histogram(
    "komi_gateway_capture_to_push_seconds",
    "From the shutter to the WebSocket, of the newest member of each set, by topic (seconds)",
    ["topic"],
    buckets=LATENCY_BUCKETS_S,
)
SYNC_TO_PUSH = Histogram(
    "komi_gateway_sync_to_push_seconds",
    "From the synced set being emitted to the WebSocket, by topic (seconds)",
    ["topic"],
    buckets=LATENCY_BUCKETS_S,
)
VIEWERS = Gauge("komi_gateway_viewers", "WebSocket viewers connected now, by protocol", ["protocol"])
SENT = Counter("komi_gateway_messages_total", "WebSocket messages encoded for viewers, by topic", ["topic"])
BROWSER_CAMERAS = Gauge(
    "komi_gateway_cameras", "Cameras connected by WebSocket now, by protocol", ["protocol"]
)
IMAGE_VIEWERS = Gauge("komi_gateway_image_viewers", "Readers of stream.mjpg connected now")
PROBLEMS = Counter("komi_gateway_problems_total", "Requests and messages refused, by reason", ["reason"])
REQUESTS = Histogram(
    "komi_gateway_request_seconds",
    "Time to the end of a request's answer, by route, method and status (seconds)",
    ["route", "method", "status"],
    buckets=LATENCY_BUCKETS_S,
)
UPLOADED = Counter("komi_gateway_uploaded_bytes_total", "Bytes of uploaded videos passed on to scoring")
JOBS = Counter(
    "komi_gateway_jobs_total", "Builds and comparisons ended, by kind and outcome", ["kind", "outcome"]
)
