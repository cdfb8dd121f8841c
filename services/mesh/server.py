"""How every gRPC service starts, serves and stops."""

import asyncio
import signal
import sys
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import grpc
import structlog
import uvloop
from grpc_channelz.v1 import channelz
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from services.mesh import memory, telemetry
from services.mesh.access import TokenInterceptor
from services.mesh.calls import CallInterceptor
from services.mesh.errors import KomiError, Unavailable
from services.mesh.health import HealthServicer
from services.mesh.readiness import Readiness
from services.mesh.redis import RedisClient, connect
from services.mesh.server_clock import ServerClock
from services.mesh.settings import ServiceSettings
from services.mesh.tasks import Tasks
from services.mesh.tokens import Tokens

log = structlog.get_logger()

READINESS_PERIOD_S = 0.25
"""Between two looks at whether the service is ready …"""
READY_PERIOD_S = 2.0
"""… and once it is: idle machines are to sleep."""
Drain = Callable[[], Awaitable[None]]

OPTIONS: list[tuple[str, Any]] = [
    # Two processes on one port would share the calls silently; an error is what people expect.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_send_message_length", 16 << 20),
    # A fixed window that fits a picture. Else gRPC pings beside every message to measure one: a fifth of all wake-ups.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 1 << 20),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
    # A client looks for replicas when a connection ends. Calls that run on an old one go on; new ones spread.
    ("grpc.max_connection_age_ms", 20_000),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
]


@dataclass
class ServiceContext:
    """What a service's `build` gets to hang itself on."""

    name: str
    replica_id: str
    server: grpc.aio.Server
    redis: RedisClient
    clock: ServerClock
    """The server clock, for services that use Redis."""
    readiness: Readiness
    tasks: Tasks
    services: list[str] = field(default_factory=list)
    drains: list[Drain] = field(default_factory=list)
    closes: list[Drain] = field(default_factory=list)
    finished: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def finish(self, error: KomiError | None = None) -> None:
        """The work is done: stop the service and leave with status 0, or with 1 and `error` told."""
        if self.finished.done():
            return
        if error is None:
            self.finished.set_result(None)
        else:
            self.finished.set_exception(error)

    def add_service(self, full_name: str) -> None:
        """Offer `full_name` (as in DESCRIPTOR.services_by_name[…].full_name) to reflection and health."""
        self.services.append(full_name)

    def on_drain(self, callback: Drain) -> None:
        """Call when the server is about to stop: end open streams with STREAM_END_REASON_DRAINING."""
        self.drains.append(callback)

    def on_close(self, callback: Drain) -> None:
        """Call last, when no call runs any more: close pools, channels, files."""
        self.closes.append(callback)


Build = Callable[[ServiceContext], Awaitable[None]]


class Service:
    """One running gRPC service; `serve` is the program around it, tests use it directly."""

    def __init__(self, settings: ServiceSettings, build: Build) -> None:
        self.settings = settings
        self._build = build
        self._health = HealthServicer()
        self.port = 0
        self.metrics_port = 0
        self.context: ServiceContext | None = None
        self._metrics: telemetry.MetricsServer | None = None

    @property
    def address(self) -> str:
        """host:port it listens on."""
        return f"{self.settings.host}:{self.port}"

    async def start(self) -> None:
        """Build and listen. Raises Unavailable when a port is in use."""
        name = type(self.settings).service
        interceptors: list[grpc.aio.ServerInterceptor] = [CallInterceptor(name)]
        if self.settings.asks_for_token:
            interceptors.append(TokenInterceptor(Tokens(self.settings.api_token.get_secret_value())))
        server = grpc.aio.server(interceptors=interceptors, options=OPTIONS)
        redis = connect(self.settings.redis_url)
        context = ServiceContext(
            name=name,
            replica_id=f"{name}-{uuid.uuid4().hex[:8]}",
            server=server,
            redis=redis,
            clock=ServerClock(redis),
            readiness=Readiness(),
            tasks=Tasks(),
        )
        self.context = context
        if self.settings.uses_redis:
            context.readiness.add("redis", partial(context.clock.redis_check, self.settings.redis_url))
            context.readiness.add("clock", context.clock.check)
            context.tasks.start("server-clock", context.clock.run)
        try:
            await self._build(context)
            health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
            channelz.add_channelz_servicer(server)
            for full_name in context.services:
                self._health.add(full_name)
            offered = [
                *context.services,
                health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
                "grpc.channelz.v1.Channelz",
                reflection.SERVICE_NAME,
            ]
            reflection.enable_server_reflection(offered, server)
            self._listen(server, context.readiness)
            await server.start()
        except BaseException:
            await self._close(context)
            raise
        context.tasks.start("readiness", self._watch_readiness)
        context.tasks.start("memory", memory.keep_giving_back)
        log.info(
            "listening", address=self.address, metrics_port=self.metrics_port, replica_id=context.replica_id
        )

    def _listen(self, server: grpc.aio.Server, readiness: Readiness) -> None:
        asked = f"{self.settings.host}:{self.settings.port}"
        try:
            self.port = server.add_insecure_port(asked)
        except RuntimeError as error:
            raise Unavailable(
                f"cannot listen on {asked}: the port is in use or the address is not of this machine; choose another "
                f"with --port or stop what holds it",
                reason="PORT_IN_USE",
            ) from error
        try:
            self.metrics_port, self._metrics = telemetry.serve_metrics(
                self.settings.host, self.settings.metrics_port, lambda: readiness.waiting_for
            )
        except OSError as error:
            raise Unavailable(
                f"cannot serve metrics on {self.settings.host}:{self.settings.metrics_port}: {error.strerror}; choose "
                f"another port with --metrics-port",
                reason="PORT_IN_USE",
            ) from error

    async def _watch_readiness(self) -> None:
        assert self.context is not None
        readiness = self.context.readiness
        while True:
            if await readiness.refresh():
                self._health.set_all(readiness.ready)
                if readiness.ready:
                    log.info("ready")
                else:
                    log.warning("waiting", waiting_for=readiness.waiting_for)
            await asyncio.sleep(READY_PERIOD_S if readiness.ready else READINESS_PERIOD_S)

    async def stop(self) -> None:
        """Drain: tell watchers, end streams, wait at most `drain_s` for calls, close."""
        context = self.context
        if context is None:
            return
        context.readiness.drain()
        self._health.drain()
        for drain in context.drains:
            await drain()
        await context.server.stop(self.settings.drain_s)
        await self._close(context)
        log.info("stopped")

    async def _close(self, context: ServiceContext) -> None:
        self.context = None
        await context.tasks.close()
        for close in reversed(context.closes):
            await close()
        await context.redis.aclose()
        if self._metrics is not None:
            await asyncio.to_thread(self._metrics.close)
            self._metrics = None


async def _run(settings: ServiceSettings, build: Build) -> None:
    service = Service(settings, build)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    await service.start()
    memory.settle()
    assert service.context is not None
    finished = service.context.finished
    finished.add_done_callback(lambda _: stop.set())
    try:
        await stop.wait()
    finally:
        await service.stop()
    if finished.done():
        finished.result()


def serve(settings: ServiceSettings, build: Build) -> None:
    """Run the service until SIGTERM or SIGINT. Leaves with status 1 and one line when it cannot start."""
    name = type(settings).service
    telemetry.configure_logging(name, settings.log_level)
    try:
        uvloop.run(_run(settings, build))
    except KomiError as error:
        print(f"{name}: {error.message}", file=sys.stderr)
        raise SystemExit(1) from None
