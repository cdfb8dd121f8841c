"""Over gRPC a token is asked for beyond loopback: for every kind of call, counted, and never told to a log."""

import asyncio
import os
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
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
from pydantic import SecretStr, ValidationError
from structlog.testing import capture_logs

from komi.capture.v1 import capture_service_pb2
from komi.pose.v1 import pose_service_pb2
from komi.scoring.v1 import scoring_service_pb2
from komi.sync.v1 import sync_service_pb2
from services.mesh.access import needed
from services.mesh.channel import open_channel
from services.mesh.server import Service, ServiceContext
from services.mesh.settings import ServiceSettings, service_config
from services.mesh.tokens import Scope, Tokens, bearer
from tests.support.capabilities import require

SECRET = "a-secret-of-some-length"
TOKENS = Tokens(SECRET)
NAME = "komi.echo.v1.EchoService"


class EchoSettings(ServiceSettings):
    service: ClassVar[str] = "sync"
    uses_redis: ClassVar[bool] = False
    model_config = service_config("sync")


async def get_one(request: bytes, _context: Any) -> bytes:
    return request


async def watch_all(request: bytes, _context: Any) -> AsyncIterator[bytes]:
    yield request


async def take_all(requests: AsyncIterator[bytes], _context: Any) -> bytes:
    return b"".join([request async for request in requests])


async def echo_all(requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
    async for request in requests:
        yield request


async def build(context: ServiceContext) -> None:
    handlers: dict[str, Any] = {
        "GetOne": grpc.unary_unary_rpc_method_handler(get_one),
        "WatchAll": grpc.unary_stream_rpc_method_handler(watch_all),
        "TakeAll": grpc.stream_unary_rpc_method_handler(take_all),
        "EchoAll": grpc.stream_stream_rpc_method_handler(echo_all),
    }
    context.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))
    context.add_service(NAME)


@pytest.fixture
async def guarded() -> AsyncIterator[Service]:
    """A service that asks for tokens and answers each kind of call with what was sent."""
    service = Service(EchoSettings(access="token", api_token=SecretStr(SECRET)), build)
    await service.start()
    yield service
    await service.stop()


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def channel_with(stack: AsyncExitStack, service: Service, token: str) -> Any:
    """A channel that sends `token`. Untyped, as these calls of bytes are."""
    return await stack.enter_async_context(open_channel(service.address, SecretStr(token)))


async def answer(channel: Any, method: str) -> bytes:
    """What `method` answers to b"hello", sent as its kind of call sends."""
    path, timeout = f"/{NAME}/{method}", 30

    async def requests() -> AsyncIterator[bytes]:
        yield b"hello"

    if method == "GetOne":
        return bytes(await channel.unary_unary(path)(b"hello", timeout=timeout))
    if method == "TakeAll":
        return bytes(await channel.stream_unary(path)(requests(), timeout=timeout))
    answers = (
        channel.unary_stream(path)(b"hello", timeout=timeout)
        if method == "WatchAll"
        else channel.stream_stream(path)(requests(), timeout=timeout)
    )
    return b"".join([one async for one in answers])


async def refusal(channel: Any, method: str) -> tuple[str, str, str]:
    """Status, reason and domain that `method` is refused with.

    grpc.aio says INTERNAL in place of what the server said where the refusal arrives while a request is being written.
    Who streams to a service tries again after either; so does this.
    """
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await answer(channel, method)
    if caught.value.details() == "Internal error from Core":
        return await refusal(channel, method)
    info = error_details_pb2.ErrorInfo()
    assert rpc_status.from_call(caught.value).details[0].Unpack(info)
    return caught.value.code().name, info.reason, info.domain


METHODS = ("GetOne", "WatchAll", "TakeAll", "EchoAll")


@pytest.mark.parametrize("method", METHODS)
async def test_every_kind_of_call_needs_the_token_and_our_channels_bring_it(
    guarded: Service, stack: AsyncExitStack, method: str
) -> None:
    assert await answer(await channel_with(stack, guarded, SECRET), method) == b"hello"
    assert await refusal(await channel_with(stack, guarded, ""), method) == (
        "UNAUTHENTICATED", "TOKEN_MISSING", "komi",
    )  # fmt: skip
    assert await refusal(await channel_with(stack, guarded, SECRET + "x"), method) == (
        "UNAUTHENTICATED", "TOKEN_WRONG", "komi",
    )  # fmt: skip
    assert await refusal(await channel_with(stack, guarded, TOKENS.of(Scope.CAMERA)), method) == (
        "PERMISSION_DENIED", "TOKEN_SCOPE", "komi",
    )  # fmt: skip


async def test_a_stream_that_is_written_to_by_hand_brings_the_token_too(
    guarded: Service, stack: AsyncExitStack
) -> None:
    channel = await channel_with(stack, guarded, SECRET)
    call = channel.stream_stream(f"/{NAME}/EchoAll")()
    await call.write(b"one")
    assert await call.read() == b"one"
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF


async def test_grpcurl_lists_without_a_token_and_calls_with_one(guarded: Service) -> None:
    grpcurl = Path(sys.executable).with_name("grpcurl")
    require(grpcurl.exists(), "no grpcurl beside this Python")

    async def run(*arguments: str) -> tuple[int | None, str]:
        program = await asyncio.create_subprocess_exec(
            grpcurl,
            "-plaintext",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(60):
            output, _ = await program.communicate()
        return program.returncode, output.decode()

    assert NAME in (await run(guarded.address, "list"))[1]
    channelz = (guarded.address, "grpc.channelz.v1.Channelz/GetServers")
    status, output = await run(*channelz)
    assert status != 0
    assert "Unauthenticated" in output
    status, output = await run("-H", f"authorization: Bearer {SECRET}", *channelz)
    assert status == 0, output


async def test_a_viewers_token_looks_and_does_nothing_else(guarded: Service, stack: AsyncExitStack) -> None:
    channel = await channel_with(stack, guarded, TOKENS.of(Scope.VIEW))
    assert [await answer(channel, method) for method in METHODS[:2]] == [b"hello", b"hello"]
    assert [(await refusal(channel, method))[1] for method in METHODS[2:]] == ["TOKEN_SCOPE", "TOKEN_SCOPE"]


async def test_health_and_reflection_answer_without_a_token_and_channelz_does_not(
    guarded: Service, stack: AsyncExitStack
) -> None:
    channel = await channel_with(stack, guarded, "")
    told = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=30)
    assert told.status in (health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    async for listed in stub.ServerReflectionInfo(iter([asked])):
        assert NAME in {service.name for service in listed.list_services_response.service}
    for token, code in (("", "UNAUTHENTICATED"), (TOKENS.of(Scope.VIEW), "PERMISSION_DENIED")):
        channelz = channelz_pb2_grpc.ChannelzStub(await channel_with(stack, guarded, token))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channelz.GetServers(channelz_pb2.GetServersRequest(), timeout=30)
        assert caught.value.code().name == code
    channelz = channelz_pb2_grpc.ChannelzStub(await channel_with(stack, guarded, SECRET))
    assert (await channelz.GetServers(channelz_pb2.GetServersRequest(), timeout=30)).server


async def test_refusals_are_counted_and_no_token_reaches_the_log(
    guarded: Service, stack: AsyncExitStack
) -> None:
    with capture_logs() as logged:
        await refusal(await channel_with(stack, guarded, "a-guess-of-some-length"), "GetOne")
        await refusal(await channel_with(stack, guarded, TOKENS.of(Scope.CAMERA)), "EchoAll")
        assert await answer(await channel_with(stack, guarded, SECRET), "GetOne") == b"hello"
    assert {entry["reason"] for entry in logged if entry["event"] == "call refused"} == {
        "TOKEN_WRONG", "TOKEN_SCOPE",
    }  # fmt: skip
    for token in ("a-guess-of-some-length", SECRET, TOKENS.of(Scope.CAMERA)):
        assert token not in repr(logged)
    async with httpx.AsyncClient(timeout=30) as client:
        text = (await client.get(f"http://127.0.0.1:{guarded.metrics_port}/metrics")).text
    assert 'komi_rpc_total{code="UNAUTHENTICATED",method="GetOne",service="sync"}' in text
    assert 'komi_rpc_total{code="PERMISSION_DENIED",method="EchoAll",service="sync"}' in text


def methods() -> Iterator[str]:
    for package in (capture_service_pb2, pose_service_pb2, sync_service_pb2, scoring_service_pb2):
        for service in package.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                yield f"/{service.full_name}/{method.name}"


def test_who_may_call_what() -> None:
    """All calls there are: one that is added has to be put somewhere on purpose."""
    found: dict[frozenset[Scope], set[str]] = {}
    for method in methods():
        found.setdefault(needed(method), set()).add(method.partition(".")[2].replace("v1.", ""))
    assert found == {
        frozenset((Scope.ADMIN, Scope.CAMERA)): {"pose.PoseService/StreamPoses"},
        frozenset((Scope.ADMIN,)): {
            "capture.CaptureService/UpdateCamera",
            "sync.SyncService/IngestPoses",
            "scoring.ScoringService/ActivateReference",
            "scoring.ScoringService/BuildReference",
            "scoring.ScoringService/CalibrateReference",
            "scoring.ScoringService/CompareVideos",
            "scoring.ScoringService/DeleteReference",
            "scoring.ScoringService/DeleteReport",
            "scoring.ScoringService/ImportReference",
        },
        frozenset((Scope.ADMIN, Scope.VIEW)): {
            "capture.CaptureService/GetLatestFrame",
            "capture.CaptureService/ListCameras",
            "pose.PoseService/GetModel",
            "pose.PoseService/ListCameras",
            "sync.SyncService/GetSessionStatus",
            "sync.SyncService/ListSessions",
            "sync.SyncService/WatchSession",
            "scoring.ScoringService/ExportReference",
            "scoring.ScoringService/GetReference",
            "scoring.ScoringService/GetReferenceStrip",
            "scoring.ScoringService/GetReport",
            "scoring.ScoringService/GetSessionSummary",
            "scoring.ScoringService/ListExercises",
            "scoring.ScoringService/ListReferenceVersions",
            "scoring.ScoringService/ListReferences",
            "scoring.ScoringService/ListReports",
            "scoring.ScoringService/WatchScores",
        },
    }


@pytest.mark.parametrize(
    ("sent", "token"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("abc", None), ("Basic abc", None), ("Bearer ", None), ("", None)],
)  # fmt: skip
def test_a_token_is_what_follows_bearer(sent: str, token: str | None) -> None:
    assert bearer(sent) == token


def test_beyond_loopback_a_service_does_not_start_without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not EchoSettings().asks_for_token
    assert not EchoSettings(host="0.0.0.0", access="open").asks_for_token
    with pytest.raises(ValidationError, match="KOMI_API_TOKEN"):
        EchoSettings(host="0.0.0.0")
    with pytest.raises(ValidationError, match="easily guessed"):
        EchoSettings(api_token=SecretStr("short"))
    monkeypatch.setenv("KOMI_API_TOKEN", SECRET)
    settings = EchoSettings(host="0.0.0.0")
    assert settings.asks_for_token
    assert settings.api_token.get_secret_value() == SECRET
    assert SECRET not in repr(settings)


PROGRAM = """
    from typing import ClassVar
    from services.mesh.settings import ServiceSettings, load, service_config

    class Settings(ServiceSettings):
        service: ClassVar[str] = "sync"
        model_config = service_config("sync")

    load(Settings)
"""


async def test_a_program_without_the_token_it_needs_says_so_and_leaves() -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(PROGRAM), "--host=0.0.0.0",
        env={name: value for name, value in os.environ.items() if name != "KOMI_API_TOKEN"},
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        _, stderr = await program.communicate()
    assert program.returncode == 2
    assert b"KOMI_API_TOKEN" in stderr
    assert b"Traceback" not in stderr
