"""`/ws/v1/cameras/{id}`: a browser as camera, binary frames in, poses out, its clock measured by probes."""

import asyncio

from komi.common.v1 import pose_pb2, stream_pb2
from komi.pose.v1 import pose_service_pb2 as pose
from services.gateway.capturing.camera import WebSocketCamera
from services.gateway.capturing.messages import BrowserFrame, browser_frame, probe_reply
from services.gateway.capturing.timing import BrowserTiming
from services.gateway.concurrently import until_first
from services.gateway.fanout.viewer import Viewer
from services.gateway.shaping import poses
from services.gateway.shaping.encoding import number
from services.gateway.shaping.stages import stages_ms
from services.gateway.upstream import Upstream
from services.mesh.clock import probe_delays
from services.mesh.errors import KomiError
from services.mesh.server_clock import ServerClock
from services.mesh.stages import monotonic_ns
from services.mesh.times import from_timestamp

CLOCK_PERIOD_NS = 1_000_000_000


class BrowserCamera(WebSocketCamera[BrowserFrame]):
    """Frames carry the page's own numbers and clock."""

    def __init__(
        self, upstream: Upstream, clock: ServerClock, viewer: Viewer, config: pose.StreamConfig
    ) -> None:
        super().__init__(upstream, clock, viewer, config)
        self._timing = BrowserTiming()
        self._page_epoch: int | None = None
        self._restarts = 0
        self._clock_told_ns = 0
        self._greeted = asyncio.Event()

    async def run(self) -> None:
        """Carry frames and measure the page's clock, as WebSocketCamera.run."""
        await until_first(super().run(), self._probe())

    async def _probe(self) -> None:
        await self._greeted.wait()
        for delay_s in probe_delays():
            await asyncio.sleep(delay_s)
            probe_id = self._timing.probe(self._clock.now_ns())
            self.say({"type": "probe", "id": probe_id})

    def on_message(self, message: str | bytes) -> None:
        """A frame (binary) or a probe's reply (text)."""
        arrival_ns = self._clock.now_ns()
        if isinstance(message, str):
            reply = probe_reply(message)
            self._timing.reply(reply.probe_id, reply.client_ms, arrival_ns)
            self._tell_clock(reply.client_ms)
            return
        frame = browser_frame(message)
        if frame.epoch != self._page_epoch:
            self._restarts += self._page_epoch is not None
            self._page_epoch = frame.epoch
        time = self._timing.map(frame.client_ms, arrival_ns // 1000)
        kept = BrowserFrame(b"", frame.epoch, frame.sequence, frame.client_ms)
        self.offer(frame.jpeg, time, self._restarts + self._timing.epoch, frame.sequence, kept)

    def _tell_clock(self, client_ms: float) -> None:
        now_ns = monotonic_ns()
        status = self._timing.status(client_ms)
        if status is not None and now_ns - self._clock_told_ns >= CLOCK_PERIOD_NS:
            self._clock_told_ns = now_ns
            self.say({"type": "clock", **poses.clock(status)})

    def on_ready(self, ready: pose.StreamReady) -> None:
        """`ready`, at every connection to pose."""
        self.say(
            {
                "type": "ready",
                "camera_id": self.camera_id,
                "session_id": ready.session_id,
                "max_frame_bytes": ready.max_frame_bytes,
                "max_frame_pixels": ready.max_frame_pixels,
                "credit": ready.credit,
            }
        )
        self._greeted.set()

    def on_pose(self, frame: pose_pb2.PoseFrame, sent: BrowserFrame) -> None:
        """`pose`: the page draws its own skeleton."""
        landmarks = poses.landmarks(frame)
        captured_us = from_timestamp(frame.time.server_time)
        self.show(
            {
                "type": "pose",
                "epoch": sent.epoch,
                "frame": sent.sequence,
                "server_us": captured_us,
                "width": frame.image_width,
                "height": frame.image_height,
                "persons": frame.persons,
                "image_px": landmarks["image_px"],
                "visibility": landmarks["visibility"],
                "latency_ms": number((self._clock.now_us() - captured_us) / 1000, 1),
                "stages_ms": stages_ms(frame.stamps),
            }
        )

    def on_failed(self, failed: stream_pb2.FrameFailed, sent: BrowserFrame) -> None:
        """`failed`, with the page's own numbers."""
        self.say(
            {
                "type": "failed",
                "epoch": sent.epoch,
                "frame": sent.sequence,
                "reason": failed.error,
                "message": failed.message,
            }
        )

    def on_state(self, problem: KomiError | None) -> None:
        """`status`: whether pose takes frames."""
        message = problem.message if problem is not None else None
        self.say({"type": "status", "connected": problem is None, "message": message})

    def on_credit(self, frames: int) -> None:
        """`credit`."""
        self.say({"type": "credit", "frames": frames})

    def on_session(self, session_id: str) -> None:
        """`session`."""
        self.say({"type": "session", "session_id": session_id})

    def on_dropped(self, reason: str, count: int) -> None:
        """`dropped`."""
        self.say({"type": "dropped", "reason": reason, "count": count})
