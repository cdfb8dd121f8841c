"""One camera: what its reader thread and its link share, and what the service tells of it."""

import asyncio
import contextlib
import dataclasses
from collections import Counter

import structlog

from komi.common.v1 import stream_pb2
from services.capture import metrics
from services.capture.errors import BadChange
from services.capture.frames import Frame, Handover
from services.capture.pace import RateMeter
from services.capture.quality import QualityControl
from services.capture.server_time import OwnClock, ServerTime
from services.capture.states import CameraState, LinkState, Target
from services.mesh.newest import NewestSlot
from services.mesh.stages import monotonic_ns

log = structlog.get_logger()

LEAST_FPS = 0.5
STALE_NS = 500_000_000
FPS_RANGE = (0.0, 240.0)
SIZE_RANGE = (16, 4096)


class Camera:
    """Between a reader thread, which it serves as services.capture.reader.Sink, and a link in the event loop."""

    def __init__(
        self, camera_id: str, shown: str, target: Target, server_time: ServerTime, quality: QualityControl
    ) -> None:
        """Make it in the event loop. `shown`: its source without secrets; `server_time`: that of CLOCK_MONOTONIC."""
        self.camera_id = camera_id
        self.shown = shown
        self.quality = quality
        self.slot: NewestSlot[Frame] = NewestSlot()
        """The frame that is to be sent next."""
        self.latest: Frame | None = None
        self.state_now = CameraState.OPENING
        self.source_problem = ""
        self.link_state = LinkState.CONNECTING
        self.link_problem = ""
        self.dropped: Counter[stream_pb2.DropReason.ValueType] = Counter()
        self.read_fps = self.sent_fps = 0.0
        self._loop = asyncio.get_running_loop()
        self.server_time = server_time
        """Of the clock that stamps its frames."""
        self.clock_changed = asyncio.Event()
        """Set when server_time was replaced and is to be probed."""
        self._monotonic_time = server_time
        self._metrics = metrics.OfCamera(camera_id)
        self._asked = target
        self._useful_fps = 0.0
        self._unreported: Counter[stream_pb2.DropReason.ValueType] = Counter()
        self._handover: Handover[Frame] = Handover(self._tell, self._receive)
        self._read = self._sent = self._sent_bytes = 0
        self._told = (0, 0, 0)
        self._read_meter, self._sent_meter = RateMeter(), RateMeter()
        self._log = log.bind(camera=camera_id)

    # ------------------------------------------------------------ for the reader's thread
    @property
    def target(self) -> Target:
        """Rate and size to deliver: as asked, but no faster than the server says is useful."""
        if 0 < self._useful_fps < self._asked.fps:
            return dataclasses.replace(self._asked, fps=max(LEAST_FPS, self._useful_fps))
        return self._asked

    @property
    def clock_epoch(self) -> int:
        """Steps of the clock mapping so far."""
        return self.server_time.epoch

    @property
    def encode_at(self) -> int | None:
        """JPEG quality, if the next frame is going to be sent; None while one waits already, or there is no link.

        Compressing where the frame is read spares two hand-overs; what is dropped should not have been compressed.
        """
        wanted = self.link_state is LinkState.STREAMING and not self.slot.filled
        return self.quality.quality if wanted else None

    @property
    def takes_jpegs(self) -> bool:
        """Whether a camera's own JPEG may go out as it is."""
        return self.quality.free

    def opened(self, own_clock: OwnClock | None) -> None:
        """A source was opened that stamps by `own_clock`; None: by CLOCK_MONOTONIC."""
        if own_clock is not None:
            # A later epoch: its stamps do not compare with those of the clock before.
            self.server_time = ServerTime(own_clock, self.server_time.epoch + 1)
            self._tell(self.clock_changed.set)
        else:
            self.server_time = self._monotonic_time

    def grabbed(self) -> None:
        """The source gave a frame."""
        self._read += 1

    def frame(self, frame: Frame) -> None:
        """A frame was taken from the source."""
        if self._handover.put(frame) is not None:
            self._tell(self._drop_read, stream_pb2.DROP_REASON_SUPERSEDED)

    def broken(self) -> None:
        """A frame could not be unpacked."""
        self._tell(self._drop_read, stream_pb2.DROP_REASON_BROKEN)

    def overdue(self) -> None:
        """A recording's frame was left out."""
        self._tell(self._drop_read, stream_pb2.DROP_REASON_SUPERSEDED)

    def state(self, state: CameraState, problem: str) -> None:
        """What the reader does now."""
        self._tell(self._set_state, state, problem)

    def _tell(self, *call: object) -> None:
        # The loop may end before a reader that hung in its driver, at any moment.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(*call)  # type: ignore[arg-type]

    # ------------------------------------------------------------ in the loop
    def _receive(self, frame: Frame) -> None:
        self.latest = frame
        if self.slot.put(frame) is not None:
            connected = self.link_state is LinkState.STREAMING
            self.drop(
                "send", stream_pb2.DROP_REASON_SUPERSEDED if connected else stream_pb2.DROP_REASON_UNREACHABLE
            )

    def _drop_read(self, reason: stream_pb2.DropReason.ValueType) -> None:
        self.drop("read", reason)

    def _set_state(self, state: CameraState, problem: str) -> None:
        if (state, problem) == (self.state_now, self.source_problem):
            return
        self.state_now, self.source_problem = state, problem
        if state is CameraState.LOST:
            self._log.warning("camera lost; trying again", source=self.shown, problem=problem)
        else:
            self._log.info("camera", state=state.name.lower(), source=self.shown)
        if state is CameraState.ENDED:
            self.slot.close()

    def drop(self, stage: str, reason: stream_pb2.DropReason.ValueType) -> None:
        """Count a frame that was given up, and tell the server with the next one."""
        metrics.dropped(stage, reason)
        self.dropped[reason] += 1
        self._unreported[reason] += 1

    def take_unreported(self) -> list[stream_pb2.DropNotice]:
        """What was given up since this was asked last."""
        if not self._unreported:
            return []
        notices = [stream_pb2.DropNotice(reason=reason, count=n) for reason, n in self._unreported.items()]
        self._unreported.clear()
        return notices

    def drop_stale(self) -> None:
        """Give up a frame that has waited for a link for so long that nobody wants it any more."""
        if (
            self.slot.filled
            and self.latest is not None
            and monotonic_ns() - self.latest.captured_ns > STALE_NS
        ):
            self.slot.take()
            self.drop("send", stream_pb2.DROP_REASON_UNREACHABLE)

    def sent(self, jpeg_bytes: int) -> None:
        """A frame was handed to the transport."""
        self._sent += 1
        self._sent_bytes += jpeg_bytes

    def set_link(self, state: LinkState, problem: str = "") -> None:
        """What the link does now."""
        if (state, problem) == (self.link_state, self.link_problem):
            return
        self.link_state, self.link_problem = state, problem
        if problem:
            self._log.warning("link", state=state.name.lower(), problem=problem)
        else:
            self._log.info("link", state=state.name.lower())
        if state is not LinkState.STREAMING:
            self._useful_fps = 0.0

    def set_useful_fps(self, fps: float) -> None:
        """The server's hint: more frames a second than this are of no use. 0: no limit known."""
        self._useful_fps = fps

    @property
    def asked(self) -> Target:
        """Rate and size asked for."""
        return self._asked

    def change(self, fps: float | None = None, width: int | None = None, height: int | None = None) -> None:
        """Change what is asked for. Raises BadChange and leaves it as it is when out of range."""
        if fps is not None and not FPS_RANGE[0] < fps <= FPS_RANGE[1]:
            raise BadChange(f"a rate of {fps:g} frames a second is out of range: above 0 to {FPS_RANGE[1]:g}")
        for name, pixels in (("width", width), ("height", height)):
            if pixels is not None and not SIZE_RANGE[0] <= pixels <= SIZE_RANGE[1]:
                raise BadChange(
                    f"a {name} of {pixels} pixels is out of range: {SIZE_RANGE[0]} to {SIZE_RANGE[1]}"
                )
        old = self._asked
        self._asked = Target(fps or old.fps, width or old.width, height or old.height)

    @property
    def problem(self) -> str:
        """Why it is lost or refused, in one line; empty: it is not."""
        return "; ".join(part for part in (self.source_problem, self.link_problem) if part)

    def measure(self, now_s: float) -> None:
        """Bring rates and metrics up to date; called twice a second."""
        read = self._read
        self.read_fps = self._read_meter.sample(now_s, read)
        self.sent_fps = self._sent_meter.sample(now_s, self._sent)
        told_read, told_sent, told_bytes = self._told
        told = self._metrics
        told.frames_read.inc(read - told_read)
        told.frames_sent.inc(self._sent - told_sent)
        told.bytes_sent.inc(self._sent_bytes - told_bytes)
        self._told = (read, self._sent, self._sent_bytes)
        told.read_fps.set(self.read_fps)
        told.sent_fps.set(self.sent_fps)
        told.quality.set(self.quality.quality)
        told.waiting.set(self.slot.filled)
        told.reading.set(self.state_now is CameraState.READING)
        told.streaming.set(self.link_state is LinkState.STREAMING)
