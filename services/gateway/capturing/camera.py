"""A WebSocket that is a camera: what it sends becomes frames for pose, what pose answers goes back to it."""

import secrets
from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import Generic, TypeVar

from komi.common.v1 import frame_pb2, pose_pb2, stream_pb2
from komi.pose.v1 import pose_service_pb2 as pose
from services.gateway import metrics
from services.gateway.capturing.link import CameraLink
from services.gateway.capturing.timing import age_us
from services.gateway.concurrently import until_first
from services.gateway.fanout.viewer import Viewer
from services.gateway.shaping.encoding import Document
from services.gateway.upstream import Upstream
from services.mesh.errors import InvalidInput, KomiError
from services.mesh.server_clock import ServerClock
from services.mesh.stages import HOST_ID, monotonic_ns, new_traceparent
from services.mesh.telemetry import DROPS

Sent = TypeVar("Sent")

MOST_PENDING = 64
FIRST_EPOCH_US = 1_767_225_600_000_000
"""2026-01-01: epochs of WebSocket cameras count tenths of a second from here, so that each connection's is higher."""


class WebSocketCamera(ABC, Generic[Sent]):
    """One camera. `Sent` is what is remembered of a frame until its answer comes."""

    def __init__(
        self, upstream: Upstream, clock: ServerClock, viewer: Viewer, config: pose.StreamConfig
    ) -> None:
        self.camera_id = config.camera_id
        self._clock = clock
        self._viewer = viewer
        self._epoch = (clock.now_us() - FIRST_EPOCH_US) // 100_000 % (1 << 32)
        self._pending: OrderedDict[tuple[int, int], Sent] = OrderedDict()
        self._max_frame_bytes = 0
        self._link = CameraLink(upstream, config, self._on_answer, self.on_state)

    async def run(self) -> None:
        """Carry frames until cancelled, or until the peer does not read its answers.

        Raises AlreadyExists and InvalidInput where pose refuses the camera.
        """
        await until_first(self._link.run(), self._viewer.pump())

    def take(self, message: str | bytes) -> None:
        """A message of the peer; what cannot be used is answered with an error and counted."""
        try:
            self.on_message(message)
        except InvalidInput as error:
            DROPS.labels(metrics.SERVICE, "camera", "broken").inc()
            metrics.PROBLEMS.labels(error.reason).inc()
            self.say({"type": "error", "reason": error.reason, "message": error.message})

    def say(self, document: Document) -> None:
        """Send a message that must arrive."""
        self._viewer.say(document)

    def show(self, document: Document) -> None:
        """Send a pose; a peer that does not read gets the newest only."""
        self._viewer.push_state("pose", "", self._viewer.format.document(document))

    def offer(self, jpeg: bytes, time: frame_pb2.CaptureTime, epoch: int, sequence: int, sent: Sent) -> None:
        """Hand a frame to the link. Raises InvalidInput for one larger than pose takes."""
        if self._max_frame_bytes and len(jpeg) > self._max_frame_bytes:
            raise InvalidInput(
                f"the image has {len(jpeg)} bytes, more than the {self._max_frame_bytes} taken here",
                reason="IMAGE_OVERSIZED",
            )
        now_ns = monotonic_ns()
        captured_ns = now_ns - 1000 * age_us(time, self._clock.now_us())
        frame = pose.Frame(
            sequence=sequence,
            epoch=(self._epoch + epoch) % (1 << 32),
            jpeg=jpeg,
            time=time,
            stamps=frame_pb2.StageStamps(captured_monotonic_ns=captured_ns, capture_host_id=HOST_ID),
            traceparent=new_traceparent(),
        )
        self._pending[frame.epoch, sequence] = sent
        while len(self._pending) > MOST_PENDING:
            self._pending.popitem(last=False)
        if self._link.offer(frame):
            self.on_dropped("superseded", 1)

    def _on_answer(self, answer: pose.StreamPosesResponse) -> None:
        match answer.WhichOneof("payload"):
            case "ready":
                self._max_frame_bytes = answer.ready.max_frame_bytes
                self.on_ready(answer.ready)
            case "pose":
                sent = self._pending.pop((answer.pose.id.epoch, answer.pose.id.sequence), None)
                if sent is not None:
                    self.on_pose(answer.pose, sent)
            case "failed":
                failed = self._pending.pop((answer.failed.epoch, answer.failed.sequence), None)
                if failed is not None:
                    self.on_failed(answer.failed, failed)
            case "credit":
                self.on_credit(answer.credit.frames)
            case "session_changed":
                self.on_session(answer.session_changed.session_id)

    @abstractmethod
    def on_message(self, message: str | bytes) -> None:
        """A message of the peer. Raises InvalidInput where it cannot be used."""

    @abstractmethod
    def on_pose(self, frame: pose_pb2.PoseFrame, sent: Sent) -> None:
        """Landmarks of a frame."""

    @abstractmethod
    def on_failed(self, failed: stream_pb2.FrameFailed, sent: Sent) -> None:
        """A frame could not be used."""

    @abstractmethod
    def on_state(self, problem: KomiError | None) -> None:
        """The stream to pose is there (None) or not."""

    def on_ready(self, ready: pose.StreamReady) -> None:
        """The stream to pose is there, again perhaps."""

    def on_credit(self, frames: int) -> None:
        """Pose takes more frames."""

    def on_session(self, session_id: str) -> None:
        """The camera was moved."""

    def on_dropped(self, reason: str, count: int) -> None:
        """Frames were given up here."""


def instance_id(wanted: str | None) -> str:
    """Identity of a peer across its reconnects; a fresh one where it names none."""
    return f"ws-{wanted}" if wanted else f"ws-{secrets.token_hex(8)}"
