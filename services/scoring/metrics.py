"""What the scoring service measures. No session or reference names: their number is not bounded."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

from komi.common.v1 import frame_pb2
from komi.scoring.v1 import scoring_service_pb2 as pb
from services.mesh import telemetry
from services.mesh.stages import HOST_ID, monotonic_ns

SESSIONS = Gauge("komi_scoring_sessions", "Sessions this replica scores")
SETS = Counter("komi_scoring_sets_total", "Synced sets scored, by what the person was doing", ["state"])
REPETITIONS = Counter("komi_scoring_repetitions_total", "Repetitions completed")
REFERENCES = Counter(
    "komi_scoring_references_total", "Sample videos received, by what became of them", ["outcome"]
)
COMPARISONS = Counter(
    "komi_scoring_comparisons_total", "Comparisons of videos asked for, by what became of them", ["outcome"]
)
PHRASINGS = Counter(
    "komi_scoring_phrasings_total",
    "Cues a language model was asked to word: used, or why the template's words stood",
    ["outcome"],
)
STAGE_SECONDS = Histogram(
    "komi_scoring_stage_seconds",
    "Time a set spent: score (computing), age (emitted by sync to scored, where both clocks are the same machine's)",
    ["stage"],
    buckets=telemetry.LATENCY_BUCKETS_S,
)


# Looked up once: there is one of each for every set.
_SETS = {
    number: SETS.labels(name.removeprefix("TRACKING_STATE_").lower())
    for name, number in pb.TrackingState.items()
}
_SCORE = STAGE_SECONDS.labels("score")
_AGE = STAGE_SECONDS.labels("age")


def scored(state: pb.TrackingState.ValueType, began_ns: int, stamps: frame_pb2.StageStamps) -> None:
    """Count a synced set of these stamps, whose scoring began then."""
    now_ns = monotonic_ns()
    _SETS[state].inc()
    _SCORE.observe((now_ns - began_ns) / 1e9)
    if stamps.sync_host_id == HOST_ID and stamps.synced_monotonic_ns:
        _AGE.observe((now_ns - stamps.synced_monotonic_ns) / 1e9)


@contextmanager
def counted(outcomes: Counter, good: str) -> Iterator[None]:
    """Count what becomes of an upload: `good`, cancelled by who sent it, or refused."""
    try:
        yield
    except (asyncio.CancelledError, GeneratorExit):
        outcomes.labels("cancelled").inc()
        raise
    except BaseException:
        outcomes.labels("refused").inc()
        raise
    outcomes.labels(good).inc()


def dropped(reason: str, count: int = 1) -> None:
    """Count synced sets that were not scored."""
    telemetry.DROPS.labels("scoring", "score", reason).inc(count)
