"""A service starts, says what it waits for, answers errors with statuses, and stops at once."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import grpc
import httpx
import pytest
from google.rpc import error_details_pb2
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from komi.sync.v1 import sync_service_pb2, sync_service_pb2_grpc
from services.mesh import status
from services.mesh.channel import open_channel
from services.mesh.errors import Exhausted, NotFound, Unavailable
from services.mesh.server import Service, ServiceContext
from services.mesh.settings import ServiceSettings, service_config
from tests.support.redis_server import RedisServer
from tests.support.waiting import Eventually

FULL_NAME = sync_service_pb2.DESCRIPTOR.services_by_name["SyncService"].full_name


class EchoSettings(ServiceSettings):
    service: ClassVar[str] = "sync"
    model_config = service_config("sync")


class Echo(sync_service_pb2_grpc.SyncServiceServicer):
    """Fails on purpose in the ways a servicer can."""

    def IngestPoses(self, request_iterator: object, context: object) -> AsyncIterator[Any]:
        raise NotImplementedError

    async def ListSessions(
        self, request: sync_service_pb2.ListSessionsRequest, context: object
    ) -> sync_service_pb2.ListSessionsResponse:
        return sync_service_pb2.ListSessionsResponse(session_ids=["live"])

    async def GetSessionStatus(
        self, request: sync_service_pb2.GetSessionStatusRequest, context: object
    ) -> sync_service_pb2.GetSessionStatusResponse:
        if request.session_id == "full":
            raise Exhausted("no room for another; try later", reason="NO_ROOM", retry_after_s=1.5)
        if request.session_id == "broken":
            raise ZeroDivisionError("secret detail")
        if request.session_id == "redis":
            raise ConnectionRefusedError
        raise NotFound(f"no session {request.session_id!r}", reason="SESSION_NOT_FOUND")

    async def WatchSession(
        self, request: sync_service_pb2.WatchSessionRequest, context: object
    ) -> AsyncIterator[sync_service_pb2.WatchSessionResponse]:
        yield sync_service_pb2.WatchSessionResponse(position="1")
        if request.session_id == "gone":
            raise NotFound("it went away meanwhile")
        await asyncio.Event().wait()


async def build(context: ServiceContext) -> None:
    sync_service_pb2_grpc.add_SyncServiceServicer_to_server(Echo(), context.server)
    context.add_service(FULL_NAME)


@contextlib.asynccontextmanager
async def running(redis_url: str, **settings: float) -> AsyncIterator[tuple[Service, grpc.aio.Channel]]:
    service = Service(EchoSettings(redis_url=redis_url, **settings), build)  # type: ignore[arg-type]
    await service.start()
    channel = open_channel(service.address)
    try:
        yield service, channel
    finally:
        await channel.close(None)
        await service.stop()


async def test_domain_error_reaches_the_client_with_status_reason_and_retry(redis_url: str) -> None:
    async with running(redis_url) as (_, channel):
        stub = sync_service_pb2_grpc.SyncServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetSessionStatus(sync_service_pb2.GetSessionStatusRequest(session_id="full"))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        info = error_details_pb2.ErrorInfo()
        details = rpc_status.from_call(caught.value).details
        assert details[0].Unpack(info)
        assert (info.reason, info.domain) == ("NO_ROOM", "komi")
        ours = status.from_rpc_error(caught.value, "sync")
        assert isinstance(ours, Exhausted)
        assert (ours.reason, ours.retry_after_s) == ("NO_ROOM", 1.5)


async def test_unexpected_error_is_internal_and_tells_nothing(redis_url: str) -> None:
    async with running(redis_url) as (_, channel):
        stub = sync_service_pb2_grpc.SyncServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetSessionStatus(sync_service_pb2.GetSessionStatusRequest(session_id="broken"))
        assert caught.value.code() is grpc.StatusCode.INTERNAL
        assert "secret" not in (caught.value.details() or "")


async def test_redis_away_during_a_call_is_unavailable(redis_url: str) -> None:
    async with running(redis_url) as (_, channel):
        call = channel.unary_unary(
            f"/{FULL_NAME}/GetSessionStatus",
            request_serializer=sync_service_pb2.GetSessionStatusRequest.SerializeToString,
            response_deserializer=sync_service_pb2.GetSessionStatusResponse.FromString,
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(sync_service_pb2.GetSessionStatusRequest(session_id="redis"), timeout=30)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert isinstance(status.from_rpc_error(caught.value, "sync"), Unavailable)


async def test_stream_that_fails_midway_ends_with_the_errors_status(redis_url: str) -> None:
    async with running(redis_url) as (_, channel):
        stub = sync_service_pb2_grpc.SyncServiceStub(channel)
        call = stub.WatchSession(sync_service_pb2.WatchSessionRequest(session_id="gone"))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in call:
                pass
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_health_reflection_and_channelz_know_the_service(
    redis_url: str, eventually: Eventually
) -> None:
    async with running(redis_url) as (_, channel):
        health = health_pb2_grpc.HealthStub(channel)

        async def serving() -> bool:
            answer = await health.Check(health_pb2.HealthCheckRequest(service=FULL_NAME))
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

        await eventually(serving)
        reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        async for answer in reflection.ServerReflectionInfo(iter([asked])):
            names = {service.name for service in answer.list_services_response.service}
            assert {FULL_NAME, "grpc.health.v1.Health", "grpc.channelz.v1.Channelz"} <= names
        servers = await channelz_pb2_grpc.ChannelzStub(channel).GetServers(channelz_pb2.GetServersRequest())
        assert len(servers.server) >= 1


async def test_stopping_does_not_wait_for_a_health_watch_that_is_open(redis_url: str) -> None:
    """`server.stop(grace)` waited its whole grace while any Health.Watch was open."""
    async with running(redis_url, drain_s=60) as (service, channel):
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert await anext(aiter(watch))
        began = time.monotonic()
        await service.stop()
        assert time.monotonic() - began < 30
        watch.cancel()


async def test_readiness_follows_redis_away_and_back(own_redis: RedisServer, eventually: Eventually) -> None:
    async with running(own_redis.url) as (service, _):
        context = service.context
        assert context is not None
        await eventually(lambda: context.readiness.ready)
        own_redis.kill()
        await eventually(lambda: "Redis" in context.readiness.waiting_for.get("redis", ""))
        own_redis.start()
        await eventually(lambda: context.readiness.ready)


async def test_port_in_use_is_one_clear_error(redis_url: str) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        service = Service(EchoSettings(redis_url=redis_url, port=holder.getsockname()[1]), build)
        with pytest.raises(Unavailable, match="port is in use"):
            await service.start()


async def test_metrics_count_calls_by_method_and_status(redis_url: str) -> None:
    async with running(redis_url) as (service, channel):
        await sync_service_pb2_grpc.SyncServiceStub(channel).ListSessions(
            sync_service_pb2.ListSessionsRequest()
        )
        async with httpx.AsyncClient(timeout=30) as client:
            text = (await client.get(f"http://127.0.0.1:{service.metrics_port}/metrics")).text
        assert 'komi_rpc_total{code="OK",method="ListSessions",service="sync"}' in text


PROGRAM = """
    from typing import Any, ClassVar
    from services.mesh.server import serve
    from services.mesh.settings import ServiceSettings, load, service_config

    class Settings(ServiceSettings):
        service: ClassVar[str] = "sync"
        model_config = service_config("sync")

    async def build(context):
        pass

    serve(load(Settings), build)
"""


async def test_program_logs_what_it_waits_for_and_ends_on_sigterm(tmp_path: Path) -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        textwrap.dedent(PROGRAM),
        env={**os.environ, "KOMI_REDIS_URL": "redis://:hush@127.0.0.1:1/0"},
        stderr=asyncio.subprocess.PIPE,
    )
    assert program.stderr is not None
    async with asyncio.timeout(60):
        while True:
            entry = json.loads(await program.stderr.readline())
            if entry["event"] == "waiting":
                break
    assert "127.0.0.1:1" in entry["waiting_for"]["redis"]
    program.send_signal(signal.SIGTERM)
    async with asyncio.timeout(30):
        rest = await program.stderr.read()
        assert await program.wait() == 0
    assert b"hush" not in rest


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (["--prot", "1"], {}, "--prot"),
        ([], {"KOMI_SYNC_PROT": "1"}, "KOMI_SYNC_PORT"),
        ([], {"KOMI_REDSI_URL": "x"}, "KOMI_REDIS_URL"),
        (["--port", "many"], {}, "port"),
    ],
)
async def test_unknown_or_wrong_setting_is_refused_by_name(
    arguments: list[str], environment: dict[str, str], told: str
) -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        textwrap.dedent(PROGRAM),
        *arguments,
        env={**os.environ, **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, stderr = await program.communicate()
    assert program.returncode == 2
    assert told in stderr.decode()
    assert "Traceback" not in stderr.decode()
