"""A comparison of two videos as a document of the REST API."""

from komi.scoring.v1 import scoring_service_pb2 as scoring
from services.gateway.documents import comparisons as documents
from services.gateway.documents.scores import JointError, Notice, SubScores, VideoRepetition
from services.gateway.shaping import references, scores
from services.gateway.shaping.encoding import number
from services.mesh.times import from_timestamp

NOT_SEEN = -32768
"""In ComparedFrame.landmarks."""


def comparison(told: scoring.Comparison) -> documents.Comparison:
    """All of it; tens of thousands of numbers for a long attempt."""
    return documents.Comparison(
        reference=references.reference(told.reference),
        attempt_frames=told.attempt_frames,
        attempt_fps=number(told.attempt_fps),
        score=number(told.score, 1) if told.HasField("score") else None,
        sub_scores=SubScores(**scores.sub_scores(told.sub_scores)),
        cosine=number(told.cosine) if told.HasField("cosine") else None,
        silhouette_overlap=scores.overlap(told),
        repetitions=[_repetition(done) for done in told.repetitions],
        frames=[_frame(frame) for frame in told.frames],
        curves=[
            documents.ComparedCurve(
                name=curve.name,
                attempt_degrees=[number(value, 1) for value in curve.attempt_degrees],
                sample_degrees=[number(value, 1) for value in curve.sample_degrees],
            )
            for curve in told.curves
        ],
        notices=[Notice(**scores.notice(notice)) for notice in told.notices],
    )


def _repetition(done: scoring.Repetition) -> VideoRepetition:
    # The video's first frame is at the epoch.
    return VideoRepetition(
        **scores.performed(done),
        start_s=from_timestamp(done.start_time) / 1e6,
        end_s=from_timestamp(done.end_time) / 1e6,
    )


def _frame(frame: scoring.ComparedFrame) -> documents.ComparedFrame:
    return documents.ComparedFrame(
        attempt_frame=frame.attempt_frame,
        sample_frame=number(frame.sample_frame, 2) if frame.HasField("sample_frame") else None,
        phase=scores.phase(frame.phase),
        score=number(frame.score, 1) if frame.HasField("score") else None,
        joint_errors=[JointError(**error) for error in scores.joint_errors(frame.joint_errors)],
        silhouette_overlap=scores.overlap(frame),
        landmarks=[None if share == NOT_SEEN else share for share in frame.landmarks] or None,
    )


def video(which: scoring.ComparedVideo.ValueType) -> str | None:
    """`sample` for COMPARED_VIDEO_SAMPLE; None where not stated."""
    return scoring.ComparedVideo.Name(which).removeprefix("COMPARED_VIDEO_").lower() if which else None
