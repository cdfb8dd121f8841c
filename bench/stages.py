"""Percentiles of each stage a frame passes, from the stamps it carries."""

from collections import defaultdict
from typing import Any

from hdrh.histogram import HdrHistogram

from komi.common.v1 import frame_pb2

STAGES = (
    ("encode", "captured", "encoded"),
    ("transport", "sent", "received"),
    ("queue", "received", "dequeued"),
    ("decode", "dequeued", "decoded"),
    ("infer", "decoded", "inferred"),
    ("publish", "inferred", "ingested"),
    ("sync", "ingested", "synced"),
    ("score", "synced", "scored"),
    ("push", "scored", "viewed"),
    ("total", "captured", "viewed"),
)
"""Name, from, to. `viewed`: the score, with which the last of a frame's work is done, reaches the WebSocket client."""
NAMES = (*(name for name, _, _ in STAGES), "total - infer")
PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 99.9}
LONGEST_US = 60_000_000


class Stages:
    """HdrHistograms by stage, in microseconds, to 0.1 %."""

    def __init__(self) -> None:
        self._by_stage: dict[str, Any] = defaultdict(lambda: HdrHistogram(1, LONGEST_US, 3))
        self._noted: list[tuple[frame_pb2.StageStamps, frame_pb2.StageStamps, int, int]] = []

    def add(self, stage: str, took_ns: int) -> None:
        """Note one duration; what took no time counts as a microsecond."""
        self._by_stage[stage].record_value(min(max(1, took_ns // 1000), LONGEST_US))

    def add_frame(
        self, member: frame_pb2.StageStamps, of_set: frame_pb2.StageStamps, scored_ns: int, viewed_ns: int
    ) -> None:
        """Note a frame of which the score has arrived: its own stamps, its set's, and when it was scored and seen.

        Sorted into histograms only when asked for them: meanwhile the cores belong to what is measured.
        """
        self._noted.append((member, of_set, scored_ns, viewed_ns))

    def last_slower_than(self, total_ms: float) -> int | None:
        """When the last of the frames that took longer in total was seen, CLOCK_MONOTONIC ns; None: none did.

        Of the frames noted since figures were last asked for.
        """
        late = (
            viewed_ns
            for member, _, _, viewed_ns in self._noted
            if viewed_ns - member.captured_monotonic_ns > total_ms * 1e6
        )
        return max(late, default=None)

    def _sort_in(self) -> None:
        noted, self._noted = self._noted, []
        for frame in noted:
            self._sort_in_frame(*frame)

    def _sort_in_frame(
        self, member: frame_pb2.StageStamps, of_set: frame_pb2.StageStamps, scored_ns: int, viewed_ns: int
    ) -> None:
        at = {
            **{
                name: getattr(member, f"{name}_monotonic_ns")
                for _, *both in STAGES
                for name in both
                if name != "viewed"
            },
            "synced": of_set.synced_monotonic_ns,
            "scored": scored_ns,
            "viewed": viewed_ns,
        }
        for stage, since, until in STAGES:
            if at[since] and at[until]:
                self.add(stage, at[until] - at[since])
        infer_ns = at["inferred"] - at["decoded"]
        self.add("total - infer", viewed_ns - at["captured"] - infer_ns)

    def p(self, stage: str, percentile: float) -> float:
        """Milliseconds."""
        self._sort_in()
        return float(self._by_stage[stage].get_value_at_percentile(percentile)) / 1000

    def table(self) -> dict[str, dict[str, float]]:
        """Milliseconds by stage and percentile, stages in order."""
        self._sort_in()
        return {
            stage: {
                **{name: self.p(stage, value) for name, value in PERCENTILES.items()},
                "max": float(self._by_stage[stage].get_max_value()) / 1000,
                "count": int(self._by_stage[stage].get_total_count()),
            }
            for stage in NAMES
            if stage in self._by_stage
        }
