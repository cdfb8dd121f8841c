"""The gateway's neighbours: channels, stubs, and what their errors mean here."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc

from komi.pose.v1 import pose_service_pb2_grpc
from komi.scoring.v1 import scoring_service_pb2_grpc
from komi.sync.v1 import sync_service_pb2_grpc
from services.gateway.config import GatewaySettings
from services.gateway.errors import NeighbourRefuses, NotProvided
from services.mesh.channel import open_channel
from services.mesh.errors import NeighbourSlow, Unavailable
from services.mesh.status import from_rpc_error

Answer = TypeVar("Answer")

NEIGHBOURS = ("pose", "sync", "scoring")
AGAIN_S = 0.25
"""After a neighbour that does not answer, or has said that it ends."""
DEADLINE_S = 5.0
AWAY_DEADLINE_S = 1.0


@contextmanager
def errors_of(neighbour: str) -> Iterator[None]:
    """Turn a neighbour's gRPC error into the KomiError it stands for."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            raise NotProvided(neighbour) from error
        if error.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
            raise NeighbourRefuses(neighbour) from error
        raise from_rpc_error(error, neighbour) from error


class Upstream:
    """One channel a neighbour, shared by everything in this gateway."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._channels = {
            name: open_channel(getattr(settings, name), settings.api_token) for name in NEIGHBOURS
        }
        self._health = {name: health_pb2_grpc.HealthStub(channel) for name, channel in self._channels.items()}
        self._addresses = {name: getattr(settings, name) for name in NEIGHBOURS}
        self._reached: set[str] = set()
        self._hearing: dict[str, asyncio.Timeout] = {}
        self.waiting_for = {name: f"{name} has not answered yet" for name in NEIGHBOURS}
        """Neighbours that do not serve, as far as they said, and why."""
        self.pose: Any = pose_service_pb2_grpc.PoseServiceStub(self._channels["pose"])
        self.sync: Any = sync_service_pb2_grpc.SyncServiceStub(self._channels["sync"])
        self.scoring: Any = scoring_service_pb2_grpc.ScoringServiceStub(self._channels["scoring"])

    async def check(self) -> str | None:
        """For Readiness.add: None once every neighbour has served.

        A neighbour that goes away later makes the gateway no less useful for the rest: it stays ready, and
        `waiting_for` says what is missing.
        """
        missing = [name for name in NEIGHBOURS if name not in self._reached]
        return "; ".join(self.waiting_for[name] for name in missing) or None

    async def run(self) -> None:
        """Hear from every neighbour how it does, until cancelled: each tells it when it changes, and nobody asks again."""
        async with asyncio.TaskGroup() as group:
            for name in NEIGHBOURS:
                group.create_task(self._hear(name), name=f"health of {name}")

    async def _hear(self, name: str) -> None:
        address = self._addresses[name]
        while True:
            problem = f"{name} at {address} is going away"
            try:
                async with asyncio.timeout(None) as self._hearing[name]:
                    # Not waiting for a connection: that there is none is news, too.
                    asked = health_pb2.HealthCheckRequest()
                    async for answer in self._health[name].Watch(asked, wait_for_ready=False):
                        serving = answer.status == health_pb2.HealthCheckResponse.SERVING
                        self._heard(name, None if serving else f"{name} at {address} is not ready")
            except grpc.aio.AioRpcError as error:
                problem = f"{name} at {address} does not answer ({error.code().name})"
            except TimeoutError:
                problem = f"{name} at {address} does not answer"
            self._heard(name, problem)
            await asyncio.sleep(AGAIN_S)

    def _heard(self, name: str, problem: str | None) -> None:
        if problem is None:
            self._reached.add(name)
            self.waiting_for.pop(name, None)
        else:
            self.waiting_for[name] = problem

    async def ask(self, neighbour: str, method: Callable[..., Awaitable[Answer]], request: Message) -> Answer:
        """Make a unary call. Raises the KomiError its failure stands for, soon where the neighbour is known to be away."""
        try:
            with errors_of(neighbour):
                return await method(
                    request, timeout=AWAY_DEADLINE_S if neighbour in self.waiting_for else DEADLINE_S
                )
        except NeighbourSlow as error:
            # A call waits for a connection: who is away looks slow to it.
            if neighbour in self.waiting_for:
                raise Unavailable(self.waiting_for[neighbour], retry_after_s=1.0) from error
            # One that stands still says nothing of it: until it answers again it is taken for away.
            hearing = self._hearing.get(neighbour)
            # Another call may have said so at the same moment.
            if hearing is not None and not hearing.expired():
                hearing.reschedule(0)
            raise

    async def close(self) -> None:
        """Close the channels."""
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))
