"""Sync as a process, to be killed, and a client that outlives it as pose does."""

import asyncio
import contextlib
import subprocess
import sys
from collections import deque
from types import TracebackType
from typing import Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from komi.common.v1 import pose_pb2
from komi.sync.v1 import sync_service_pb2 as pb
from komi.sync.v1 import sync_service_pb2_grpc
from services.mesh.channel import open_channel
from tests.support.redis_server import CHECKOUT, free_port
from tests.support.waiting import eventually
from tests.sync.background import Background

CONNECT_S = 10.0
"""For a replica that hangs. One that is gone refuses at once."""


class SyncProcess:
    """`python -m services.sync` on a free port."""

    def __init__(self, redis_url: str, **settings: object) -> None:
        self.port = free_port()
        self._flags = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        self._redis_url = redis_url
        self.process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        command = [sys.executable, "-m", "services.sync", f"--port={self.port}", "--metrics-port=0"]
        # Forking blocks for a moment; nothing else runs in the test yet.
        self.process = await asyncio.to_thread(
            subprocess.Popen,
            [*command, f"--redis-url={self._redis_url}", "--log-level=warning", *self._flags],
            cwd=CHECKOUT,
            stderr=subprocess.DEVNULL,
        )
        self._channel = open_channel(self.address)
        try:
            await eventually(self.serving, within=60, what="the sync process serving")
        except BaseException:
            await self._channel.close()
            self.kill()
            raise
        return self

    async def serving(self) -> bool:
        """Whether it says so; it takes as long to say as it is held up."""
        asked = health_pb2.HealthCheckRequest(service="komi.sync.v1.SyncService")
        try:
            answer = await health_pb2_grpc.HealthStub(self._channel).Check(asked, timeout=10)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def kill(self) -> None:
        """Kill it on the spot."""
        self.process.kill()
        self.process.wait(10)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._channel.close()
        self.process.terminate()
        try:
            await asyncio.to_thread(self.process.wait, 10)
        except subprocess.TimeoutExpired:
            self.kill()


class Client(Background):
    """Sends the poses of a session to the first replica that takes them; after a break sends the last ones again."""

    def __init__(self, addresses: list[str], session_id: str = "live", *, again: int = 60) -> None:
        self._addresses = addresses
        self._session_id = session_id
        self._recent: deque[pose_pb2.PoseFrame] = deque(maxlen=again)
        self._waiting: deque[pose_pb2.PoseFrame] = deque(maxlen=1024)
        self._filled = asyncio.Event()
        self.connected_to = ""

    @property
    def waiting(self) -> int:
        """Poses not yet handed to a stream."""
        return len(self._waiting)

    def send(self, *poses: pose_pb2.PoseFrame) -> None:
        """Queue poses; the oldest is dropped when too many wait."""
        self._waiting.extend(poses)
        self._filled.set()

    async def _run(self) -> None:
        turn = 0
        while True:
            address = self._addresses[turn % len(self._addresses)]
            turn += 1
            async with open_channel(address) as channel:
                with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError, TimeoutError):
                    async with asyncio.timeout(CONNECT_S):
                        await _connected(channel)
                    self.connected_to = address
                    await self._stream(sync_service_pb2_grpc.SyncServiceStub(channel))
            await asyncio.sleep(0.05)

    async def _stream(self, stub: "sync_service_pb2_grpc.SyncServiceAsyncStub") -> None:
        call = stub.IngestPoses()
        config = pb.IngestConfig(session_id=self._session_id, replica_id="pose-1")
        await call.write(pb.IngestPosesRequest(config=config))
        for pose in list(self._recent):
            await call.write(pb.IngestPosesRequest(pose=pose))
        reader = asyncio.create_task(self._drain(call))
        # Nobody may send any more: what waits leaves all the same, and a stream that ended is seen.
        reader.add_done_callback(lambda _: self._filled.set())
        self._filled.set()
        try:
            while not reader.done():
                await self._filled.wait()
                self._filled.clear()
                while self._waiting:
                    pose = self._waiting.popleft()
                    self._recent.append(pose)
                    await call.write(pb.IngestPosesRequest(pose=pose))
        finally:
            call.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    @staticmethod
    async def _drain(
        call: "grpc.aio.StreamStreamCall[pb.IngestPosesRequest, pb.IngestPosesResponse]",
    ) -> None:
        with contextlib.suppress(grpc.aio.AioRpcError):
            async for _ in call:
                pass


async def _connected(channel: grpc.aio.Channel) -> None:
    """Return once there is a connection. Raises TimeoutError when it is refused."""
    state = channel.get_state(try_to_connect=True)
    while state is not grpc.ChannelConnectivity.READY:
        if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
            raise TimeoutError("nobody is there")
        await channel.wait_for_state_change(state)
        state = channel.get_state(try_to_connect=True)
