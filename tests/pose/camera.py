"""A camera as a test drives it: one StreamPoses call, with all that came back sorted by kind."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import grpc

from komi.common.v1 import frame_pb2, stream_pb2
from komi.pose.v1 import pose_service_pb2, pose_service_pb2_grpc
from services.mesh.stages import HOST_ID, monotonic_ns
from services.mesh.times import to_duration, to_timestamp

Request = pose_service_pb2.StreamPosesRequest
Response = pose_service_pb2.StreamPosesResponse


MET_A_WRITE = "Internal error from Core"
"""What grpc.aio says in place of the server's refusal where that arrives while a request is being written."""


class Camera:
    """Sends what it is told to and keeps every answer."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = pose_service_pb2_grpc.PoseServiceStub(channel)
        self._call = self._stub.StreamPoses()
        self._reader: asyncio.Task[None] | None = None
        self._next = 0
        self.answers: list[Response] = []
        self.error: grpc.aio.AioRpcError | None = None
        self.done = False
        self._changed = asyncio.Event()

    async def open(self, **config: Any) -> pose_service_pb2.StreamReady:
        """Send the config; returns what the server is ready for. Raises AioRpcError."""
        await self.begin(Request(config=pose_service_pb2.StreamConfig(**config)))
        if self.error is not None:
            raise self.error
        return self.answers[0].ready

    async def begin(self, first: Request) -> None:
        """Send the first message and wait for what comes of it."""
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # the reader is told, too
            await self.send(first)
        await self.until(lambda: self.of("ready") or self.done)
        if self.error is not None and self.error.details() == MET_A_WRITE:
            self.error, self.done, self._reader, self._call = None, False, None, self._stub.StreamPoses()
            await self.begin(first)

    async def send(self, request: Request) -> None:
        """Write anything."""
        if self._reader is None:
            self._reader = asyncio.create_task(self._read(), name="test-camera")
        await self._call.write(request)

    async def frame(
        self, jpeg: bytes, *, sequence: int | None = None, server_us: int | None = None, **fields: Any
    ) -> int:
        """Send a frame; returns its sequence number."""
        number = self._next if sequence is None else sequence
        self._next = number + 1
        time = frame_pb2.CaptureTime()
        if server_us is not None:
            time.server_time.CopyFrom(to_timestamp(server_us))
            time.source = frame_pb2.TIME_SOURCE_CLOCK_PROBES
            time.uncertainty_us = 200
        stamps = frame_pb2.StageStamps(captured_monotonic_ns=monotonic_ns(), capture_host_id=HOST_ID)
        frame = pose_service_pb2.Frame(sequence=number, jpeg=jpeg, time=time, stamps=stamps, **fields)
        await self.send(Request(frame=frame))
        return number

    async def media_frame(self, jpeg: bytes, position_us: int) -> int:
        """Send a frame of a recording."""
        return await self.frame(jpeg, media_time=to_duration(position_us))

    async def probe(self, number: int) -> tuple[int, stream_pb2.ClockReply, int]:
        """Send a clock probe and wait for its answer; returns t0, reply, t3."""
        sent_ns = monotonic_ns()
        await self.send(Request(probe=stream_pb2.ClockProbe(id=number, client_send_monotonic_ns=sent_ns)))
        await self.until(lambda: [r for r in self.of("clock_reply") if r.id == number])
        return sent_ns, next(r for r in self.of("clock_reply") if r.id == number), monotonic_ns()

    def of(self, kind: str) -> list[Any]:
        """All answers of a kind: pose, failed, dropped, …"""
        return [getattr(answer, kind) for answer in self.answers if answer.WhichOneof("payload") == kind]

    @property
    def credit(self) -> int:
        """Frames allowed in all so far."""
        ready: list[pose_service_pb2.StreamReady] = self.of("ready")
        more: list[pose_service_pb2.Credit] = self.of("credit")
        return sum(first.credit for first in ready) + sum(credit.frames for credit in more)

    def dropped(self, reason: stream_pb2.DropReason.ValueType) -> int:
        """Frames the server said it gave up."""
        notices: list[stream_pb2.DropNotice] = self.of("dropped")
        return sum(notice.count for notice in notices if notice.reason == reason)

    async def until(self, condition: Callable[[], object], within: float = 30.0) -> None:
        """Wait until the answers so far satisfy a condition."""
        try:
            async with asyncio.timeout(within):
                while not condition():
                    self._changed.clear()
                    if self.done:
                        break
                    await self._changed.wait()
        except TimeoutError:
            kinds = [answer.WhichOneof("payload") for answer in self.answers]
            raise AssertionError(f"not within {within} s; so far {kinds[-20:]}") from None
        assert condition(), f"the stream ended first: {self.answers[-1:]} {self.error}"

    async def count(self, kind: str, count: int) -> list[Any]:
        """Wait for so many answers of a kind."""
        await self.until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)

    async def wait_credit(self, frames: int) -> None:
        """Wait until so many frames are allowed in all."""
        await self.until(lambda: self.credit >= frames)

    async def finish(self) -> stream_pb2.StreamEnd:
        """Close our side and wait for the end."""
        await self._call.done_writing()
        return await self.ended()

    async def ended(self, within: float = 30.0) -> stream_pb2.StreamEnd:
        """Wait for the server to end the stream."""
        await self.until(lambda: self.done, within)
        if self.error is not None:
            raise self.error
        kinds = [answer.WhichOneof("payload") for answer in self.answers]
        assert kinds[-1] == "end", kinds[-20:]
        return self.answers[-1].end

    async def close(self) -> None:
        """Break the stream off."""
        self._call.cancel()
        if self._reader is not None:
            await self._reader

    async def _read(self) -> None:
        try:
            async for answer in self._call:
                self.answers.append(answer)
                self._changed.set()
        except grpc.aio.AioRpcError as error:
            self.error = error
        except asyncio.CancelledError:
            if not self._call.cancelled():
                raise
        finally:
            self.done = True
            self._changed.set()
