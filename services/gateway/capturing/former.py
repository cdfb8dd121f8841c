"""`/ws/camera`: a client of the former server, JSON with base64 in, `frame_processed` out."""

from komi.common.v1 import pose_pb2, stream_pb2
from komi.pose.v1 import pose_service_pb2 as pose
from services.gateway.capturing.camera import WebSocketCamera
from services.gateway.capturing.messages import kept_frame
from services.gateway.capturing.timing import KeptTiming
from services.gateway.fanout.viewer import Viewer
from services.gateway.shaping import kept
from services.gateway.upstream import Upstream
from services.mesh.errors import KomiError
from services.mesh.server_clock import ServerClock

Timestamp = int | float


class FormerCamera(WebSocketCamera[Timestamp]):
    """Numbers the frames itself and gives each timestamp back as it came."""

    def __init__(
        self, upstream: Upstream, clock: ServerClock, viewer: Viewer, config: pose.StreamConfig
    ) -> None:
        super().__init__(upstream, clock, viewer, config)
        self._timing = KeptTiming()
        self._sequence = 0
        self._away = False
        self.say(kept.connection_successful(self.camera_id))

    def on_message(self, message: str | bytes) -> None:
        """A `frame`."""
        frame = kept_frame(message)
        arrival_us = self._clock.now_us()
        time = self._timing.map(frame.timestamp, arrival_us)
        sent = frame.timestamp if frame.timestamp is not None else arrival_us / 1e6
        self._sequence += 1
        self.offer(frame.jpeg, time, self._timing.epoch, self._sequence - 1, sent)

    def on_pose(self, frame: pose_pb2.PoseFrame, sent: Timestamp) -> None:
        """`frame_processed`."""
        self.show(kept.frame_processed(self.camera_id, sent, frame))

    def on_failed(self, failed: stream_pb2.FrameFailed, sent: Timestamp) -> None:
        """An `error` that names the frame by its timestamp."""
        self.say({"type": "error", "reason": failed.error, "message": failed.message, "timestamp": sent})

    def on_state(self, problem: KomiError | None) -> None:
        """Told once an outage: the frames meanwhile get no answer."""
        if problem is not None and not self._away:
            self.say({"type": "error", "reason": problem.reason, "message": problem.message})
        self._away = problem is not None
