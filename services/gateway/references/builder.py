"""Passes an uploaded video on to scoring as it arrives, and keeps the build's record up to date."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import structlog
from starlette.requests import ClientDisconnect

from komi.scoring.v1 import scoring_service_pb2 as scoring
from services.gateway import metrics
from services.gateway.config import GatewaySettings
from services.gateway.documents import Build
from services.gateway.ended import FirstStatus
from services.gateway.errors import BadUpload, TooLarge
from services.gateway.problems import problem_of
from services.gateway.references.builds import RENEW_S, BuildRecords
from services.gateway.references.multipart import Field, FileChunk, FileEnd, FileStart, UploadParser
from services.gateway.shaping import records
from services.gateway.upstream import Upstream, errors_of
from services.mesh.errors import Draining, Exhausted, KomiError, Unavailable
from services.mesh.redis import UNREACHABLE
from services.mesh.tasks import Tasks

log = structlog.get_logger()

CHUNK_BYTES = 256 << 10
FIELDS = ("name", "exercise", "reference_id")
PROGRESS_GAP_S = 0.2
MOST_NAME = 100
LINGER_S, LINGER_IDLE_S = 5.0, 0.5


class ReferenceBuilder:
    """Builds references from uploads, a bounded number at a time."""

    def __init__(
        self, settings: GatewaySettings, upstream: Upstream, builds: BuildRecords, tasks: Tasks
    ) -> None:
        self._settings = settings
        self._upstream = upstream
        self._builds = builds
        self._tasks = tasks
        self._running = 0

    async def build(self, content_type: str, content_length: int, body: AsyncIterator[bytes]) -> Build:
        """Take the upload in; returns when the file is through and the building goes on by itself.

        Raises BadUpload, TooLarge, WrongMediaType, Exhausted, and what scoring says of the file so far.
        """
        try:
            return await self._build(content_type, content_length, body)
        except ClientDisconnect:
            raise BadUpload(
                "the client went away in the middle of the upload", reason="UPLOAD_ABORTED"
            ) from None
        except KomiError:
            # A client that is still sending would find its connection reset before it reads why.
            await _linger(body)
            raise

    async def _build(self, content_type: str, content_length: int, body: AsyncIterator[bytes]) -> Build:
        self._check_size(content_length - CHUNK_BYTES)  # the body is a little more than the file
        parser = UploadParser(content_type)
        if self._running >= self._settings.max_builds:
            raise Exhausted(
                f"{self._running} references are being built at this moment; try again when one is done",
                reason="TOO_MANY_BUILDS",
                retry_after_s=10.0,
            )
        self._running += 1
        build = _Build(self._upstream, self._builds)
        try:
            await self._pass_on(build, parser, content_length, body)
        except BaseException as error:
            self._running -= 1
            await build.give_up(error)
            raise
        self._tasks.start("reference build", lambda: self._finish(build))
        return build.record

    async def _finish(self, build: "_Build") -> None:
        try:
            await build.finish()
        except Exception:
            # Nobody waits for this any more, and a second try would find the call gone.
            log.exception(
                "the end of a reference build could not be recorded", build_id=build.record.build_id
            )
        finally:
            self._running -= 1

    async def _pass_on(
        self, build: "_Build", parser: UploadParser, content_length: int, body: AsyncIterator[bytes]
    ) -> None:
        fields: dict[str, str] = {}
        size, seen = 0, False
        async for data in self._in_time(body):
            for event in parser.feed(data):
                match event:
                    case Field(name, value):
                        fields[_known(name, seen)] = value.strip()
                    case FileStart(name, file_name):
                        if name != "file" or seen:
                            raise BadUpload("send one video, as the part 'file'")
                        seen = True
                        await build.start(_config(fields, file_name, content_length))
                    case FileChunk(chunk):
                        size += len(chunk)
                        self._check_size(size)
                        await build.write(chunk)
                    case FileEnd():
                        await build.flush()
        if not parser.ended:
            raise BadUpload(
                "the upload ended before its closing boundary: it was cut short; send it again",
                reason="UPLOAD_TRUNCATED",
            )
        if not seen:
            raise BadUpload("there is no video: send it as the part 'file'", reason="NO_FILE")
        if not size:
            raise BadUpload("the video is empty (0 bytes)", reason="EMPTY_FILE")
        await build.uploaded()

    async def _in_time(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        while True:
            try:
                async with asyncio.timeout(self._settings.upload_idle_s):
                    chunk = await anext(body)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise BadUpload(
                    f"the upload brought nothing for {self._settings.upload_idle_s:g} s and was given up",
                    reason="UPLOAD_STALLED",
                ) from None
            yield chunk

    def _check_size(self, size: int) -> None:
        if size > self._settings.max_upload_bytes:
            raise TooLarge(
                f"the video is larger than the {self._settings.max_upload_bytes} bytes allowed here; shorten it, or "
                f"raise --max-upload-bytes"
            )


async def _linger(body: AsyncIterator[bytes]) -> None:
    """Read and forget what a client still sends, for a while."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LINGER_S
    with contextlib.suppress(TimeoutError, ClientDisconnect, StopAsyncIteration, RuntimeError):
        while loop.time() < until:
            async with asyncio.timeout(LINGER_IDLE_S):
                await anext(body)


def _known(name: str, seen_file: bool) -> str:
    if name not in FIELDS:
        raise BadUpload(f"there is no field {name[:64]!r}: the fields are {', '.join(FIELDS)}, then 'file'")
    if seen_file:
        raise BadUpload(f"field {name!r} comes after the video; the fields must come before it")
    return name


def _config(fields: dict[str, str], file_name: str, content_length: int) -> scoring.ReferenceConfig:
    name = fields.get("name") or file_name.rpartition(".")[0] or file_name
    if not 1 <= len(name) <= MOST_NAME:
        raise BadUpload(f"field 'name' must have 1 to {MOST_NAME} characters")
    return scoring.ReferenceConfig(
        name=name,
        exercise=fields.get("exercise", ""),
        reference_id=fields.get("reference_id", ""),
        file_name=file_name,
        size_bytes=max(0, content_length),
    )


class _Build:
    """One call of BuildReference and its record."""

    def __init__(self, upstream: Upstream, builds: BuildRecords) -> None:
        self._upstream = upstream
        self._builds = builds
        self._call: Any = None
        self._reading: asyncio.Task[None] | None = None
        self._buffer = bytearray()
        self._stored_s = 0.0
        self.record = Build(
            build_id=f"b-{secrets.token_hex(8)}",
            state="running",
            stage="uploading",
            fraction=0.0,
            frames_done=0,
            frames_total=None,
            reference=None,
            problem=None,
        )

    async def start(self, config: scoring.ReferenceConfig) -> None:
        """Open the call."""
        self._call = self._upstream.scoring.BuildReference()
        self._ended = FirstStatus(self._call)
        self._reading = asyncio.create_task(self._read(), name="build answers")
        await self._send(scoring.BuildReferenceRequest(config=config))

    async def write(self, chunk: bytes) -> None:
        """Pass bytes on, in larger pieces."""
        self._buffer += chunk
        if len(self._buffer) >= CHUNK_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Pass on what is left."""
        if self._buffer:
            piece = bytes(self._buffer)
            self._buffer.clear()
            await self._send(scoring.BuildReferenceRequest(chunk=piece))
            metrics.UPLOADED.inc(len(piece))

    async def _send(self, request: scoring.BuildReferenceRequest) -> None:
        # Scoring may refuse the file before it is through: its error is the answer, not the broken pipe.
        assert self._reading is not None
        writing = asyncio.ensure_future(self._call.write(request))
        await asyncio.wait((writing, self._reading), return_when=asyncio.FIRST_COMPLETED)
        if self._reading.done():
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await self._reading
            raise Unavailable("scoring ended the build before the video was through", reason="BUILD_ENDED")
        try:
            await writing
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await self._reading
            raise

    async def uploaded(self) -> None:
        """The video is through."""
        await self._call.done_writing()
        await self._store(stage=self.record.stage)

    async def finish(self) -> None:
        """Wait for the reference and record how it ended."""
        assert self._reading is not None
        try:
            while not self._reading.done():
                await asyncio.wait((self._reading,), timeout=RENEW_S)
                with contextlib.suppress(*UNREACHABLE):
                    await self._store()
            await self._reading
            if self.record.reference is None:
                raise Unavailable("scoring ended the build without a reference", reason="BUILD_ENDED")
            metrics.BUILDS.labels("done").inc()
            await self._store(state="done", fraction=1.0)
        except KomiError as error:
            await self._fail(error)
        except asyncio.CancelledError:
            await self.give_up(
                Draining("the gateway was stopped while it built the reference; upload it again")
            )
            raise

    async def give_up(self, error: BaseException) -> None:
        """End the call; nothing is stored of it."""
        if self._call is not None:
            self._call.cancel()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._call is not None:
            known = (
                error
                if isinstance(error, KomiError)
                else Unavailable("the upload broke off", reason="UPLOAD_ABORTED")
            )
            with contextlib.suppress(*UNREACHABLE):
                await self._fail(known)

    async def _fail(self, error: KomiError) -> None:
        metrics.BUILDS.labels("failed").inc()
        log.info("reference build failed", build_id=self.record.build_id, reason=error.reason)
        await self._store(state="failed", problem=problem_of(error))

    async def _read(self) -> None:
        with errors_of("scoring"):
            async for answer in self._answers():
                if answer.WhichOneof("payload") == "reference":
                    self.record = self.record.model_copy(
                        update={"reference": records.reference(answer.reference)}
                    )
                    continue
                progress = answer.progress
                changes = {
                    "stage": scoring.BuildStage.Name(progress.stage).removeprefix("BUILD_STAGE_").lower(),
                    "fraction": round(progress.fraction, 4),
                    "frames_done": progress.frames_done,
                    "frames_total": progress.frames_total or None,
                }
                self.record = self.record.model_copy(update=changes)
                if time.monotonic() - self._stored_s >= PROGRESS_GAP_S:
                    with contextlib.suppress(*UNREACHABLE):
                        await self._store()

    async def _answers(self) -> AsyncIterator[scoring.BuildReferenceResponse]:
        try:
            async for answer in self._call:
                yield answer
        except grpc.aio.AioRpcError as error:
            raise self._ended.error or error from None

    async def _store(self, **changes: object) -> None:
        self._stored_s = time.monotonic()
        self.record = self.record.model_copy(update=changes)
        await self._builds.put(self.record)
