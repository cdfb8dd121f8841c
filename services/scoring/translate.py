"""Protos to and from scoring's dataclasses."""

import math

import numpy as np

from komi.common.v1 import pose_pb2
from komi.scoring.v1 import scoring_service_pb2 as pb
from komi.sync.v1 import sync_service_pb2
from services.mesh.stages import HOST_ID, monotonic_ns
from services.mesh.times import from_timestamp, to_duration, to_timestamp
from services.scoring.judging.score import Verdict
from services.scoring.library.stored import Stored
from services.scoring.live.outcome import Advice, CompletedRepetition, Outcome
from services.scoring.movement.features import ANGLES, angles_of
from services.scoring.movement.joints import JointError
from services.scoring.movement.landmarks import LANDMARKS, Floats, Mask, SyncedViews, View
from services.scoring.reference.remarks import remark_of

MICRO = 1_000_000
CALIBRATION_SOURCES = {
    "defaults": pb.CALIBRATION_SOURCE_DEFAULTS,
    "correct": pb.CALIBRATION_SOURCE_CORRECT,
    "labelled": pb.CALIBRATION_SOURCE_LABELLED,
}


def world_and_image(pose: pose_pb2.Pose) -> tuple[Floats, Floats, Floats]:
    """World (33, 3), image (33, 2) and visibility (33,) of a pose; missing lists become NaN and 0."""
    world = _shaped(pose.world_m, 3)
    image = _shaped(pose.image_px, 2)
    visibility = np.fmax(_shaped(pose.visibility, 1)[:, 0], 0.0)
    return world, image, visibility


def mask_of(frame: pose_pb2.PoseFrame) -> Mask | None:
    """Which pixels are the person's, if pose was asked; still packed, since most are never looked at."""
    if not frame.HasField("mask"):
        return None
    mask = frame.mask
    return Mask(mask.width, mask.height, frame.image_width, frame.image_height, mask.bits_zlib)


def _shaped(values: "object", width: int) -> Floats:
    flat = np.asarray(values, dtype=np.float64)
    if flat.size != LANDMARKS * width:
        return np.full((LANDMARKS, width), np.nan)
    return flat.reshape(LANDMARKS, width)


def synced_views(synced: sync_service_pb2.SyncedSet) -> SyncedViews:
    """The views of a synced set; members that saw nobody are left out."""
    views = []
    for member in synced.members:
        if member.HasField("pose"):
            world, image, visibility = world_and_image(member.pose)
            views.append(View(member.id.camera_id, image, world, visibility, mask_of(member)))
    return SyncedViews(from_timestamp(synced.server_time) / MICRO, tuple(views))


def score_update(
    synced: sync_service_pb2.SyncedSet, outcome: Outcome | None, reference: Stored | None
) -> pb.ScoreUpdate:
    """What is published of a synced set. Without a reference there is no outcome."""
    update = pb.ScoreUpdate(
        session_id=synced.session_id,
        set_sequence=synced.sequence,
        server_time=synced.server_time,
        state=pb.TRACKING_STATE_NO_REFERENCE,
    )
    update.stamps.CopyFrom(synced.stamps)
    update.stamps.scored_monotonic_ns = monotonic_ns()
    update.stamps.scoring_host_id = HOST_ID
    if synced.members:
        latest = max(synced.members, key=lambda member: from_timestamp(member.time.server_time))
        update.traceparent = latest.traceparent
    if reference is not None:
        update.reference_id = reference.reference_id
        update.reference_version = reference.version
    if outcome is not None:
        _fill(update, outcome)
    return update


def _fill(update: pb.ScoreUpdate, outcome: Outcome) -> None:
    update.state = pb.TrackingState.ValueType(int(outcome.state))
    update.phase = pb.Phase.ValueType(int(outcome.phase))
    if outcome.reference_frame is not None:
        update.reference_frame = outcome.reference_frame
    update.confidence = outcome.confidence
    if outcome.score is not None and math.isfinite(outcome.score):
        update.score = outcome.score
    if outcome.latest is not None:
        update.sub_scores.CopyFrom(sub_scores(outcome.latest))
    update.joint_errors.extend(joint_error(error) for error in outcome.joint_errors)
    update.repetitions = outcome.repetitions
    if outcome.completed is not None:
        update.completed.CopyFrom(repetition(outcome.completed))
    if outcome.advice is not None:
        update.advice.CopyFrom(advice(outcome.advice))
    if outcome.cosine is not None:
        update.cosine = outcome.cosine
    if outcome.silhouette_overlap is not None:
        update.silhouette_overlap = outcome.silhouette_overlap
    if outcome.notice is not None:
        told = outcome.notice
        update.notice.CopyFrom(pb.Notice(code=told.code, text_ko=told.text_ko, text_en=told.text_en))


def sub_scores(verdict: Verdict) -> pb.SubScores:
    """The parts of a score that are known."""
    parts = {
        "form": verdict.form,
        "range": verdict.range,
        "tempo": verdict.tempo,
        "symmetry": verdict.symmetry,
        "stability": verdict.stability,
    }
    return pb.SubScores(**{name: value for name, value in parts.items() if math.isfinite(value)})


def joint_error(error: JointError) -> pb.JointError:
    """One joint."""
    return pb.JointError(joint=error.joint, degrees=error.degrees, severity=error.severity)


def repetition(done: CompletedRepetition) -> pb.Repetition:
    """A completed repetition."""
    verdict = done.verdict
    message = pb.Repetition(
        number=done.number,
        start_time=to_timestamp(round(done.start_s * MICRO)),
        end_time=to_timestamp(round(done.end_s * MICRO)),
        sub_scores=sub_scores(verdict),
        out_duration=to_duration(round(verdict.out_s * MICRO)),
        turn_duration=to_duration(round(verdict.turn_s * MICRO)),
        back_duration=to_duration(round(verdict.back_s * MICRO)),
        range_of_motion=verdict.range_of_motion,
        joint_errors=[joint_error(error) for error in done.joint_errors],
        worst_phase=pb.Phase.ValueType(int(done.worst_phase)),
        cosine=verdict.cosine if math.isfinite(verdict.cosine) else 0.0,
        faults=done.faults,
        cue=advice(done.cue) if done.cue is not None else None,
    )
    if math.isfinite(verdict.score):
        message.score = verdict.score
    if done.silhouette_overlap is not None:
        message.silhouette_overlap = done.silhouette_overlap
    return message


def advice(cue: Advice) -> pb.Advice:
    """One thing to say."""
    return pb.Advice(
        code=cue.code,
        text_ko=cue.text_ko,
        text_en=cue.text_en,
        praise=cue.praise,
        joints=cue.joints,
        repetition=cue.repetition,
        tip_ko=cue.tip_ko,
        tip_en=cue.tip_en,
        phrased=cue.phrased,
    )


def reference(stored: Stored, *, whole: bool) -> pb.Reference:
    """A reference; with its curves and its ghost if `whole`."""
    template = stored.template
    remarks = [remark_of(one, template.fps) for one in template.remarks]
    message = pb.Reference(
        reference_id=stored.reference_id,
        version=stored.version,
        name=stored.name,
        exercise=template.exercise,
        kind=pb.ReferenceKind.ValueType(int(template.kind)),
        create_time=to_timestamp(stored.made_us),
        frames=template.video_frames,
        fps=template.fps,
        repetitions=len(template.repetitions) + template.joined,
        template_first_frame=round(float(template.frames[0])),
        template_frames=len(template.frames),
        view_degrees=math.degrees(template.heading) % 360.0 if math.isfinite(template.heading) else math.nan,
        remarks=[one.text_en for one in remarks],
        notices=[pb.Notice(code=one.code, text_ko=one.text_ko, text_en=one.text_en) for one in remarks],
        active=stored.active,
        videos=stored.videos,
        silhouettes=bool(len(template.outlines)),
        strip=bool(stored.strip_frames),
        calibration=pb.ReferenceCalibration(
            source=CALIBRATION_SOURCES[stored.calibration.source if stored.calibration else "defaults"],
            right=stored.labels.right,
            wrong=stored.labels.wrong,
            people=stored.labels.people,
        ),
    )
    if whole:
        degrees = np.degrees(angles_of(template.features))
        message.curves.extend(
            pb.Curve(name=angle.name, degrees=degrees[:, index].tolist())
            for index, angle in enumerate(ANGLES)
        )
        message.ghost.extend(np.nan_to_num(template.ghost).ravel().tolist())
    return message
