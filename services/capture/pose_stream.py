"""One gRPC stream to a pose service: frames as credit allows, probes between them, answers back."""

import asyncio
import itertools
from collections.abc import Callable
from concurrent.futures import Executor
from typing import NoReturn

import grpc
import structlog

from komi.common.v1 import frame_pb2, pose_pb2, stream_pb2
from komi.pose.v1 import pose_service_pb2, pose_service_pb2_grpc
from services.capture import metrics
from services.capture.camera import Camera
from services.capture.encoding import encode_within
from services.capture.errors import LinkLost
from services.capture.frames import Frame
from services.capture.link import StreamOver
from services.capture.pose_messages import StreamOptions, config_request, frame_request, stream_over
from services.capture.server_time import ServerTime
from services.capture.states import LinkState
from services.mesh.clock import probe_delays
from services.mesh.stages import monotonic_ns
from services.mesh.status import from_rpc_error

log = structlog.get_logger()

Request = pose_service_pb2.StreamPosesRequest
Response = pose_service_pb2.StreamPosesResponse
Call = grpc.aio.StreamStreamCall[Request, Response]

CONNECT_S = 3.0
SILENCE_S = 5.0
"""Probes go out every two seconds; a server that answered them once and now says nothing for this long is gone."""
CLOCK_WAIT_S = 1.0
"""Frames wait so long for the first burst of probes, to be timed by it."""
MOST_CREDIT = 64
COMPLAINT_PERIOD_NS = 10_000_000_000
STATUS_PERIOD_NS = 1_000_000_000


class PoseStream:
    """Runs one stream, once."""

    def __init__(
        self,
        camera: Camera,
        stub: "pose_service_pb2_grpc.PoseServiceAsyncStub",
        server: str,
        options: StreamOptions,
        encoders: Executor,
        on_pose: Callable[[pose_pb2.PoseFrame], None],
        jitter_us: Callable[[], int],
    ) -> None:
        """`server` names the service in messages; `jitter_us` is that of the camera's capture stamps."""
        self._camera = camera
        self._stub = stub
        self._server = server
        self._options = options
        self._probed: ServerTime | None = None
        self._awaited: ServerTime | None = None
        self._first_probe = 0
        self._encoders = encoders
        self._on_pose = on_pose
        self._jitter_us = jitter_us
        self._credit = asyncio.Semaphore(0)
        self._writing = asyncio.Lock()
        self._status_ns = self._heard_ns = self._complained_ns = 0
        self._all_sent = self._answered = False
        self._most_bytes = self._most_pixels = 0
        self._log = log.bind(camera=camera.camera_id, session=options.session_id)

    async def run(self) -> None:
        """See services.capture.link.Stream."""
        call = self._stub.StreamPoses()
        try:
            await self._greet(call)
            await self._exchange(call)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, f"the pose service at {self._server}") from error
        finally:
            call.cancel()

    async def _greet(self, call: Call) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                await call.write(
                    config_request(self._camera.camera_id, self._camera.asked.fps, self._options)
                )
                first = await call.read()
        except TimeoutError:
            raise LinkLost(
                f"no pose service answers at {self._server}: check that it runs and that the address is right"
            ) from None
        except asyncio.InvalidStateError:
            first = grpc.aio.EOF
        if not isinstance(first, Response):
            await self._raise_status(call)
        if first.WhichOneof("payload") == "end":
            raise stream_over(first.end)
        if first.WhichOneof("payload") != "ready":
            raise LinkLost(f"{self._server} did not greet as a pose service does: is the address right?")
        ready = first.ready
        self._most_bytes = ready.max_frame_bytes or 1 << 30
        self._most_pixels = ready.max_frame_pixels or 1 << 30
        self._grant(ready.credit)
        self._camera.quality.new_link()
        self._log.info("connected", replica_id=ready.replica_id, model=ready.model, credit=ready.credit)

    async def _exchange(self, call: Call) -> None:
        """Send, probe and receive until one of them ends the stream."""
        receiving = asyncio.create_task(self._receive(call))
        others = [asyncio.create_task(self._send(call)), asyncio.create_task(self._probe(call))]
        pending = {receiving, *others}
        try:
            while receiving in pending:
                done, pending = await asyncio.wait(
                    pending, timeout=SILENCE_S / 4, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    task.result()
                if self._answered and monotonic_ns() - self._heard_ns > SILENCE_S * 1e9:
                    raise LinkLost(f"the pose service at {self._server} fell silent")
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    # ------------------------------------------------------------ sending
    async def _send(self, call: Call) -> None:
        self._awaited = self._camera.server_time
        await self._awaited.wait_ready(CLOCK_WAIT_S)
        self._camera.set_link(LinkState.STREAMING)
        self._camera.drop_stale()
        while True:
            await self._credit.acquire()
            frame = await self._camera.slot.get()
            if frame is None:
                break
            fitting = await self._fit(frame)
            if fitting is None:
                self._credit.release()
                self._camera.drop("send", stream_pb2.DROP_REASON_OVERSIZED)
                continue
            if not await self._send_frame(call, fitting):
                return
        self._all_sent = True
        try:
            async with self._writing:
                await call.done_writing()
        except asyncio.InvalidStateError:
            return

    async def _fit(self, frame: Frame) -> Frame | None:
        """The frame with a JPEG that the server accepts. None: there is no such."""
        width, height = frame.size
        if (
            width * height <= self._most_pixels
            and frame.jpeg is not None
            and len(frame.jpeg.data) <= self._most_bytes
        ):
            return frame
        loop = asyncio.get_running_loop()
        quality = self._camera.quality.quality
        return await loop.run_in_executor(
            self._encoders, encode_within, frame, quality, self._most_bytes, self._most_pixels
        )

    async def _send_frame(self, call: Call, frame: Frame) -> bool:
        """Whether it was handed to the transport; if not, the receiver knows why."""
        assert frame.jpeg is not None
        server_time = self._camera.server_time
        if server_time is not self._awaited:
            # Once for each clock: without answers to probes frames go out untimed, not one by one a second.
            await server_time.wait_ready(CLOCK_WAIT_S)
            self._awaited = server_time
        request = frame_request(
            frame,
            server_time,
            self._status(),
            self._camera.take_unreported(),
        )
        async with self._writing:
            sent_ns = monotonic_ns()
            request.frame.stamps.sent_monotonic_ns = sent_ns
            if not await _write(call, request):
                return False
            written_ns = monotonic_ns()
        self._camera.sent(len(frame.jpeg.data))
        self._camera.quality.written((written_ns - sent_ns) / 1e9, 1 / self._camera.asked.fps)
        metrics.AGE_SECONDS.observe((sent_ns - frame.captured_ns) / 1e9)
        return True

    def _status(self) -> frame_pb2.ClockStatus | None:
        now_ns = monotonic_ns()
        if now_ns - self._status_ns < STATUS_PERIOD_NS:
            return None
        self._status_ns = now_ns
        return self._camera.server_time.status(self._jitter_us())

    async def _probe(self, call: Call) -> None:
        delays = probe_delays(self._calm)
        for number in itertools.count():
            await self._until_due(next(delays))
            async with self._writing:
                server_time = self._camera.server_time
                if server_time is not self._probed:
                    self._probed, self._first_probe = server_time, number
                    delays = itertools.islice(probe_delays(self._calm), 1, None)
                probe = stream_pb2.ClockProbe(
                    id=number, client_send_monotonic_ns=server_time.own(monotonic_ns())
                )
                if not await _write(call, Request(probe=probe)):
                    return

    def _calm(self) -> bool:
        """Whether fewer probes do, which tell both the clock and what stands on the link."""
        return self._camera.server_time.calm and self._camera.quality.calm

    async def _until_due(self, delay_s: float) -> None:
        """Wait before the next probe, but no longer than until the camera has another clock."""
        try:
            async with asyncio.timeout(delay_s):
                await self._camera.clock_changed.wait()
        except TimeoutError:
            return
        self._camera.clock_changed.clear()

    # ------------------------------------------------------------ receiving
    async def _receive(self, call: Call) -> None:
        """Take answers until the server has answered everything. Raises StreamOver, LinkLost, AioRpcError."""
        while isinstance(response := await call.read(), Response):
            self._heard_ns = monotonic_ns()
            if self._take(response, self._heard_ns):
                return
        await self._raise_status(call)

    def _take(self, response: Response, back_ns: int) -> bool:
        """Take one answer in. True: it was the last, and everything is answered."""
        match response.WhichOneof("payload"):
            case "clock_reply":
                self._clock_reply(response.clock_reply, back_ns)
            case "credit":
                self._grant(response.credit.frames)
                self._camera.set_useful_fps(response.credit.max_fps)
            case "pose":
                self._on_pose(response.pose)
            case "failed":
                self._failed(response.failed)
            case "session_changed":
                self._log = self._log.bind(session=response.session_changed.session_id)
                self._log.info("the camera was moved to another session")
            case "end":
                if self._all_sent and response.end.reason == stream_pb2.STREAM_END_REASON_COMPLETE:
                    return True
                raise stream_over(response.end)
        return False

    def _clock_reply(self, reply: stream_pb2.ClockReply, back_ns: int) -> None:
        self._answered = True
        server_time = self._probed
        if server_time is None or reply.id < self._first_probe:
            return  # It measured a clock that the camera no longer has.
        if server_time.add(reply, back_ns):
            self._log.warning("a clock stepped: the camera's frames begin a new epoch")
        away_ns = server_time.own(back_ns) - reply.client_send_monotonic_ns
        held_ns = reply.server_send_unix_ns - reply.server_receive_unix_ns
        self._camera.quality.round_trip((away_ns - held_ns) / 1e9, 1 / self._camera.asked.fps)

    def _failed(self, failed: stream_pb2.FrameFailed) -> None:
        metrics.FRAMES_FAILED.labels(self._camera.camera_id, failed.error).inc()
        now_ns = monotonic_ns()
        if now_ns - self._complained_ns >= COMPLAINT_PERIOD_NS:
            self._complained_ns = now_ns
            self._log.warning(
                "frame failed",
                epoch=failed.epoch,
                sequence=failed.sequence,
                error=failed.error,
                message=failed.message,
            )

    def _grant(self, frames: int) -> None:
        for _ in range(min(frames, MOST_CREDIT)):
            self._credit.release()

    async def _raise_status(self, call: Call) -> NoReturn:
        """Say why the call ended without a last message."""
        code = await call.code()
        if code is grpc.StatusCode.OK:
            raise StreamOver("closed", "the server closed the stream", again_at_once=False)
        raise grpc.aio.AioRpcError(
            code, await call.initial_metadata(), await call.trailing_metadata(), details=await call.details()
        )


async def _write(call: Call, request: Request) -> bool:
    """Whether the transport took it; if not, the call is over, and the receiver learns why."""
    try:
        await call.write(request)
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        return False
    return True
