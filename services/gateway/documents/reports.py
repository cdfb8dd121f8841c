"""Reports of performances."""

from services.gateway.documents.base import Document, Micros, example
from services.gateway.documents.scores import ADVICE, REPETITION, SUB_SCORES, Advice, Repetition, SubScores

SHORT = {
    "report_id": "p-7c41", "session_id": "s-7f3a9c2e", "reference_id": "r-2b91", "reference_version": 1,
    "reference_name": "Squat", "exercise": "squat", "start_us": 1795219200000000, "end_us": 1795219261123456,
    "open": False, "active_s": 48.2, "repetition_count": 12, "mean_score": 84.1, "best_score": 93.0,
    "sub_scores": SUB_SCORES,
    "trend": -0.4, "fatigue": 0.12,
}  # fmt: skip


class TimelinePoint(Document):
    """A second or more of a performance."""

    offset_s: float
    """Since the start."""
    score: float | None
    state: str


class TopError(Document):
    """An error that came up over a performance."""

    joint: str
    phase: str | None
    degrees: float | None
    severity: float | None
    """In units of its tolerance."""
    repetitions: int
    """Repetitions it came up in."""


class GivenCue(Advice):
    """A cue, and when it was given."""

    offset_s: float


class ShortReport(Document):
    """One performance, without its lists."""

    model_config = example(**SHORT)

    report_id: str
    session_id: str
    reference_id: str
    reference_version: int
    reference_name: str
    exercise: str
    start_us: Micros
    end_us: Micros
    open: bool
    """It goes on."""
    active_s: float
    """Time spent moving along the reference or holding."""
    repetition_count: int
    mean_score: float | None
    best_score: float | None
    sub_scores: SubScores
    trend: float | None
    """Points a repetition; null: fewer than four."""
    fatigue: float | None
    """How much the last third falls short of the first, 0 to 1; null: fewer than six."""


class Report(ShortReport):
    """One performance."""

    model_config = example(
        **SHORT,
        repetitions=[REPETITION],
        timeline=[{"offset_s": 1.0, "score": 82.0, "state": "tracking"}],
        top_errors=[
            {"joint": "left_knee", "phase": "turn", "degrees": -11.0, "severity": 1.4, "repetitions": 7}
        ],
        cues=[ADVICE | {"offset_s": 12.4}],
    )

    repetitions: list[Repetition]
    """Oldest first; at most the last 1000."""
    timeline: list[TimelinePoint]
    top_errors: list[TopError]
    """Worst first."""
    cues: list[GivenCue]
    """Oldest first."""


class Reports(Document):
    """A page of reports, newest first."""

    reports: list[ShortReport]
    next_cursor: str | None
