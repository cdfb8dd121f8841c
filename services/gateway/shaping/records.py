"""Cameras, sessions and their state as documents of the REST API."""

from collections.abc import Iterable

from komi.pose.v1 import pose_service_pb2
from komi.sync.v1 import sync_service_pb2
from services.gateway.documents import cameras, sessions
from services.gateway.documents import status as states
from services.gateway.sessions import calibration, settings
from services.gateway.shaping import poses
from services.mesh.sessions import SessionConfig
from services.mesh.times import from_duration, from_timestamp, time_source_name


def camera(known: pose_service_pb2.Camera) -> cameras.Camera:
    """A connected camera."""
    return cameras.Camera(
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


def session(config: SessionConfig) -> sessions.Session:
    """A session's settings."""
    return sessions.Session(
        session_id=config.session_id,
        cameras=list(config.cameras),
        reference_id=config.reference_id,
        reference_version=config.reference_version,
        mode=config.mode,
        resample=config.resample,
        target_repetitions=settings.target_repetitions(config),
        allow_mirror=settings.allow_mirror(config),
        silhouettes=settings.silhouettes(config),
        lag_us=settings.lag_us(config),
        apply_content_lag=settings.apply_content_lag(config),
        calibration=calibration.calibrated_cameras(config),
        state=config.state,
        created_us=config.created_us,
        ended_us=config.ended_us or None,
    )


def status(
    config: SessionConfig,
    connected: Iterable[pose_service_pb2.Camera],
    told: sync_service_pb2.GetSessionStatusResponse | None,
    *,
    viewers: int,
    server_us: int | None,
    problems: list[str],
) -> states.Status:
    """State of a session: its cameras as pose reports them and as sync sees them."""
    by_name = {known.camera_id: known for known in connected}
    seen = {known.camera_id: known for known in told.cameras} if told is not None else {}
    names = set(seen) | set(config.cameras)
    names |= {name for name, known in by_name.items() if known.session_id == config.session_id}
    return states.Status(
        session=session(config),
        cameras=[_camera_status(name, by_name.get(name), seen.get(name)) for name in sorted(names)],
        sync=_sync(told) if told is not None else None,
        alarms=[_alarm(alarm) for alarm in told.alarms] if told is not None else [],
        viewers=viewers,
        server_us=server_us,
        problems=problems,
    )


def _sync(told: sync_service_pb2.GetSessionStatusResponse) -> states.SyncStatus:
    return states.SyncStatus(
        watermark_us=from_timestamp(told.watermark) if told.HasField("watermark") else None,
        lateness_ms=from_duration(told.lateness) / 1000,
        sets=told.sets,
        completeness=round(told.completeness, 4),
        spread_median_us=told.spread_median_us,
        replica_id=told.replica_id or None,
    )


def _alarm(alarm: sync_service_pb2.ContentAlarm) -> states.ContentAlarm:
    measured = alarm.HasField("uncertainty")
    return states.ContentAlarm(
        camera_id=alarm.camera_id,
        lag_ms=from_duration(alarm.lag) / 1000,
        uncertainty_ms=from_duration(alarm.uncertainty) / 1000 if measured else None,
        confidence=round(alarm.confidence, 3) if measured else None,
        applied=alarm.applied,
        applied_lag_ms=from_duration(alarm.applied_lag) / 1000 if alarm.HasField("applied_lag") else None,
    )


def _camera_status(
    camera_id: str, connected: pose_service_pb2.Camera | None, seen: sync_service_pb2.CameraStatus | None
) -> states.CameraStatus:
    dropped: dict[str, int] = {}
    for counts in (connected.dropped if connected else {}, seen.dropped if seen else {}):
        for reason, count in counts.items():
            dropped[reason] = dropped.get(reason, 0) + count
    source = connected.time_source if connected else seen.time_source if seen else None
    return states.CameraStatus(
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
        clock=states.Clock(**poses.clock(seen.clock)) if seen and seen.HasField("clock") else None,
    )
