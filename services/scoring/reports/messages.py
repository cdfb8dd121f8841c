"""Reports to messages, and from the bytes they are kept as."""

from __future__ import annotations

import json
import math

from google.protobuf.duration_pb2 import Duration

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.mesh.times import from_timestamp, to_duration, to_timestamp
from services.scoring import translate
from services.scoring.library.stored import Stored
from services.scoring.live.outcome import CompletedRepetition
from services.scoring.reports.kept import KeptReport
from services.scoring.reports.performance import PARTS, GivenCue, Performance, TopError
from services.scoring.reports.timeline import Point
from services.scoring.reports.trend import Effort

MICRO = 1_000_000


def about(reference: Stored) -> bytes:
    """What a report says of the reference, as it was then."""
    message = pb.Report(
        reference_id=reference.reference_id,
        reference_version=reference.version,
        reference_name=reference.name,
        exercise=reference.template.exercise,
    )
    return message.SerializeToString()


def repetition(done: CompletedRepetition) -> bytes:
    """A repetition as it is kept."""
    return translate.repetition(done).SerializeToString()


def given_cue(cue: GivenCue) -> bytes:
    """A cue as it is kept."""
    message = pb.GivenCue(offset=_duration(cue.offset_s), advice=translate.advice(cue.advice))
    return message.SerializeToString()


def performance(kept: KeptReport) -> Performance:
    """The performance as it was when this was written."""
    efforts = [_effort(pb.Repetition.FromString(data)) for data in kept.repetitions]
    points = [Point.from_bytes(data) for data in kept.points]
    return Performance.restored(json.loads(kept.state), points, efforts)


def report(kept: KeptReport, *, goes_on: bool, whole: bool) -> pb.Report:
    """A report; without timeline, repetitions, top errors and cues unless it is to be `whole`."""
    one = performance(kept)
    # A performance that ended by itself ended with the last movement, not with the wait that followed.
    end_s = one.latest_s if goes_on else one.active_until_s
    message = pb.Report.FromString(kept.about)
    message.report_id = kept.report_id
    message.session_id = kept.session_id
    message.start_time.CopyFrom(to_timestamp(round(one.start_s * MICRO)))
    message.end_time.CopyFrom(to_timestamp(round(end_s * MICRO)))
    message.open = goes_on
    message.active_duration.CopyFrom(_duration(one.active_s))
    message.repetition_count = one.repetitions
    message.sub_scores.CopyFrom(_parts(one))
    for name, value in (
        ("mean_score", one.mean_score),
        ("best_score", one.best_score),
        ("trend", one.trend),
        ("fatigue", one.fatigue),
    ):
        if math.isfinite(value):
            setattr(message, name, value)
    if whole:
        message.repetitions.extend(pb.Repetition.FromString(data) for data in kept.repetitions)
        message.cues.extend(pb.GivenCue.FromString(data) for data in kept.cues)
        message.top_errors.extend(_top_error(error) for error in one.top_errors())
        step_s = one.timeline.step_s
        steps = math.floor((end_s - one.start_s) / step_s) + 1
        message.timeline.extend(
            _point(number * step_s, point) for number, point in enumerate(one.timeline.whole()[:steps])
        )
    return message


def _effort(done: pb.Repetition) -> Effort:
    seconds = (from_timestamp(done.end_time) - from_timestamp(done.start_time)) / MICRO
    return Effort(done.score if done.HasField("score") else math.nan, done.range_of_motion, seconds)


def _parts(one: Performance) -> pb.SubScores:
    means = {part: one.mean(part) for part in PARTS}
    return pb.SubScores(**{part: value for part, value in means.items() if math.isfinite(value)})


def _point(offset_s: float, point: Point) -> pb.TimelinePoint:
    message = pb.TimelinePoint(offset=_duration(offset_s))
    if point.score is not None:
        message.score = point.score
    if point.state is not None:
        message.state = pb.TrackingState.ValueType(int(point.state))
    return message


def _top_error(error: TopError) -> pb.TopError:
    return pb.TopError(
        joint=error.joint,
        phase=pb.Phase.ValueType(int(error.phase)),
        degrees=round(error.degrees),
        severity=error.severity,
        repetitions=error.repetitions,
    )


def _duration(seconds: float) -> Duration:
    return to_duration(round(seconds * MICRO))
