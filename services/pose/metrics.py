"""What the pose service measures. No camera or session names: their number is not bounded."""

from collections import deque
from collections.abc import Iterable

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, Metric
from prometheus_client.registry import Collector

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
STAGES = ("wait", "decode", "infer", "total", "age")
_MOST_KEPT = 64


class _Stages(Collector):
    """Times of frames, sorted in many at a time: each on its own would find that code in no cache."""

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._of_stage = [histogram.labels(stage) for stage in STAGES]
        self._kept: deque[tuple[float, ...]] = deque()

    def took(self, *seconds: float) -> None:
        """A frame spent this in each of STAGES; the last ones may be missing."""
        self._kept.append(seconds)
        if len(self._kept) >= _MOST_KEPT:
            self._sort_in()

    def collect(self) -> Iterable[Metric]:
        """With what came since."""
        self._sort_in()
        return self._histogram.collect()

    def _sort_in(self) -> None:
        # Popped by whoever comes, the loop or a thread that is asked for the metrics.
        while self._kept:
            try:
                seconds = self._kept.popleft()
            except IndexError:
                return
            for stage, took in zip(self._of_stage, seconds, strict=False):
                stage.observe(took)


STAGE_SECONDS = _Stages(
    Histogram(
        "komi_pose_stage_seconds",
        "Time a frame spent: wait (received to taken up), decode, infer, total (received to landmarks), "
        "age (captured to landmarks, where both clocks are the same machine's)",
        ["stage"],
        buckets=telemetry.LATENCY_BUCKETS_S,
        registry=None,
    )
)
REGISTRY.register(STAGE_SECONDS)


def dropped(stage: str, reason: stream_pb2.DropReason.ValueType, count: int = 1) -> None:
    """Count what was given up."""
    telemetry.drops("pose", stage, drop_name(reason)).inc(count)
