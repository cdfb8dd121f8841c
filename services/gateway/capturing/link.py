"""One camera's stream to pose: the newest frame goes as credit allows, and the stream comes back when it breaks."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import grpc
import structlog

from komi.common.v1 import stream_pb2
from komi.pose.v1 import pose_service_pb2 as pose
from services.gateway import metrics
from services.gateway.upstream import Upstream, errors_of
from services.mesh.errors import AlreadyExists, InvalidInput, KomiError, Unavailable
from services.mesh.newest import NewestSlot
from services.mesh.stages import HOST_ID, monotonic_ns
from services.mesh.telemetry import DROPS

log = structlog.get_logger()

READY_S = 3.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
AGAIN_AT_ONCE = (
    stream_pb2.STREAM_END_REASON_DRAINING,
    stream_pb2.STREAM_END_REASON_REBALANCE,
    stream_pb2.STREAM_END_REASON_MOVED,
)


class CameraLink:
    """`offer` frames; `run` carries them, and hands every answer to `on_answer`, every outage to `on_state`.

    `on_state` gets None when the stream is ready, else why it is not.
    """

    def __init__(
        self,
        upstream: Upstream,
        config: pose.StreamConfig,
        on_answer: Callable[[pose.StreamPosesResponse], None],
        on_state: Callable[[KomiError | None], None],
    ) -> None:
        self._upstream = upstream
        self._config = config
        self._on_answer = on_answer
        self._on_state = on_state
        self._slot: NewestSlot[pose.Frame] = NewestSlot()
        self._superseded = 0

    def offer(self, frame: pose.Frame) -> bool:
        """Send this frame next. True: it took the place of one that was not sent."""
        displaced = self._slot.put(frame) is not None
        if displaced:
            self._superseded += 1
            DROPS.labels(metrics.SERVICE, "camera", "superseded").inc()
        return displaced

    async def run(self) -> None:
        """Carry frames until cancelled. Raises AlreadyExists (the name is taken) and InvalidInput (pose refuses)."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                end = await self._stream()
                if end.reason == stream_pb2.STREAM_END_REASON_REPLACED:
                    raise AlreadyExists(
                        f"camera {self._config.camera_id!r} now streams from another place",
                        reason="CAMERA_REPLACED",
                    )
                pause_s = FIRST_PAUSE_S
                if end.reason in AGAIN_AT_ONCE:
                    continue
            except (AlreadyExists, InvalidInput):
                raise
            except KomiError as error:
                log.info("a camera's stream broke", camera_id=self._config.camera_id, reason=error.reason)
                self._on_state(error)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _stream(self) -> stream_pb2.StreamEnd:
        call: Any = self._upstream.pose.StreamPoses()
        writing: asyncio.Task[None] | None = None
        try:
            with errors_of("pose"):
                ready = await self._open(call)
                credit = asyncio.Semaphore(ready.ready.credit)
                self._on_answer(ready)
                self._on_state(None)
                writing = asyncio.create_task(self._write(call, credit), name="frames to pose")
                while (answer := await call.read()) is not grpc.aio.EOF:
                    match answer.WhichOneof("payload"):
                        case "credit":
                            for _ in range(answer.credit.frames):
                                credit.release()
                        case "end":
                            return answer.end  # type: ignore[no-any-return]
                    self._on_answer(answer)
            return stream_pb2.StreamEnd()
        finally:
            call.cancel()
            if writing is not None:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)

    async def _open(self, call: Any) -> pose.StreamPosesResponse:
        try:
            async with asyncio.timeout(READY_S):
                await call.write(pose.StreamPosesRequest(config=self._config))
                first = await call.read()
        except TimeoutError:
            raise Unavailable("pose cannot be reached; the camera connects when it is back") from None
        except asyncio.InvalidStateError:
            first = await call.read()  # raises what the call ended with
        if first is grpc.aio.EOF or first.WhichOneof("payload") != "ready":
            raise Unavailable("pose ended the stream before it was ready")
        return first  # type: ignore[no-any-return]

    async def _write(self, call: Any, credit: asyncio.Semaphore) -> None:
        # A broken call ends the reading side with its status; here it only ends the work.
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            while True:
                await credit.acquire()
                frame = await self._slot.get()
                if frame is None:
                    return
                if self._superseded:
                    frame.dropped.add(reason=stream_pb2.DROP_REASON_SUPERSEDED, count=self._superseded)
                    self._superseded = 0
                frame.stamps.sent_monotonic_ns, frame.stamps.capture_host_id = monotonic_ns(), HOST_ID
                await call.write(pose.StreamPosesRequest(frame=frame))
