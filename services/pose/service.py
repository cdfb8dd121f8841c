"""PoseService over gRPC."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator

import grpc

from komi.pose.v1 import pose_service_pb2, pose_service_pb2_grpc
from services.mesh.stages import monotonic_ns
from services.pose.config import PoseSettings
from services.pose.errors import BadStream
from services.pose.pool import InferencePool
from services.pose.presence import Presence
from services.pose.stream import CameraStream
from services.pose.streams import Streams
from services.pose.translate import stream_request

Request = pose_service_pb2.StreamPosesRequest
Response = pose_service_pb2.StreamPosesResponse
Context = grpc.aio.ServicerContext[Request, Response]

CONFIG_WITHIN_S = 10.0


class PoseServicer(pose_service_pb2_grpc.PoseServiceServicer):
    """Turns frames into landmarks."""

    def __init__(
        self,
        settings: PoseSettings,
        pool: InferencePool,
        streams: Streams,
        presence: Presence,
        *,
        model: str,
        model_sha256: str,
        replica_id: str,
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._streams = streams
        self._presence = presence
        self._model = model
        self._model_sha256 = model_sha256
        self._replica_id = replica_id

    async def StreamPoses(
        self, request_iterator: AsyncIterator[Request], context: Context
    ) -> AsyncIterator[Response]:
        request = stream_request(await _first_config(request_iterator), f"unnamed-{uuid.uuid4().hex[:12]}")
        async with self._streams.open(request) as stream:
            yield Response(ready=self._ready(stream))
            reader = asyncio.create_task(self._read(request_iterator, stream), name="pose-reader")
            try:
                while (response := await stream.outbox.next()) is not None:
                    yield response
            finally:
                reader.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await reader

    async def ListCameras(
        self, request: pose_service_pb2.ListCamerasRequest, context: object
    ) -> pose_service_pb2.ListCamerasResponse:
        cameras = await self._presence.register.list()
        if request.session_id:
            cameras = [camera for camera in cameras if camera.session_id == request.session_id]
        return pose_service_pb2.ListCamerasResponse(cameras=cameras)

    async def GetModel(
        self, request: pose_service_pb2.GetModelRequest, context: object
    ) -> pose_service_pb2.GetModelResponse:
        return pose_service_pb2.GetModelResponse(
            model=self._model,
            sha256=self._model_sha256,
            workers=self._pool.workers,
            streams=self._pool.streams,
            inference_ms=self._pool.mean_inference_ms(),
        )

    async def _read(self, requests: AsyncIterator[Request], stream: CameraStream) -> None:
        """Take what the client sends until it closes its side."""
        try:
            async for request in requests:
                received_ns = monotonic_ns()
                match request.WhichOneof("payload"):
                    case "frame":
                        stream.frame(request.frame, received_ns)
                    case "probe":
                        stream.probe(request.probe, received_ns)
                    case other:
                        raise BadStream(
                            f"after the config only frames and probes may follow, not {other or 'an empty message'}"
                        )
            await self._streams.complete(stream)
        except Exception as error:  # noqa: BLE001 - whatever it is ends this stream, through its outbox
            stream.outbox.fail(error)

    def _ready(self, stream: CameraStream) -> pose_service_pb2.StreamReady:
        settings = self._settings
        return pose_service_pb2.StreamReady(
            credit=stream.credit,
            max_frame_bytes=settings.max_frame_bytes,
            max_frame_pixels=settings.max_frame_pixels,
            model=self._model,
            replica_id=self._replica_id,
            session_id=stream.session_id,
        )


async def _first_config(requests: AsyncIterator[Request]) -> pose_service_pb2.StreamConfig:
    try:
        async with asyncio.timeout(CONFIG_WITHIN_S):
            first = await anext(requests)
    except StopAsyncIteration:
        raise BadStream("the stream ended before its config", reason="NO_CONFIG") from None
    except TimeoutError:
        raise BadStream(f"no config within {CONFIG_WITHIN_S:g} s", reason="NO_CONFIG") from None
    if first.WhichOneof("payload") != "config":
        raise BadStream("the first message of a stream must be its config", reason="NO_CONFIG")
    return first.config
