"""Poses on their way to sync: whatever ends the stream, none is lost."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from komi.common.v1 import frame_pb2, pose_pb2
from komi.sync.v1 import sync_service_pb2
from services.mesh.channel import open_channel
from services.mesh.stages import monotonic_ns
from services.pose.forward import SyncForwarder
from tests.pose.ingest import Ingest, IngestServer, Response
from tests.support.waiting import Eventually


class _Breaking(Ingest):
    """Ends its first stream with a status after two poses that it has not acknowledged."""

    def __init__(self, status: grpc.StatusCode) -> None:
        super().__init__()
        self._status: grpc.StatusCode | None = status

    async def IngestPoses(
        self, request_iterator: AsyncIterator[sync_service_pb2.IngestPosesRequest], context: Any
    ) -> AsyncIterator[Response]:
        if status := self._status:
            self._status = None
            for _ in range(3):
                await anext(request_iterator)
            await context.abort(status, "stream reset")
        async for answer in super().IngestPoses(request_iterator, context):
            yield answer


@pytest.mark.parametrize(
    "status", [grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN]
)
async def test_a_stream_that_breaks_is_opened_again_and_nothing_is_lost(
    eventually: Eventually, status: grpc.StatusCode
) -> None:
    server = IngestServer()
    server.ingest = _Breaking(status)
    await server.start()
    try:
        async with open_channel(server.address) as channel:
            forwarder = SyncForwarder(channel, "pose-1", capacity=64, now_ns=monotonic_ns)
            for n in range(6):
                frame_id = frame_pb2.FrameId(session_id="live", camera_id="front", sequence=n)
                forwarder.publish(pose_pb2.PoseFrame(id=frame_id))
            # What was not acknowledged may come twice: sync stores it once.
            await eventually(
                lambda: {pose.id.sequence for pose in server.ingest.poses.get("live", [])} == set(range(6)),
                within=60,
                what="every pose",
            )
            await forwarder.close()
    finally:
        await server.stop()
