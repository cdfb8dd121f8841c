"""Reference uploads: the body streams through in any pieces, what is wrong is told, progress survives the gateway."""

import asyncio
import itertools
import resource
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import grpc
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.ended import OF_A_FAILED_WRITE, PeersStatus
from services.gateway.errors import BadUpload, WrongMediaType
from services.gateway.uploads.multipart import Event, Field, FileChunk, FileEnd, FileStart, UploadParser
from services.mesh import errors, keys
from tests.gateway.scripted import BOUNDARY, CONTENT_TYPE, Rig
from tests.gateway.test_rest import problem


def part(name: str, value: bytes, file_name: str | None = None) -> bytes:
    extra = f'; filename="{file_name}"' if file_name is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'
    return head.encode() + value + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


# ---------------------------------------------------------------- the parser
def parse(body: bytes, cuts: list[int]) -> tuple[list[Event], bool]:
    parser = UploadParser(CONTENT_TYPE)
    edges = [0, *sorted({cut % (len(body) + 1) for cut in cuts}), len(body)]
    events: list[Event] = []
    for start, end in itertools.pairwise(edges):
        events += parser.feed(body[start:end])
    return events, parser.ended


@given(content=st.binary(max_size=300), cuts=st.lists(st.integers(0, 2000), max_size=12))
def test_the_parser_gives_the_same_whatever_the_pieces(content: bytes, cuts: list[int]) -> None:
    content = content.replace(BOUNDARY.encode(), b"")
    body = part("name", "스쿼트".encode()) + part("file", content, "a.mp4") + END
    events, ended = parse(body, cuts)
    chunks = [event.data for event in events if isinstance(event, FileChunk)]
    rest = [event for event in events if not isinstance(event, FileChunk)]
    assert rest == [Field("name", "스쿼트"), FileStart("file", "a.mp4"), FileEnd()]
    assert b"".join(chunks) == content
    assert ended


@pytest.mark.parametrize(
    "body",
    [
        b"no multipart at all",
        part("name", b"x" * 5000) + END,
        b"".join(part(f"f{i}", b"") for i in range(20)) + END,
        part("name", b"\xff\xfe") + END,
        f"--{BOUNDARY}\r\nX: {'y' * 5000}\r\n\r\n".encode(),
    ],
)
def test_a_body_that_cannot_be_used_is_refused(body: bytes) -> None:
    with pytest.raises(BadUpload):
        parse(body, [])


@pytest.mark.parametrize(
    "content_type", ["", "video/mp4", "multipart/form-data", "multipart/mixed; boundary=x"]
)
def test_another_media_type_is_refused(content_type: str) -> None:
    with pytest.raises(WrongMediaType):
        UploadParser(content_type)


# ---------------------------------------------------------------- against a scripted scoring
async def over(rig: Rig, address: str) -> dict[str, Any]:
    """The build's document once it is over, by its events."""
    document: dict[str, Any] = {}
    async with rig.door.client.stream("GET", f"{address}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                document = orjson.loads(line[6:])
    return document


async def test_an_upload_becomes_a_reference_and_its_progress_can_be_followed(rig: Rig) -> None:
    rig.scoring.go_on.clear()
    answer = await rig.upload(b"video" * 1000, name="스쿼트", exercise="squat")
    assert answer.status_code == 202
    assert answer.json()["state"] == "running"
    address = answer.headers["location"]
    following = asyncio.create_task(over(rig, address))
    rig.scoring.go_on.set()
    document = await following
    assert (document["state"], document["reference"]["reference_id"], document["fraction"]) == (
        "done",
        "r-1",
        1.0,
    )
    assert (await rig.door.client.get(address)).json() == document
    assert rig.scoring.received == 5000
    assert rig.scoring.config is not None
    assert (rig.scoring.config.name, rig.scoring.config.exercise) == ("스쿼트", "squat")
    assert rig.scoring.config.file_name == "squat.mp4"


async def test_what_scoring_refuses_during_the_upload_is_the_answer_to_it(rig: Rig) -> None:
    rig.scoring.refuse_after = 1
    # More than gRPC takes in ahead of a server that no longer reads.
    problem(await rig.upload(b"x" * (24 << 20)), 400, "NO_VIDEO")
    rig.scoring.refuse_after = None
    assert (await rig.upload(b"x")).status_code == 202


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (errors.TooLarge("a video has at most 10 minutes", reason="REFERENCE_TOO_LARGE"), 413),
        (errors.Exhausted("too many builds at once", reason="TOO_MANY_BUILDS", retry_after_s=4.5), 429),
        (errors.Unauthenticated("the token is none of this service's", reason="TOKEN_WRONG"), 502),
    ],
)
async def test_what_scoring_says_keeps_its_http_status(
    rig: Rig, refusal: errors.KomiError, status: int
) -> None:
    """A video that was too long was answered by 429, try again later; a gateway without the mesh's token by 401."""
    rig.scoring.refuse_after, rig.scoring.refusal = 1, refusal
    answer = await rig.upload(b"x" * (24 << 20))
    problem(answer, status, "NEIGHBOUR_REFUSES" if status == 502 else refusal.reason)
    assert answer.headers.get("retry-after") == ("5" if status == 429 else None)


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (part("file", b"", "a.mp4") + END, 400, "EMPTY_FILE"),
        (part("name", b"x") + END, 400, "NO_FILE"),
        (part("file", b"abc", "a.mp4"), 400, "UPLOAD_TRUNCATED"),
        (part("file", b"abc", "a.mp4") + part("name", b"late") + END, 400, "BAD_UPLOAD"),
        (part("colour", b"red") + part("file", b"abc", "a.mp4") + END, 400, "BAD_UPLOAD"),
        (part("video", b"abc", "a.mp4") + END, 400, "BAD_UPLOAD"),
        (part("name", b"n" * 101) + part("file", b"abc", "a.mp4") + END, 400, "BAD_UPLOAD"),
        (b"nonsense", 400, "BAD_UPLOAD"),
        (b"", 400, "UPLOAD_TRUNCATED"),
    ],
)
async def test_an_upload_that_cannot_be_used_is_told_why(
    rig: Rig, body: bytes, status: int, reason: str
) -> None:
    problem(await rig.send(body), status, reason)
    assert (await rig.upload(b"x", name="next")).status_code == 202


async def test_a_body_of_another_type_is_415(rig: Rig) -> None:
    problem(await rig.door.client.post("/api/v1/references", json={}), 415, "WRONG_MEDIA_TYPE")


async def test_an_upload_that_says_it_is_too_large_is_refused_before_it_is_read(rig: Rig) -> None:
    host, port = rig.door.server.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /api/v1/references HTTP/1.1\r\nHost: x\r\nContent-Type: {CONTENT_TYPE}\r\n"
        f"Content-Length: {10 << 30}\r\n\r\n".encode()
    )
    assert b" 413 " in await asyncio.wait_for(reader.readline(), 30)
    writer.close()
    assert rig.scoring.received == 0


async def test_an_upload_that_turns_out_too_large_is_refused_on_the_way(rig: Rig) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield part("file", b"", "a.mp4")[:-2]
        for _ in range(80):
            yield b"x" * (1 << 20)
        yield b"\r\n" + END

    answer = await rig.door.client.post(
        "/api/v1/references", content=body(), headers={"content-type": CONTENT_TYPE}
    )
    problem(answer, 413, "TOO_LARGE")


async def test_an_upload_that_brings_nothing_any_more_is_given_up(rig: Rig) -> None:
    desk = rig.door.gateway.uploads
    desk.limits = replace(desk.limits, idle_s=0.5)

    async def body() -> AsyncIterator[bytes]:
        yield part("file", b"abc", "a.mp4")
        await rig.scoring.cancelled.wait()

    answer = await rig.door.client.post(
        "/api/v1/references", content=body(), headers={"content-type": CONTENT_TYPE}
    )
    problem(answer, 400, "UPLOAD_STALLED")


async def test_a_client_that_goes_away_in_the_middle_ends_the_build(rig: Rig) -> None:
    host, port = rig.door.server.address.split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /api/v1/references HTTP/1.1\r\nHost: x\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: 999999\r\n\r\n"
        .encode() + part("file", b"abc" * 100_000, "a.mp4")
    )  # fmt: skip
    await writer.drain()
    writer.close()
    await asyncio.wait_for(rig.scoring.cancelled.wait(), 30)


async def test_a_build_whose_gateway_died_is_told_as_lost(rig: Rig) -> None:
    build = (await rig.upload(b"video", name="x")).json() | {"build_id": "b-lost", "state": "running"}
    await rig.door.redis.hset(
        keys.job("b-lost"), mapping={"renewed_s": 1, "state": "running", "document": orjson.dumps(build)}
    )
    document = (await rig.door.client.get("/api/v1/references/builds/b-lost")).json()
    assert (document["state"], document["problem"]["reason"]) == ("failed", "GATEWAY_LOST")


async def test_a_build_that_is_deleted_on_its_way_stores_nothing(rig: Rig) -> None:
    rig.scoring.go_on.clear()
    address = (await rig.upload(b"video", name="x")).headers["location"]
    assert (await rig.door.client.delete(address)).status_code == 204
    await asyncio.wait_for(rig.scoring.cancelled.wait(), 30)
    problem(await rig.door.client.get(address), 404, "BUILD_NOT_FOUND")
    problem(await rig.door.client.delete(address), 404, "BUILD_NOT_FOUND")


async def test_an_unknown_build_is_404(rig: Rig) -> None:
    problem(await rig.door.client.get("/api/v1/references/builds/b-none"), 404, "BUILD_NOT_FOUND")
    problem(await rig.door.client.get("/api/v1/references/builds/b-none/events"), 404, "BUILD_NOT_FOUND")


async def test_a_large_upload_does_not_grow_the_memory(rig: Rig) -> None:
    size = 64 << 20

    async def body() -> AsyncIterator[bytes]:
        yield part("file", b"", "a.mp4")[:-2]
        for _ in range(size >> 16):
            yield b"x" * (1 << 16)
        yield b"\r\n" + END

    async def upload() -> None:
        answer = await rig.door.client.post(
            "/api/v1/references", content=body(), headers={"content-type": CONTENT_TYPE}, timeout=60
        )
        assert answer.status_code == 202, answer.text

    await upload()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await upload()
    assert rig.scoring.received == 2 * size
    # The peak of the process, scripted scoring and client included, in KiB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 << 10


class EndingCall:
    """A call that grpcio gives one status after another."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[Any], None]] = []
        self._status = (grpc.StatusCode.OK, "")

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self._callbacks.append(callback)

    def end(self, code: grpc.StatusCode, details: str) -> None:
        self._status = (code, details)
        for callback in self._callbacks:
            callback(self)

    async def code(self) -> grpc.StatusCode:
        return self._status[0]

    async def details(self) -> str:
        return self._status[1]

    async def initial_metadata(self) -> grpc.aio.Metadata:
        return grpc.aio.Metadata()

    trailing_metadata = initial_metadata


@pytest.mark.parametrize("order", [1, -1])
async def test_what_the_peer_said_counts_whether_a_write_failed_of_it_before_or_after(order: int) -> None:
    """An import that was refused on the way was told as a failure of scoring's where the write failed first."""
    call: Any = EndingCall()
    ended = PeersStatus(call)
    told = [OF_A_FAILED_WRITE, (grpc.StatusCode.INVALID_ARGUMENT, "no reference")]
    for code, details in told[::order]:
        call.end(code, details)
    error = await ended.error()
    assert error is not None
    assert (error.code(), error.details()) == told[1]


@pytest.mark.parametrize("order", [1, -1])
async def test_what_the_peer_said_counts_whether_a_callback_saw_it_or_the_call_raised_it(order: int) -> None:
    """Of a file too large either of the two held the failed write at times, and 413 became 502."""
    call: Any = EndingCall()
    ended = PeersStatus(call)
    seen, raised = [OF_A_FAILED_WRITE, (grpc.StatusCode.RESOURCE_EXHAUSTED, "too large")][::order]
    call.end(*seen)
    ended.heard(grpc.aio.AioRpcError(raised[0], grpc.aio.Metadata(), grpc.aio.Metadata(), raised[1]))
    error = await ended.error()
    assert error is not None
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
