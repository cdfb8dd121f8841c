"""What scoring says of a set as the messages `score`, `repetition` and `advice`."""

from collections.abc import Iterable
from typing import Literal

from komi.common.v1 import frame_pb2
from komi.scoring.v1 import scoring_service_pb2 as scoring
from services.gateway.shaping.encoding import Document, number
from services.gateway.shaping.stages import stages_ms
from services.mesh.times import from_duration, from_timestamp

Part = Literal["form", "range", "tempo", "symmetry", "stability"]
CueKey = tuple[str, int, bool]
PARTS: tuple[Part, ...] = ("form", "range", "tempo", "symmetry", "stability")


def score_message(update: scoring.ScoreUpdate, stamps: frame_pb2.StageStamps) -> Document:
    """The `score` message; `stamps` are the update's, with `pushed`."""
    return {
        "type": "score",
        **_about(update),
        "state": tracking_state(update.state),
        "phase": phase(update.phase),
        "reference_id": update.reference_id,
        "reference_version": update.reference_version,
        "reference_frame": number(update.reference_frame, 2) if update.HasField("reference_frame") else None,
        "confidence": number(update.confidence),
        "score": number(update.score, 1) if update.HasField("score") else None,
        "sub_scores": sub_scores(update.sub_scores),
        "joint_errors": joint_errors(update.joint_errors),
        "repetitions": update.repetitions,
        "cue": cue(update.advice) if update.HasField("advice") else None,
        "notice": notice(update.notice) if update.HasField("notice") else None,
        "cosine": number(update.cosine) if update.HasField("cosine") else None,
        "silhouette_overlap": overlap(update),
        "stages_ms": stages_ms(stamps),
    }


def repetition_message(update: scoring.ScoreUpdate) -> Document:
    """The `repetition` message of an update that completes one."""
    return {"type": "repetition", **_about(update), **repetition(update.completed)}


def advice_message(update: scoring.ScoreUpdate) -> Document:
    """The `advice` message of an update whose cue is new."""
    return {"type": "advice", **_about(update), **cue(update.advice)}


def cue_key(update: scoring.ScoreUpdate) -> CueKey | None:
    """What makes one cue another: its code, the repetition that gave rise to it (none while a pose is held), and
    whether it praises. None: no cue stands.
    """
    told = update.advice
    return (told.code, told.repetition, told.praise) if update.HasField("advice") else None


def repetition(done: scoring.Repetition) -> Document:
    """A completed repetition of a session."""
    return {
        "number": done.number,
        "start_us": from_timestamp(done.start_time),
        "end_us": from_timestamp(done.end_time),
        **performed(done),
    }


def performed(done: scoring.Repetition) -> Document:
    """A completed repetition, but for when it was."""
    return {
        "number": done.number,
        "score": number(done.score, 1) if done.HasField("score") else None,
        "sub_scores": sub_scores(done.sub_scores),
        "out_s": from_duration(done.out_duration) / 1e6,
        "turn_s": from_duration(done.turn_duration) / 1e6,
        "back_s": from_duration(done.back_duration) / 1e6,
        "range_of_motion": number(done.range_of_motion),
        "joint_errors": joint_errors(done.joint_errors),
        "worst_phase": phase(done.worst_phase),
        "cosine": number(done.cosine),
        "faults": list(done.faults),
        "cue": cue(done.cue) if done.HasField("cue") else None,
        "silhouette_overlap": overlap(done),
    }


def cue(advice: scoring.Advice) -> Document:
    """One thing to say to the person."""
    return {
        "code": advice.code,
        "text_ko": advice.text_ko,
        "text_en": advice.text_en,
        "praise": advice.praise,
        "joints": list(advice.joints),
        "repetition": advice.repetition or None,
        "tip_ko": advice.tip_ko,
        "tip_en": advice.tip_en,
        "phrased": advice.phrased,
    }


def notice(told: scoring.Notice) -> Document:
    """Something to know that is no correction of the movement."""
    return {"code": told.code, "text_ko": told.text_ko, "text_en": told.text_en}


def overlap(
    told: scoring.ScoreUpdate | scoring.Repetition | scoring.Comparison | scoring.ComparedFrame,
) -> float | None:
    """Of the outlines; None where not known."""
    return number(told.silhouette_overlap) if told.HasField("silhouette_overlap") else None


def sub_scores(parts: scoring.SubScores) -> Document:
    """The parts of a score; None where not known."""
    return {part: number(getattr(parts, part), 1) if parts.HasField(part) else None for part in PARTS}


def joint_errors(errors: Iterable[scoring.JointError]) -> list[Document]:
    """How far each joint is off, worst first."""
    return [
        {"joint": error.joint, "degrees": number(error.degrees, 1), "severity": number(error.severity, 2)}
        for error in errors
    ]


def tracking_state(state: scoring.TrackingState.ValueType) -> str:
    """`tracking` for TRACKING_STATE_TRACKING."""
    return scoring.TrackingState.Name(state).removeprefix("TRACKING_STATE_").lower()


def phase(value: scoring.Phase.ValueType) -> str | None:
    """`out` for PHASE_OUT; None where not known."""
    return scoring.Phase.Name(value).removeprefix("PHASE_").lower() if value else None


def _about(update: scoring.ScoreUpdate) -> Document:
    return {
        "session_id": update.session_id,
        "seq": update.set_sequence,
        "server_us": from_timestamp(update.server_time),
    }
