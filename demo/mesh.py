"""The five services and their Redis as programs on this machine: addresses, commands, readiness."""

import asyncio
import os
import ssl
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc

from demo import ports
from demo.fetch import redis_server
from demo.phones import Phones
from demo.ports import HOST
from demo.scene import Scene
from demo.supervisor import Program

GRPC_SERVICES = ("capture", "pose", "sync", "scoring")
USUAL_PORTS = {
    **{name: 50051 + number for number, name in enumerate(GRPC_SERVICES)},
    **{f"{name} metrics": 9051 + number for number, name in enumerate(GRPC_SERVICES)},
    "gateway": 8000,
    "redis": 0,
}
"""0: any; the usual one of Redis is left to whoever has one of his own."""
PHONES_PORT = 8443
REDIS_URL = "KOMI_REDIS_URL"
ANSWER_S = 5.0
"""Who listens has this long to say whether it is ready: on a busy machine a second is not much."""


@dataclass(frozen=True)
class Addresses:
    """Where everything listens."""

    ports: dict[str, int]
    redis_url: str

    def of(self, service: str) -> str:
        """host:port of a service."""
        return f"{HOST}:{self.ports[service]}"

    @property
    def gateway(self) -> str:
        """Address of the gateway, without a slash at its end."""
        return f"http://{self.of('gateway')}"


def choose_addresses(gateway_port: int | None, *, phones: bool = False) -> Addresses:
    """The usual ports where they are free, others where they are not; the gateway's as asked. Raises PortsError."""
    chosen = ports.choose(USUAL_PORTS | ({"phones": PHONES_PORT} if phones else {}))
    if gateway_port is not None:
        chosen["gateway"] = gateway_port
    return Addresses(chosen, os.environ.get(REDIS_URL) or f"redis://{HOST}:{chosen['redis']}/0")


def programs(
    scene: Scene, addresses: Addresses, log_level: str, phones: Phones | None = None
) -> list[Program]:
    """Redis, unless there is one already, and the services. They start together and wait for each other."""
    found = [] if os.environ.get(REDIS_URL) else [_redis(addresses.ports["redis"])]
    pose, sync, scoring = (addresses.of(name) for name in ("pose", "sync", "scoring"))
    shared = {REDIS_URL: addresses.redis_url, "KOMI_LOG_LEVEL": log_level, "PYTHONUNBUFFERED": "1"}

    def service(name: str, stop_order: int, **settings: str) -> Program:
        environment = {f"KOMI_{name.upper()}_{setting.upper()}": value for setting, value in settings.items()}
        address = addresses.of(name)
        if name in GRPC_SERVICES:
            environment[f"KOMI_{name.upper()}_METRICS_PORT"] = str(addresses.ports[f"{name} metrics"])
        return Program(
            name,
            (sys.executable, "-m", f"services.{name}", "--port", str(addresses.ports[name])),
            ready=lambda: _http(addresses.gateway + "/readyz") if name == "gateway" else serving(address),
            where=f"on {address}",
            environment={**shared, **environment},
            essential=name != "capture",  # without a camera there is still a page, which can be one
            stop_order=stop_order,
        )

    gateway = service("gateway", 0, pose=pose, sync=sync, scoring=scoring)
    if phones is not None:
        found.append(
            Program(
                "phones",
                phones.command(),
                ready=lambda: _http(f"{phones.origin}/readyz", phones.trusting),
                where=f"on {phones.host}:{phones.port}",
                environment={**gateway.environment, **phones.environment()},
                essential=False,
            )
        )
    return [
        *found,
        service("pose", 1, sync=sync),
        service("sync", 2),
        service("scoring", 2, pose=pose),
        gateway,
        service("capture", 0, server=f"dns:///{pose}", cameras=scene.cameras),
    ]


def _redis(port: int) -> Program:
    folder = Path(tempfile.gettempdir())
    # By itself Redis wakes ten times a second, for things that can wait: half of what it takes while nobody asks it much.
    # fmt: off
    return Program(
        "redis",
        (str(redis_server()), "--port", str(port), "--bind", HOST, "--dir", str(folder), "--save", "",
         "--appendonly", "no", "--hz", "5", "--loglevel", "warning"),
        ready=lambda: _answers_ping(port), where=f"on {HOST}:{port}", stop_order=3,
    )
    # fmt: on


async def _answers_ping(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    try:
        writer.write(b"PING\r\n")
        async with asyncio.timeout(ANSWER_S):
            return (await reader.readline()).startswith(b"+PONG")
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()


async def serving(address: str) -> bool:
    async with grpc.aio.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=ANSWER_S)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def _http(url: str, trusting: ssl.SSLContext | None = None) -> bool:
    try:
        # These addresses are this machine's own: no proxy has to do with them.
        async with httpx.AsyncClient(timeout=ANSWER_S, verify=trusting or True, trust_env=False) as client:
            return (await client.get(url)).is_success
    except httpx.HTTPError:
        return False
