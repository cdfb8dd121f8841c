"""What the scoring service measures. No session or reference names: their number is not bounded."""

from prometheus_client import Counter, Gauge, Histogram

from services.mesh import telemetry

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


def dropped(reason: str, count: int = 1) -> None:
    """Count synced sets that were not scored."""
    telemetry.DROPS.labels("scoring", "score", reason).inc(count)
