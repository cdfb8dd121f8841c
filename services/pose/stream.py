"""One camera's stream: frames into its lane, answers into its outbox, everything given up counted."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import structlog

from komi.common.v1 import frame_pb2, pose_pb2, stream_pb2
from komi.pose.v1 import pose_service_pb2
from services.mesh.errors import Unavailable
from services.mesh.newest import NewestSlot
from services.mesh.times import drop_name, from_duration, from_timestamp, to_timestamp
from services.pose import metrics
from services.pose.capture_time import BadTime, live_time, media_time
from services.pose.credit import Credit
from services.pose.errors import BadStream, FrameError
from services.pose.lane import Done, Job, Lane
from services.pose.outbox import Outbox
from services.pose.tracker import TrackerOptions
from services.pose.translate import Arrived, StreamRequest, drop_reason, frame_failed, pose_frame

log = structlog.get_logger()

RATE_OVER_NS = 3_000_000_000
IDLE_NS = 3_000_000
"""A frame that waited no longer than this found a worker free."""
QUIET_NS = 5_000_000_000
"""A camera that only sends broken frames is named in the log once in this time."""
Watched = tuple[bytes, pose_pb2.PoseFrame]
"""A JPEG as sent, and what was found in it."""


class Clock(Protocol):
    """The server clock, as services.mesh.server_clock.ServerClock."""

    def now_us(self) -> int:
        """Microseconds since the epoch; raises Unavailable while it is not measured."""

    def at_ns(self, local_monotonic_ns: int, /) -> int:
        """Server time of a local instant, nanoseconds since the epoch; raises as now_us does."""

    @property
    def uncertainty_us(self) -> int:
        """How far it may be off, microseconds."""


class CameraStream:
    """What happens between a stream's first message and its end. Knows no transport."""

    def __init__(
        self,
        request: StreamRequest,
        outbox: Outbox,
        *,
        clock: Clock,
        now_ns: Callable[[], int],
        replica_id: str,
        publish: Callable[["CameraStream", pose_pb2.PoseFrame, int], None],
        max_fps: Callable[[], float],
        credit: int,
    ) -> None:
        self.request = request
        self.outbox = outbox
        self.session_id = request.session_id
        self.began_ns = self.heard_ns = now_ns()
        self.images: NewestSlot[Watched] = NewestSlot()
        self.watched = False
        """Somebody looks at this camera's images."""
        self.wishes: NewestSlot[TrackerOptions] = NewestSlot()
        """What its tracker is to do from now on."""
        self._options = request.options
        self._lane: Lane[Arrived] | None = None
        self._clock = clock
        self._now_ns = now_ns
        self._replica_id = replica_id
        self._publish = publish
        self._max_fps = max_fps
        self.credit = credit
        """Frames that the client may send before it hears of more."""
        self._credit = Credit(credit, self.began_ns)
        self._newest = (-1, -1)
        self.finishing = False
        """No more frames are taken."""
        self.reporting = asyncio.Lock()
        """Held while Redis is told about this camera: a report on its way must not undo a goodbye."""
        self._failures = 0
        self._quiet_until_ns = 0
        self._dropped: Counter[stream_pb2.DropReason.ValueType] = Counter()
        self._last: pose_pb2.PoseFrame | None = None
        self._done_ns: deque[int] = deque()
        self._log = log.bind(camera=request.camera_id, session=request.session_id)

    def run_on(self, lane: Lane[Arrived]) -> None:
        """Give the stream its lane; before the first frame."""
        self._lane = lane

    # ------------------------------------------------------------ what the client sends
    def probe(self, probe: stream_pb2.ClockProbe, received_ns: int) -> None:
        """Answer a clock probe; not at all while the server clock is not known."""
        self.heard_ns = received_ns
        try:
            received_unix_ns = self._clock.at_ns(received_ns)
        except Unavailable:
            return
        self.outbox.clock_reply(
            stream_pb2.ClockReply(
                id=probe.id,
                client_send_monotonic_ns=probe.client_send_monotonic_ns,
                server_receive_unix_ns=received_unix_ns,
                server_uncertainty_us=self._clock.uncertainty_us,
            )
        )

    def frame(self, frame: pose_service_pb2.Frame, received_ns: int) -> None:
        """Take a frame in, or say why not. Raises BadStream where a lossless client ignores its credit."""
        assert self._lane is not None
        self.heard_ns = received_ns
        self._credit.arrived()
        for notice in frame.dropped:
            self._dropped[notice.reason] += notice.count
        if self.finishing:
            self._give_up(stream_pb2.DROP_REASON_DRAINING)
            return
        if (frame.epoch, frame.sequence) <= self._newest:
            self._give_up(stream_pb2.DROP_REASON_DUPLICATE)
            self._grant()
            return
        self._newest = (frame.epoch, frame.sequence)
        try:
            time, tracker_us = self._time(frame, received_ns)
        except BadTime as error:
            self._fail(frame, error, stream_pb2.DROP_REASON_BAD_TIME)
            self._grant()
            return
        if self.request.lossless and not self._lane.has_room:
            raise BadStream(
                "more frames than the stream had credit for: wait for credit before sending",
                reason="NO_CREDIT",
            )
        arrived = Arrived(frame, received_ns, self.session_id, time)
        if self._lane.submit(Job(arrived, frame.jpeg, tracker_us)) is not None:
            self._give_up(stream_pb2.DROP_REASON_SUPERSEDED)
            self._credit.displaced()

    def _time(self, frame: pose_service_pb2.Frame, received_ns: int) -> tuple[frame_pb2.CaptureTime, int]:
        """When it was captured, and the same for the tracker, which wants any clock, microseconds."""
        if self.request.lossless:
            return media_time(frame), from_duration(frame.media_time)
        try:
            now_us = self._clock.at_ns(received_ns) // 1000
        except Unavailable:
            now_us = None
        time = live_time(frame, now_us)
        known = time.HasField("server_time")
        return time, from_timestamp(time.server_time) if known else received_ns // 1000

    # ------------------------------------------------------------ what the pool answers
    def on_done(self, done: Done[Arrived]) -> None:
        """A frame has been looked at."""
        self._grant(idle=done.dequeued_ns - done.job.tag.received_ns < IDLE_NS)
        if done.error is not None:
            self._fail(done.job.tag.frame, done.error, drop_reason(done.error))
            return
        frame = pose_frame(done, self.request.camera_id)
        self._measure(done, frame)
        self._last = frame
        if self.request.return_poses and not self.outbox.pose(frame):
            metrics.dropped("return", stream_pb2.DROP_REASON_SUPERSEDED)
        if self.request.lossless:
            return
        if frame.time.HasField("server_time"):
            self._publish(self, frame, done.job.time_us)
        else:
            metrics.dropped("sync", stream_pb2.DROP_REASON_UNREACHABLE)
        if self.watched:
            self.images.put((done.job.jpeg, frame))

    # ------------------------------------------------------------ beside other cameras
    @property
    def in_hand_us(self) -> int | None:
        """Capture time of the newest frame that is not answered yet; None: all are."""
        return None if self._lane is None else self._lane.in_hand_us

    # ------------------------------------------------------------ housekeeping
    def join(self, session_id: str) -> None:
        """Frames that arrive from now on belong to this session."""
        if session_id == self.session_id:
            return
        self._log.info("camera changed session", new_session=session_id)
        self.session_id = session_id
        changed = pose_service_pb2.SessionChanged(session_id=session_id)
        self.outbox.notice(pose_service_pb2.StreamPosesResponse(session_changed=changed))

    def show_silhouettes(self, wanted: bool) -> None:
        """Send the person's outlines from now on, or no longer unless the camera itself asked for them."""
        own = self.request.options
        options = replace(own, segmentation=own.segmentation or wanted)
        if options != self._options:
            self._log.info("outlines wanted" if wanted else "outlines no longer wanted")
            self._options = options
            self.wishes.put(options)

    async def answer_all(self) -> None:
        """Take no more frames, and answer those that are here."""
        assert self._lane is not None
        self.finishing = True
        await self._lane.idle()

    async def finish(self, reason: stream_pb2.StreamEndReason.ValueType, message: str) -> None:
        """Answer what a worker has in hand, give up what waits, end the stream."""
        self.give_up_waiting()
        await self.answer_all()
        self.outbox.end(stream_pb2.StreamEnd(reason=reason, message=message))

    def give_up_waiting(self) -> None:
        """Drop the frames that no worker has taken up."""
        assert self._lane is not None
        for _ in self._lane.give_up():
            self._give_up(stream_pb2.DROP_REASON_DRAINING)

    def camera(self) -> pose_service_pb2.Camera:
        """How the camera does, for the register."""
        camera = pose_service_pb2.Camera(
            camera_id=self.request.camera_id,
            session_id=self.session_id,
            replica_id=self._replica_id,
            connected_time=to_timestamp(self._clock.at_ns(self.began_ns) // 1000),
            fps=self._fps(),
            dropped={drop_name(reason): count for reason, count in self._dropped.items()},
        )
        if self._last is not None:
            camera.image_width, camera.image_height = self._last.image_width, self._last.image_height
            camera.time_source = self._last.time.source
            if self._last.time.HasField("server_time"):
                camera.last_frame_time.CopyFrom(self._last.time.server_time)
        return camera

    def _grant(self, *, idle: bool = False) -> None:
        """A frame was answered, in one way or another."""
        frames = self._credit.answered(self._now_ns(), idle=idle)
        if frames:
            self.outbox.credit(frames, self._max_fps())

    def _give_up(self, reason: stream_pb2.DropReason.ValueType) -> None:
        metrics.dropped("receive", reason)
        self._dropped[reason] += 1
        self.outbox.dropped(reason)

    def _fail(
        self, frame: pose_service_pb2.Frame, error: FrameError, reason: stream_pb2.DropReason.ValueType
    ) -> None:
        metrics.FRAMES.labels(error.reason.lower()).inc()
        metrics.dropped("decode", reason)
        self._dropped[reason] += 1
        self.outbox.failed(frame_failed(frame, error))
        self._failures += 1
        if self._now_ns() >= self._quiet_until_ns:
            self._quiet_until_ns = self._now_ns() + QUIET_NS
            self._log.info(
                "frame failed",
                epoch=frame.epoch,
                sequence=frame.sequence,
                reason=error.reason,
                message=error.message,
                failures=self._failures,
            )

    def _measure(self, done: Done[Arrived], frame: pose_pb2.PoseFrame) -> None:
        metrics.FRAMES.labels("person" if frame.persons else "nobody").inc()
        stamps = frame.stamps
        stages = (
            (done.dequeued_ns - stamps.received_monotonic_ns) / 1e9,
            (done.decoded_ns - done.dequeued_ns) / 1e9,
            (done.inferred_ns - done.decoded_ns) / 1e9,
            (done.inferred_ns - stamps.received_monotonic_ns) / 1e9,
        )
        captured_ns = stamps.captured_monotonic_ns
        if captured_ns and stamps.capture_host_id == stamps.pose_host_id:
            metrics.STAGE_SECONDS.took(*stages, (done.inferred_ns - captured_ns) / 1e9)
        else:
            metrics.STAGE_SECONDS.took(*stages)
        if done.found is not None:
            metrics.MODEL_CALLS_CPU.inc(done.found.model_cpu_ns / 1e9)
        self._done_ns.append(done.inferred_ns)

    def _fps(self) -> float:
        now_ns = self._now_ns()
        while self._done_ns and self._done_ns[0] < now_ns - RATE_OVER_NS:
            self._done_ns.popleft()
        span_ns = min(now_ns - self.began_ns, RATE_OVER_NS)
        return len(self._done_ns) * 1e9 / span_ns if span_ns else 0.0
