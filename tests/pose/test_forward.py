"""Poses on their way to sync: whatever ends the stream, none is lost."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
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


def _pose(sequence: int, camera_id: str = "front") -> pose_pb2.PoseFrame:
    return pose_pb2.PoseFrame(id=frame_pb2.FrameId(session_id="live", camera_id=camera_id, sequence=sequence))


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
                forwarder.publish(_pose(n))
            # What was not acknowledged may come twice: sync stores it once.
            await eventually(
                lambda: {pose.id.sequence for pose in server.ingest.poses.get("live", [])} == set(range(6)),
                within=60,
                what="every pose",
            )
            await forwarder.close()
    finally:
        await server.stop()


@pytest.fixture
async def server() -> AsyncIterator[IngestServer]:
    server = IngestServer()
    await server.start()
    yield server
    await server.stop()


@pytest.mark.parametrize(("most", "messages"), [(0, 8), (3, 3), (64, 1)])
async def test_poses_that_wait_leave_together_as_far_as_sync_takes_them(
    eventually: Eventually, server: IngestServer, most: int, messages: int
) -> None:
    server.ingest.most_batched = most
    async with open_channel(server.address) as channel:
        forwarder = SyncForwarder(channel, "pose-1", capacity=64, now_ns=monotonic_ns)
        published = count(step=8)

        async def took() -> bool:
            first, before = next(published), server.ingest.messages
            for n in range(first, first + 8):
                forwarder.publish(_pose(n))
            await server.until("live", first + 8)
            return server.ingest.messages - before == messages

        # The feed has to be told first.
        await eventually(took, within=30, what=f"eight poses in {messages} messages")
        arrived = server.sequences()
        assert arrived == list(range(len(arrived)))
        await forwarder.close()


CAMERAS = ("front", "side", "back", "top")


async def test_poses_of_one_instant_wait_for_each_other_where_sync_asks_for_it_and_no_longer(
    eventually: Eventually, server: IngestServer
) -> None:
    # Nobody would live to see this wait end.
    server.ingest.most_batched, server.ingest.gather_us = 8, 3_600_000_000
    async with open_channel(server.address) as channel:
        forwarder = SyncForwarder(channel, "pose-1", capacity=64, now_ns=monotonic_ns)
        rounds = count()

        async def took() -> bool:
            number, before = next(rounds), server.ingest.messages
            for camera_id in CAMERAS:
                forwarder.publish(_pose(number, camera_id))
                await asyncio.sleep(0.005)
            await server.until("live", (number + 1) * len(CAMERAS))
            return server.ingest.messages - before == 1

        await eventually(took, within=30, what="a round of all cameras in one message")
        await forwarder.close()


async def test_a_camera_that_went_silent_is_not_waited_for_longer_than_sync_asks(
    server: IngestServer,
) -> None:
    server.ingest.most_batched, server.ingest.gather_us = 8, 50_000
    async with open_channel(server.address) as channel:
        forwarder = SyncForwarder(channel, "pose-1", capacity=64, now_ns=monotonic_ns)
        for number in range(4):
            here = CAMERAS[: 4 if number < 2 else 3]
            for camera_id in here:
                forwarder.publish(_pose(number, camera_id))
            await server.until("live", 4 * (number + 1) if number < 2 else 8 + 3 * (number - 1))
        await forwarder.close()


async def test_a_pose_whose_next_one_is_far_off_waits_for_nothing(server: IngestServer) -> None:
    server.ingest.most_batched, server.ingest.gather_us = 8, 3_600_000_000
    async with open_channel(server.address) as channel:
        seconds = count(1_000, step=3_601)
        forwarder = SyncForwarder(channel, "pose-1", capacity=64, now_ns=lambda: next(seconds) * 10**9)
        for n in range(7):
            forwarder.publish(_pose(n, CAMERAS[n % 2]))
            await server.until("live", n + 1)
        assert server.ingest.messages == 7
        await forwarder.close()


async def test_a_pose_waits_for_another_of_its_set_and_both_leave_together(
    eventually: Eventually, server: IngestServer
) -> None:
    server.ingest.most_batched = 8
    async with open_channel(server.address) as channel:
        forwarder = SyncForwarder(channel, "pose-1", capacity=64, now_ns=monotonic_ns)
        rounds = count()

        async def took() -> bool:
            number, before = next(rounds), server.ingest.messages
            forwarder.publish(_pose(number, "front"), company=True)
            await asyncio.sleep(0.002)
            forwarder.publish(_pose(number, "side"))
            await server.until("live", 2 * (number + 1))
            return server.ingest.messages - before == 1

        await eventually(took, within=30, what="both in one message")
        await forwarder.close()


async def test_a_pose_whose_company_never_comes_leaves_all_the_same(server: IngestServer) -> None:
    server.ingest.most_batched = 8
    async with open_channel(server.address) as channel:
        forwarder = SyncForwarder(channel, "pose-1", capacity=64, now_ns=monotonic_ns)
        for number in range(4):
            forwarder.publish(_pose(number), company=True)
            await server.until("live", number + 1)
        # Nor does it hold up the end.
        forwarder.publish(_pose(4), company=True)
        await forwarder.close(flush_s=10)
        await server.until("live", 5)
