"""A session's state as a proto and as metrics."""

from typing import TypeAlias

from komi.common.v1 import frame_pb2
from komi.sync.v1 import sync_service_pb2 as pb
from services.mesh.times import to_duration, to_timestamp
from services.sync import metrics
from services.sync.alarms import Alarm, Alarms
from services.sync.figures import Figures
from services.sync.matcher import SessionMatcher

Clocks: TypeAlias = "dict[str, tuple[frame_pb2.ClockStatus | None, frame_pb2.TimeSource.ValueType]]"


def describe(
    session_id: str,
    matcher: SessionMatcher,
    figures: Figures,
    clocks: Clocks,
    alarms: Alarms,
    *,
    sets: int,
    now_us: int,
    replica_id: str,
    redis_bytes: int,
) -> pb.GetSessionStatusResponse:
    """The state now. `clocks`: last reported clock mapping and time source of each camera."""
    answer = pb.GetSessionStatusResponse(
        session_id=session_id,
        lateness=to_duration(matcher.cameras.lateness_us),
        sets=sets,
        completeness=figures.completeness,
        spread_median_us=figures.spread_median_us,
        replica_id=replica_id,
        redis_bytes=redis_bytes,
    )
    if matcher.watermark_us:
        answer.watermark.CopyFrom(to_timestamp(matcher.watermark_us))
    raised = alarms.now()
    for camera_id in sorted(matcher.cameras.names):
        camera = answer.cameras.add(
            camera_id=camera_id,
            idle=matcher.cameras.is_idle(camera_id, now_us),
            completeness=figures.share_with(camera_id),
            dropped=figures.dropped.get(camera_id),
        )
        clock, camera.time_source = clocks.get(camera_id, (None, frame_pb2.TIME_SOURCE_UNSPECIFIED))
        if clock is not None:
            camera.clock.CopyFrom(clock)
        if lag := alarms.lags.get(camera_id):
            camera.content_lag.CopyFrom(to_duration(lag.lag_us))
        if alarm := raised.get(camera_id):
            camera.content_lag_alarm = alarm.applied_us is None
            _raise(answer, camera_id, alarm)
        track = matcher.cameras.tracks.get(camera_id)
        if track is not None:
            camera.fps = track.fps
            camera.delay_median.CopyFrom(to_duration(track.delays.median_us))
            camera.delay_p99.CopyFrom(to_duration(track.delays.p99_us))
            camera.last_time.CopyFrom(to_timestamp(track.newest_us))
    return answer


def _raise(answer: pb.GetSessionStatusResponse, camera_id: str, alarm: Alarm) -> None:
    told = answer.alarms.add(
        camera_id=camera_id,
        lag=to_duration(alarm.lag_us),
        confidence=alarm.confidence,
        applied=alarm.applied_us is not None,
    )
    if alarm.uncertainty_us is not None:
        told.uncertainty.CopyFrom(to_duration(alarm.uncertainty_us))
    if alarm.applied_us is not None:
        told.applied_lag.CopyFrom(to_duration(alarm.applied_us))


def export(status: pb.GetSessionStatusResponse, waiting: int) -> None:
    """The same figures as metrics."""
    session_id = status.session_id
    metrics.WAITING.labels(session_id).set(waiting)
    metrics.LATENESS.labels(session_id).set(status.lateness.ToNanoseconds() / 1e9)
    for camera in status.cameras:
        labels = (session_id, camera.camera_id)
        if camera.HasField("content_lag"):
            metrics.CONTENT_LAG.labels(*labels).set(camera.content_lag.ToNanoseconds() / 1e9)
        metrics.FPS.labels(*labels).set(camera.fps)
        metrics.COMPLETENESS.labels(*labels).set(camera.completeness)
        if camera.HasField("clock"):
            metrics.OFFSET.labels(*labels).set(camera.clock.offset_us / 1e6)
            metrics.DRIFT.labels(*labels).set(camera.clock.drift_ppm)
            metrics.UNCERTAINTY.labels(*labels).set(camera.clock.uncertainty_us / 1e6)
            metrics.JITTER.labels(*labels).set(camera.clock.jitter_us / 1e6)
