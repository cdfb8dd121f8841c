"""What the gateway knows of its neighbours it was told by them: it keeps one watch at each, and asks nobody again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from grpc_health.v1 import health_pb2_grpc

from services.gateway.config import GatewaySettings
from services.gateway.upstream import Upstream
from services.mesh.errors import NeighbourSlow, Unavailable
from services.mesh.health import HealthServicer
from tests.gateway.conftest import NOWHERE
from tests.support.redis_server import free_port
from tests.support.waiting import Eventually


class Health(HealthServicer):
    """Counts who watches, and can be made to stand still."""

    def __init__(self) -> None:
        super().__init__()
        self.watches = 0
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.watches += 1
        await self.goes_on.wait()
        async for answer in super().Watch(request, context):
            yield answer


@asynccontextmanager
async def listening(health: Health, port: int) -> AsyncIterator[None]:
    server = grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield
    finally:
        await server.stop(None)


@asynccontextmanager
async def hearing(port: int) -> AsyncIterator[Upstream]:
    settings = GatewaySettings(port=0, pose=f"127.0.0.1:{port}", sync=NOWHERE, scoring=NOWHERE)
    upstream = Upstream(settings)
    task = asyncio.create_task(upstream.run())
    try:
        yield upstream
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await upstream.close()


async def test_a_neighbour_tells_how_it_does_over_one_watch(eventually: Eventually) -> None:
    health, port = Health(), free_port()
    async with hearing(port) as upstream:
        await eventually(lambda: "does not answer" in upstream.waiting_for.get("pose", ""))
        async with listening(health, port):
            await eventually(lambda: "is not ready" in upstream.waiting_for.get("pose", ""))
            health.set_all(True)
            await eventually(lambda: "pose" not in upstream.waiting_for)
            health.set_all(False)
            await eventually(lambda: "is not ready" in upstream.waiting_for.get("pose", ""))
            assert health.watches == 1
        await eventually(lambda: "does not answer" in upstream.waiting_for.get("pose", ""))
        assert "pose" not in (await upstream.check() or "")  # it has served once
        async with listening(health, port):
            health.set_all(True)
            await eventually(lambda: "pose" not in upstream.waiting_for)


async def test_a_neighbour_that_stands_still_counts_as_away_until_it_answers_again(
    eventually: Eventually,
) -> None:
    async def slow(*_: Any, **__: Any) -> Any:
        raise NeighbourSlow("no answer in time")

    health, port = Health(), free_port()
    health.set_all(True)
    async with hearing(port) as upstream, listening(health, port):
        await eventually(lambda: "pose" not in upstream.waiting_for)
        health.goes_on.clear()
        with pytest.raises(NeighbourSlow):
            await upstream.ask("pose", slow, Empty())
        await eventually(lambda: "does not answer" in upstream.waiting_for.get("pose", ""))
        with pytest.raises(Unavailable, match="does not answer"):
            await upstream.ask("pose", slow, Empty())
        health.goes_on.set()
        await eventually(lambda: "pose" not in upstream.waiting_for)


async def test_calls_that_time_out_at_the_same_moment_all_tell_so(eventually: Eventually) -> None:
    """The second to say that a neighbour stands still failed itself, where the watch was just being given up."""

    async def slow(*_: Any, **__: Any) -> Any:
        raise NeighbourSlow("no answer in time")

    health, port = Health(), free_port()
    health.set_all(True)
    async with hearing(port) as upstream, listening(health, port):
        for steps in range(5):
            await eventually(lambda: "pose" not in upstream.waiting_for)
            for _ in range(2):
                with pytest.raises((NeighbourSlow, Unavailable)):
                    await upstream.ask("pose", slow, Empty())
                for _ in range(steps):
                    await asyncio.sleep(0)
