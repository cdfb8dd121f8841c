"""Reports of performances as documents of the REST API, and as tables."""

import csv
import io
from collections.abc import Iterable, Sequence

from komi.scoring.v1 import scoring_service_pb2 as scoring
from services.gateway.documents import reports as documents
from services.gateway.documents.scores import Repetition, SubScores, Summary
from services.gateway.shaping import scores
from services.gateway.shaping.encoding import Document, number
from services.mesh.times import from_duration, from_timestamp

REPETITION_COLUMNS = (
    "number", "start_us", "end_us", "score", *scores.PARTS, "out_s", "turn_s", "back_s", "range_of_motion", "cosine",
    "silhouette_overlap", "worst_phase", "worst_joint", "worst_degrees", "faults", "cue",
    "offset_s",
)  # fmt: skip
TIMELINE_COLUMNS = ("offset_s", "score", "state")


def short_report(told: scoring.Report) -> documents.ShortReport:
    """Without its lists."""
    return documents.ShortReport(**_short(told))


def report(told: scoring.Report) -> documents.Report:
    """Whole."""
    return documents.Report(
        **_short(told),
        repetitions=[Repetition(**scores.repetition(done)) for done in told.repetitions],
        timeline=[
            documents.TimelinePoint(
                offset_s=from_duration(point.offset) / 1e6,
                score=number(point.score, 1) if point.HasField("score") else None,
                state=scores.tracking_state(point.state),
            )
            for point in told.timeline
        ],
        top_errors=[
            documents.TopError(
                joint=error.joint,
                phase=scores.phase(error.phase),
                degrees=number(error.degrees, 1),
                severity=number(error.severity, 2),
                repetitions=error.repetitions,
            )
            for error in told.top_errors
        ],
        cues=[
            documents.GivenCue(**scores.cue(given.advice), offset_s=from_duration(given.offset) / 1e6)
            for given in told.cues
        ],
    )


def _short(told: scoring.Report) -> Document:
    return {
        "report_id": told.report_id,
        "session_id": told.session_id,
        "reference_id": told.reference_id,
        "reference_version": told.reference_version,
        "reference_name": told.reference_name,
        "exercise": told.exercise,
        "start_us": from_timestamp(told.start_time),
        "end_us": from_timestamp(told.end_time),
        "open": told.open,
        "active_s": from_duration(told.active_duration) / 1e6,
        "repetition_count": told.repetition_count,
        "mean_score": number(told.mean_score, 1) if told.HasField("mean_score") else None,
        "best_score": number(told.best_score, 1) if told.HasField("best_score") else None,
        "sub_scores": SubScores(**scores.sub_scores(told.sub_scores)),
        "trend": number(told.trend) if told.HasField("trend") else None,
        "fatigue": number(told.fatigue) if told.HasField("fatigue") else None,
    }


def summary(told: scoring.GetSessionSummaryResponse) -> Summary:
    """Repetitions and totals of a session."""
    return Summary(
        session_id=told.session_id,
        reference_id=told.reference_id,
        repetitions=[Repetition(**scores.repetition(done)) for done in told.repetitions],
        mean_score=number(told.mean_score, 1) if told.HasField("mean_score") else None,
        sets=told.sets,
    )


def repetitions_table(shown: documents.Report) -> str:
    """CSV, a line a repetition; what is unknown stays empty."""
    return _table(
        REPETITION_COLUMNS,
        (
            (
                done.number, done.start_us, done.end_us, done.score,
                *(getattr(done.sub_scores, part) for part in scores.PARTS),
                done.out_s, done.turn_s, done.back_s, done.range_of_motion, done.cosine, done.silhouette_overlap,
                done.worst_phase,
                done.joint_errors[0].joint if done.joint_errors else None,
                done.joint_errors[0].degrees if done.joint_errors else None,
                " ".join(done.faults),
                done.cue.code if done.cue is not None else None,
                round((done.start_us - shown.start_us) / 1e6, 2),
            )
            for done in shown.repetitions
        ),
    )  # fmt: skip


def timeline_table(shown: documents.Report) -> str:
    """CSV, a line a point."""
    return _table(TIMELINE_COLUMNS, ((point.offset_s, point.score, point.state) for point in shown.timeline))


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    written = io.StringIO(newline="")
    table = csv.writer(written)
    table.writerow(columns)
    table.writerows(rows)
    return written.getvalue()
