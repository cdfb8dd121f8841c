"""A pose service that speaks the real protocol over a real port and does what a test tells it to, without a model."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc

from komi.common.v1 import frame_pb2, pose_pb2, stream_pb2
from komi.pose.v1 import pose_service_pb2, pose_service_pb2_grpc
from services.mesh import status
from services.mesh.errors import KomiError

Request = pose_service_pb2.StreamPosesRequest
Response = pose_service_pb2.StreamPosesResponse


@dataclass
class Connection:
    """What one stream brought."""

    config: pose_service_pb2.StreamConfig
    out: "asyncio.Queue[Response | None]"
    frames: list[pose_service_pb2.Frame] = field(default_factory=list)
    arrivals_s: list[float] = field(default_factory=list)
    probes: int = 0
    complete: bool = False

    def credit(self, frames: int = 1, max_fps: float = 0.0) -> None:
        self.out.put_nowait(Response(credit=pose_service_pb2.Credit(frames=frames, max_fps=max_fps)))

    def end(self, reason: stream_pb2.StreamEndReason.ValueType, message: str = "the test wants it") -> None:
        self.out.put_nowait(Response(end=stream_pb2.StreamEnd(reason=reason, message=message)))
        self.out.put_nowait(None)


@dataclass
class ScriptedPose(pose_service_pb2_grpc.PoseServiceServicer):
    """Its fields may be changed while it serves."""

    credit: int = 2
    grants: bool = True
    max_fps: float = 0.0
    max_frame_bytes: int = 4 << 20
    max_frame_pixels: int = 4096 * 2160
    clock_offset_ns: int = 0
    answers_probes: bool = True
    refusal: KomiError | None = None
    end_at_once: int = 0
    """Streams to end with DRAINING as soon as they began."""
    connections: list[Connection] = field(default_factory=list)
    attempts_s: list[float] = field(default_factory=list)
    address: str = ""

    @property
    def frames(self) -> list[pose_service_pb2.Frame]:
        return [frame for connection in self.connections for frame in connection.frames]

    def frames_of(self, camera_id: str) -> list[pose_service_pb2.Frame]:
        return [f for c in self.connections if c.config.camera_id == camera_id for f in c.frames]

    async def StreamPoses(self, request_iterator: Any, context: Any) -> AsyncIterator[Response]:
        self.attempts_s.append(time.monotonic())
        first = await anext(request_iterator)
        if self.refusal is not None:
            await status.abort(context, self.refusal)
        connection = Connection(first.config, asyncio.Queue())
        self.connections.append(connection)
        yield Response(
            ready=pose_service_pb2.StreamReady(
                credit=self.credit,
                max_frame_bytes=self.max_frame_bytes,
                max_frame_pixels=self.max_frame_pixels,
                model="none",
                replica_id="scripted",
                session_id=first.config.session_id,
            )
        )
        if self.end_at_once > 0:
            self.end_at_once -= 1
            yield Response(end=stream_pb2.StreamEnd(reason=stream_pb2.STREAM_END_REASON_DRAINING))
            return
        reading = asyncio.create_task(self._read(request_iterator, connection))
        try:
            while (response := await connection.out.get()) is not None:
                if response.WhichOneof("payload") == "clock_reply":
                    response.clock_reply.server_send_unix_ns = self._now_ns()
                yield response
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading

    async def ListCameras(self, request: object, context: object) -> pose_service_pb2.ListCamerasResponse:
        return pose_service_pb2.ListCamerasResponse()

    async def GetModel(self, request: object, context: object) -> pose_service_pb2.GetModelResponse:
        return pose_service_pb2.GetModelResponse(model="none")

    def _now_ns(self) -> int:
        return time.time_ns() + self.clock_offset_ns

    async def _read(self, requests: AsyncIterator[Request], connection: Connection) -> None:
        async for request in requests:
            if request.WhichOneof("payload") == "probe":
                connection.probes += 1
                if self.answers_probes:
                    reply = stream_pb2.ClockReply(
                        id=request.probe.id,
                        client_send_monotonic_ns=request.probe.client_send_monotonic_ns,
                        server_receive_unix_ns=self._now_ns(),
                    )
                    connection.out.put_nowait(Response(clock_reply=reply))
                continue
            connection.frames.append(request.frame)
            connection.arrivals_s.append(time.monotonic())
            if connection.config.return_poses:
                connection.out.put_nowait(Response(pose=_pose(connection.config, request.frame)))
            if self.grants:
                connection.credit(1, self.max_fps)
        connection.complete = True
        connection.end(stream_pb2.STREAM_END_REASON_COMPLETE)


def _pose(config: pose_service_pb2.StreamConfig, frame: pose_service_pb2.Frame) -> pose_pb2.PoseFrame:
    return pose_pb2.PoseFrame(
        id=frame_pb2.FrameId(
            session_id=config.session_id,
            camera_id=config.camera_id,
            epoch=frame.epoch,
            sequence=frame.sequence,
        ),
        time=frame.time,
        pose=pose_pb2.Pose(image_px=[1.0] * 66, visibility=[0.5] * 33),
        stamps=frame.stamps,
    )


@contextlib.asynccontextmanager
async def serving(pose: ScriptedPose, port: int = 0) -> AsyncIterator[int]:
    """Serve it on 127.0.0.1; gives the port, and is gone at once at the end, as if killed."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    pose_service_pb2_grpc.add_PoseServiceServicer_to_server(pose, server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield bound
    finally:
        await server.stop(0)
