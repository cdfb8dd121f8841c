"""Protos and session settings as documents of the REST API."""

from collections.abc import Iterable, Sequence

from komi.pose.v1 import pose_service_pb2
from komi.scoring.v1 import scoring_service_pb2 as scoring
from komi.sync.v1 import sync_service_pb2
from services.gateway import documents
from services.gateway.shaping import poses, scores
from services.gateway.shaping.encoding import number
from services.mesh.sessions import SessionConfig
from services.mesh.times import from_duration, from_timestamp, time_source_name

LANDMARK_PAIRS = 66


def camera(known: pose_service_pb2.Camera) -> documents.Camera:
    """A connected camera."""
    return documents.Camera(
        camera_id=known.camera_id,
        session_id=known.session_id,
        connected_us=from_timestamp(known.connected_time),
        last_frame_us=from_timestamp(known.last_frame_time) if known.HasField("last_frame_time") else None,
        fps=round(known.fps, 2),
        width=known.image_width,
        height=known.image_height,
        time_source=time_source_name(known.time_source),
        dropped=dict(known.dropped),
        replica_id=known.replica_id,
    )


def session(config: SessionConfig) -> documents.Session:
    """A session's settings."""
    return documents.Session(
        session_id=config.session_id,
        cameras=list(config.cameras),
        reference_id=config.reference_id,
        reference_version=config.reference_version,
        mode=config.mode,
        resample=config.resample,
        state=config.state,
        created_us=config.created_us,
        ended_us=config.ended_us or None,
    )


def reference(known: scoring.Reference) -> documents.Reference:
    """A reference, with curves and ghost where the proto has them."""
    return documents.Reference(
        reference_id=known.reference_id,
        version=known.version,
        name=known.name,
        exercise=known.exercise,
        kind=scoring.ReferenceKind.Name(known.kind).removeprefix("REFERENCE_KIND_").lower(),
        created_us=from_timestamp(known.create_time),
        frames=known.frames,
        fps=number(known.fps),
        repetitions=known.repetitions,
        template_first_frame=known.template_first_frame,
        template_frames=known.template_frames,
        view_degrees=number(known.view_degrees, 1),
        remarks=list(known.remarks),
        curves=[
            documents.Curve(name=curve.name, degrees=[number(value, 2) for value in curve.degrees])
            for curve in known.curves
        ],
        ghost=_rows(known.ghost),
    )


def _rows(values: Sequence[float]) -> list[list[float | None]]:
    return [
        [number(value, 4) for value in values[start : start + LANDMARK_PAIRS]]
        for start in range(0, len(values), LANDMARK_PAIRS)
    ]


def summary(told: scoring.GetSessionSummaryResponse) -> documents.Summary:
    """Repetitions and totals of a session."""
    return documents.Summary(
        session_id=told.session_id,
        reference_id=told.reference_id,
        repetitions=[documents.Repetition(**scores.repetition(done)) for done in told.repetitions],
        mean_score=number(told.mean_score, 1) if told.HasField("mean_score") else None,
        sets=told.sets,
    )


def status(
    config: SessionConfig,
    cameras: Iterable[pose_service_pb2.Camera],
    told: sync_service_pb2.GetSessionStatusResponse | None,
    *,
    viewers: int,
    server_us: int | None,
    problems: list[str],
) -> documents.Status:
    """State of a session: its cameras as pose reports them and as sync sees them."""
    connected = {known.camera_id: known for known in cameras}
    seen = {known.camera_id: known for known in told.cameras} if told is not None else {}
    names = set(seen) | set(config.cameras)
    names |= {name for name, known in connected.items() if known.session_id == config.session_id}
    return documents.Status(
        session=session(config),
        cameras=[_camera_status(name, connected.get(name), seen.get(name)) for name in sorted(names)],
        sync=_sync(told) if told is not None else None,
        viewers=viewers,
        server_us=server_us,
        problems=problems,
    )


def _sync(told: sync_service_pb2.GetSessionStatusResponse) -> documents.SyncStatus:
    return documents.SyncStatus(
        watermark_us=from_timestamp(told.watermark) if told.HasField("watermark") else None,
        lateness_ms=from_duration(told.lateness) / 1000,
        sets=told.sets,
        completeness=round(told.completeness, 4),
        spread_median_us=told.spread_median_us,
        replica_id=told.replica_id or None,
    )


def _camera_status(
    camera_id: str, connected: pose_service_pb2.Camera | None, seen: sync_service_pb2.CameraStatus | None
) -> documents.CameraStatus:
    dropped: dict[str, int] = {}
    for counts in (connected.dropped if connected else {}, seen.dropped if seen else {}):
        for reason, count in counts.items():
            dropped[reason] = dropped.get(reason, 0) + count
    source = connected.time_source if connected else seen.time_source if seen else None
    return documents.CameraStatus(
        camera_id=camera_id,
        connected=connected is not None,
        fps=round(connected.fps, 2) if connected else round(seen.fps, 2) if seen else None,
        width=connected.image_width if connected else None,
        height=connected.image_height if connected else None,
        time_source=time_source_name(source) if source is not None else None,
        idle=seen.idle if seen else None,
        completeness=round(seen.completeness, 4) if seen else None,
        delay_median_ms=from_duration(seen.delay_median) / 1000 if seen else None,
        delay_p99_ms=from_duration(seen.delay_p99) / 1000 if seen else None,
        last_us=from_timestamp(seen.last_time) if seen and seen.HasField("last_time") else None,
        dropped=dropped,
        clock=documents.Clock(**poses.clock(seen.clock)) if seen and seen.HasField("clock") else None,
    )
