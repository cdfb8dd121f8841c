"""Sync's side of the pose stream, for tests of pose alone: takes poses in and does as it is told."""

from collections.abc import AsyncIterator
from typing import Any

import grpc

from komi.common.v1 import pose_pb2, stream_pb2
from komi.sync.v1 import sync_service_pb2, sync_service_pb2_grpc
from services.mesh.times import to_duration
from tests.support.redis_server import free_port
from tests.support.waiting import eventually

Response = sync_service_pb2.IngestPosesResponse


class Ingest(sync_service_pb2_grpc.SyncServiceServicer):
    """Records what arrives, by session; acknowledges each pose."""

    def __init__(self) -> None:
        self.poses: dict[str, list[pose_pb2.PoseFrame]] = {}
        self.configs: list[sync_service_pb2.IngestConfig] = []
        self.acknowledges = True
        self.refuses = False
        self.most_batched = 0
        self.gather_us = 0
        """What acknowledgements ask for."""
        self.messages = 0
        """Messages with poses."""
        self.end_after: int | None = None
        """End the next stream with DRAINING after so many poses."""

    async def IngestPoses(
        self,
        request_iterator: AsyncIterator[sync_service_pb2.IngestPosesRequest],
        context: Any,
    ) -> AsyncIterator[Response]:
        if self.refuses:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "Redis is away")
        stored = 0
        config = sync_service_pb2.IngestConfig()
        async for request in request_iterator:
            if request.HasField("config"):
                config = request.config
                self.configs.append(config)
                if self.most_batched:
                    yield self._ack(0)
                continue
            self.messages += 1
            poses = request.batch.poses if request.HasField("batch") else (request.pose,)
            self.poses.setdefault(config.session_id, []).extend(poses)
            stored += len(poses)
            if self.acknowledges:
                yield self._ack(stored)
            if self.end_after is not None and stored >= self.end_after:
                self.end_after = None
                yield Response(end=stream_pb2.StreamEnd(reason=stream_pb2.STREAM_END_REASON_DRAINING))
                return
        yield Response(end=stream_pb2.StreamEnd(reason=stream_pb2.STREAM_END_REASON_COMPLETE))

    def _ack(self, stored: int) -> Response:
        ack = sync_service_pb2.IngestAck(stored=stored, most_batched=self.most_batched)
        if self.gather_us:
            ack.gather.CopyFrom(to_duration(self.gather_us))
        return Response(ack=ack)

    def WatchSession(self, request: object, context: object) -> Any:
        raise NotImplementedError

    def GetSessionStatus(self, request: object, context: object) -> Any:
        raise NotImplementedError

    def ListSessions(self, request: object, context: object) -> Any:
        raise NotImplementedError


class IngestServer:
    """A gRPC server around Ingest that keeps its port over `stop` and `start`."""

    def __init__(self) -> None:
        self.ingest = Ingest()
        self.port = free_port()
        self._server: grpc.aio.Server | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        sync_service_pb2_grpc.add_SyncServiceServicer_to_server(self.ingest, server)
        self.port = server.add_insecure_port(f"127.0.0.1:{self.port}")
        await server.start()
        self._server = server

    async def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.stop(None)

    def sequences(self, session_id: str = "live") -> list[int]:
        """Sequence numbers in order of arrival."""
        return [pose.id.sequence for pose in self.ingest.poses.get(session_id, [])]

    async def until(self, session_id: str, count: int) -> list[pose_pb2.PoseFrame]:
        """Wait for so many poses of a session."""
        arrived = self.ingest.poses.setdefault(session_id, [])
        await eventually(lambda: len(arrived) >= count, within=30, what=f"{count} poses of {session_id!r}")
        return arrived
