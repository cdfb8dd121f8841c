"""What the pose service measures. No camera or session names: their number is not bounded."""

from prometheus_client import Counter, Gauge, Histogram

from komi.common.v1 import stream_pb2
from services.mesh import telemetry
from services.mesh.times import drop_name

FRAMES = Counter("komi_pose_frames_total", "Frames looked at, by what became of them", ["outcome"])
STREAMS = Gauge("komi_pose_streams", "Streams open", ["mode"])
WAITING = Gauge("komi_pose_waiting_frames", "Frames that wait for a worker")
FORWARDED = Counter("komi_pose_forwarded_total", "Poses handed to sync's transport")
BUFFERED = Gauge("komi_pose_buffered_poses", "Poses that wait for sync")
IMAGES = Counter("komi_pose_images_total", "Newest images written to Redis for somebody who looks")
MODEL_CALLS_CPU = Counter(
    "komi_pose_model_calls_cpu_seconds_total",
    "CPU of the workers' own threads inside the model's calls; that of the model's threads is not in it",
)
REDIS_FAILURES = Counter(
    "komi_pose_redis_failures_total", "Calls to Redis that failed, by what for", ["what"]
)
STAGE_SECONDS = Histogram(
    "komi_pose_stage_seconds",
    "Time a frame spent: wait (received to taken up), decode, infer, total (received to landmarks), "
    "age (captured to landmarks, where both clocks are the same machine's)",
    ["stage"],
    buckets=telemetry.LATENCY_BUCKETS_S,
)

SECONDS_OF = {stage: STAGE_SECONDS.labels(stage) for stage in ("wait", "decode", "infer", "total", "age")}
"""By stage: to look a label up takes longer than to count."""


def dropped(stage: str, reason: stream_pb2.DropReason.ValueType, count: int = 1) -> None:
    """Count what was given up."""
    telemetry.drops("pose", stage, drop_name(reason)).inc(count)
