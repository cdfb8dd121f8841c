"""What one session, or all of them, means to its viewers: each message encoded once, pushed to each. Pure."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

from komi.common.v1 import frame_pb2
from komi.scoring.v1 import scoring_service_pb2
from komi.sync.v1 import sync_service_pb2
from services.gateway import metrics
from services.gateway.fanout.viewer import Viewer
from services.gateway.shaping import kept, poses, scores
from services.gateway.shaping.encoding import Document
from services.gateway.shaping.formats import Format
from services.gateway.shaping.stages import seconds_until_pushed, stamped
from services.mesh.stages import HOST_ID
from services.mesh.telemetry import DROPS

TOPICS = ("poses", "score", "repetition", "advice", "status", "clock")


class Sink(Protocol):
    """Takes what a session's streams bring; `now_ns` is this process's CLOCK_MONOTONIC."""

    def on_baseline(self, update: scoring_service_pb2.ScoreUpdate, /) -> None:
        """The newest update from before the watch began: what stands already is no news."""

    def on_set(self, synced: sync_service_pb2.SyncedSet, now_ns: int, /) -> None: ...

    def on_update(self, update: scoring_service_pb2.ScoreUpdate, now_ns: int, /) -> None: ...


class _Viewers:
    """The viewers of a feed."""

    def __init__(self) -> None:
        self._viewers: set[Viewer] = set()

    def __len__(self) -> int:
        return len(self._viewers)

    def add(self, viewer: Viewer) -> None:
        self._viewers.add(viewer)

    def discard(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)

    def wanting(self, topic: str) -> list[Viewer]:
        return [viewer for viewer in self._viewers if topic in viewer.topics]


class _Frames:
    """One message as a frame in each format that somebody wants, made once."""

    def __init__(self, topic: str, make: Callable[[Format], bytes]) -> None:
        self._topic = topic
        self._make = make
        self._made: dict[Format, bytes] = {}

    def of(self, format_: Format) -> bytes:
        frame = self._made.get(format_)
        if frame is None:
            metrics.SENT.labels(self._topic).inc()
            frame = self._made[format_] = self._make(format_)
        return frame


def _push(viewers: Iterable[Viewer], topic: str, key: str, make: Callable[[Format], bytes]) -> None:
    frames = _Frames(topic, make)
    skipped = sum(not viewer.push_state(topic, key, frames.of(viewer.format)) for viewer in viewers)
    if skipped:
        DROPS.labels(metrics.SERVICE, "fanout", "superseded").inc(skipped)


def _push_document(viewers: Iterable[Viewer], topic: str, key: str, document: Document) -> None:
    _push(viewers, topic, key, partial(_document, document))


def _document(document: Document, format_: Format) -> bytes:
    return format_.document(document)


def _observe(topic: str, stamps: frame_pb2.StageStamps) -> None:
    total_s = seconds_until_pushed(stamps, "captured", "capture")
    if total_s is not None:
        metrics.CAPTURE_TO_PUSH.labels(topic).observe(total_s)
    since_sync_s = seconds_until_pushed(stamps, "synced", "sync")
    if since_sync_s is not None:
        metrics.SYNC_TO_PUSH.labels(topic).observe(since_sync_s)


class SessionFeed(_Viewers):
    """Viewers of `WS /ws/v1/sessions/{id}`."""

    def __init__(self, session_id: str) -> None:
        super().__init__()
        self.session_id = session_id
        self._cue: scores.CueKey | None = None

    def on_baseline(self, update: scoring_service_pb2.ScoreUpdate) -> None:
        """The cue that stands is no news."""
        self._cue = scores.cue_key(update)

    def on_set(self, synced: sync_service_pb2.SyncedSet, now_ns: int) -> None:
        """Push `poses`, and `clock` for each member that brings the state of its clock."""
        viewers = self.wanting("poses")
        if viewers:
            stamps = stamped(synced.stamps, now_ns, HOST_ID)
            _push(viewers, "poses", "", lambda format_: format_.poses(synced, stamps))
            _observe("poses", stamps)
        viewers = self.wanting("clock")
        for frame in synced.members:
            if viewers and frame.HasField("clock"):
                _push_document(viewers, "clock", frame.id.camera_id, poses.clock_message(frame))

    def on_update(self, update: scoring_service_pb2.ScoreUpdate, now_ns: int) -> None:
        """Push `score`; `repetition` when one is completed; `advice` when the cue is another."""
        viewers = self.wanting("score")
        if viewers:
            stamps = stamped(update.stamps, now_ns, HOST_ID)
            _push(viewers, "score", "", lambda format_: format_.score(update, stamps))
            _observe("score", stamps)
        events, self._cue = events_of(update, self._cue)
        for topic, document in events:
            frames = _Frames(topic, partial(_document, document))
            for viewer in self.wanting(topic):
                viewer.push_event(topic, update.set_sequence, frames.of(viewer.format))

    def on_status(self, status: Document) -> None:
        """Push `status`."""
        _push_document(self.wanting("status"), "status", "", status)


def events_of(
    update: scoring_service_pb2.ScoreUpdate, cue_before: scores.CueKey | None
) -> tuple[list[tuple[str, Document]], scores.CueKey | None]:
    """The events of an update as (topic, message), and the cue that stands after it."""
    events: list[tuple[str, Document]] = []
    if update.HasField("completed"):
        events.append(("repetition", scores.repetition_message(update)))
    cue = scores.cue_key(update)
    if cue is not None and cue != cue_before:
        events.append(("advice", scores.advice_message(update)))
    return events, cue


class MonitorFeed(_Viewers):
    """Viewers of `WS /ws/monitor`: every camera of every session."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[Viewer, list[str]] = {}

    def greet(self, viewer: Viewer, camera_ids: list[str]) -> None:
        """Add a viewer, which hears first of these cameras."""
        self.add(viewer)
        self._tell(viewer, camera_ids)

    def discard(self, viewer: Viewer) -> None:
        """Push nothing more to a viewer."""
        super().discard(viewer)
        self._told.pop(viewer, None)

    def on_baseline(self, _update: scoring_service_pb2.ScoreUpdate) -> None:
        """Monitors know no scores."""

    def on_set(self, synced: sync_service_pb2.SyncedSet, _now_ns: int) -> None:
        """Push a `status_update` for each member."""
        viewers = self.wanting("monitor")
        for frame in synced.members if viewers else ():
            _push_document(viewers, "monitor", frame.id.camera_id, kept.status_update(frame))

    def on_update(self, _update: scoring_service_pb2.ScoreUpdate, _now_ns: int) -> None:
        """Monitors know no scores."""

    def on_cameras(self, camera_ids: list[str]) -> None:
        """Push `cameras_list` to whom it is another one."""
        for viewer in self.wanting("monitor"):
            if self._told.get(viewer) != camera_ids:
                self._tell(viewer, camera_ids)

    def _tell(self, viewer: Viewer, camera_ids: list[str]) -> None:
        self._told[viewer] = camera_ids
        viewer.say(kept.cameras_list(camera_ids))
