"""One upload that scoring works on: the call that carries it, and its record, kept up to date to the end."""

import asyncio
import contextlib
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from typing import Any, Generic

import grpc
import structlog
from google.protobuf.message import Message

from services.gateway import metrics
from services.gateway.ended import PeersStatus
from services.gateway.errors import JobCancelled
from services.gateway.problems import problem_of
from services.gateway.uploads.records import RENEW_S, Document, JobRecords
from services.gateway.upstream import errors_of
from services.mesh.errors import Draining, KomiError, Unavailable
from services.mesh.redis import UNREACHABLE

log = structlog.get_logger()

CHUNK_BYTES = 256 << 10
PROGRESS_GAP_S = 0.2


class JobKind(ABC, Generic[Document]):
    """What one kind of job sends to scoring, and what its answers mean."""

    records: JobRecords[Document]
    fields: tuple[str, ...]
    """Of its form."""

    @abstractmethod
    def files(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        """Files to come, in this order."""

    @abstractmethod
    def begin(self, job_id: str) -> Document:
        """The record of a job that begins."""

    @abstractmethod
    def call(self) -> Any:
        """Open the stream to scoring."""

    @abstractmethod
    def config(self, fields: Mapping[str, str], file_name: str, size: int) -> Message:
        """First message. Raises BadUpload."""

    @abstractmethod
    def chunk(self, file: str, data: bytes) -> Message:
        """The next bytes of a file."""

    @abstractmethod
    async def heard(self, job: Document, answer: Any) -> Document:
        """The job after an answer of scoring's."""


class RunningJob(Generic[Document]):
    """`start`, `write` what comes, `uploaded`, then `finish`; or `give_up` at any point."""

    def __init__(self, kind: JobKind[Document]) -> None:
        self._kind = kind
        self._call: Any = None
        self._reading: asyncio.Task[None] | None = None
        self._file = ""
        self._buffer = bytearray()
        self._stored_s = 0.0
        self._known = False
        self._storing = asyncio.Lock()
        """Only one word can be the first: a second one would bring a job back that was deleted between them."""
        self.record = kind.begin(f"{kind.records.prefix}{secrets.token_hex(8)}")

    async def start(self, fields: Mapping[str, str], file: str, file_name: str, size: int) -> None:
        """A file begins; with the first the call opens."""
        self._file = file
        if self._call is not None:
            return
        config = self._kind.config(fields, file_name, size)
        self._call = self._kind.call()
        self._ended = PeersStatus(self._call)
        self._reading = asyncio.create_task(self._read(), name="answers to an upload")
        await self._send(config)

    async def write(self, chunk: bytes) -> None:
        """Pass bytes on, in larger pieces."""
        self._buffer += chunk
        if len(self._buffer) >= CHUNK_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Pass on what is left of a file."""
        if self._buffer:
            piece = bytes(self._buffer)
            self._buffer.clear()
            await self._send(self._kind.chunk(self._file, piece))
            metrics.UPLOADED.inc(len(piece))

    async def _send(self, request: Message) -> None:
        # Scoring may refuse the file before it is through: its error is the answer, not the broken pipe.
        assert self._reading is not None
        writing = asyncio.ensure_future(self._call.write(request))
        await asyncio.wait((writing, self._reading), return_when=asyncio.FIRST_COMPLETED)
        if self._reading.done():
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await self._reading
            raise Unavailable("scoring ended its work before the upload was through", reason="JOB_ENDED")
        try:
            await writing
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await self._reading
            raise

    async def uploaded(self) -> None:
        """All is through and whole: only now may scoring make something of it."""
        await self._call.done_writing()
        await self._store()

    async def finish(self) -> None:
        """Wait for the result and record how it ended."""
        assert self._reading is not None
        try:
            while not self._reading.done():
                await asyncio.wait((self._reading,), timeout=RENEW_S)
                with contextlib.suppress(*UNREACHABLE):
                    await self._store()
            await self._reading
            if not self.record.has_result:
                raise Unavailable("scoring ended its work without a result", reason="JOB_ENDED")
            await self._store(state="done", fraction=1.0)
            metrics.JOBS.labels(self._kind.records.what, "done").inc()
        except JobCancelled:
            await self._cancelled()
        except KomiError as error:
            await self._fail(error)
        except asyncio.CancelledError:
            await self.give_up(
                Draining(f"the gateway was stopped during the {self._kind.records.what}; upload it again")
            )
            raise

    async def give_up(self, error: BaseException) -> None:
        """End the call; nothing is stored of it."""
        await self._end_call()
        if self._call is not None:
            known = (
                error
                if isinstance(error, KomiError)
                else Unavailable("the upload broke off", reason="UPLOAD_ABORTED")
            )
            with contextlib.suppress(*UNREACHABLE):
                await self._fail(known)

    async def _end_call(self) -> None:
        if self._call is not None:
            self._call.cancel()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _cancelled(self) -> None:
        """Its record is gone: nobody wants it any more, and scoring's work on it ends with the call."""
        await self._end_call()
        metrics.JOBS.labels(self._kind.records.what, "cancelled").inc()
        log.info("an upload was cancelled", what=self._kind.records.what, job_id=self.record.job_id)

    async def _fail(self, error: KomiError) -> None:
        what = self._kind.records.what
        metrics.JOBS.labels(what, "failed").inc()
        log.info("an upload came to nothing", what=what, job_id=self.record.job_id, reason=error.reason)
        with contextlib.suppress(JobCancelled):
            await self._store(state="failed", problem=problem_of(error))

    async def _read(self) -> None:
        with errors_of("scoring"):
            async for answer in self._answers():
                self.record = await self._kind.heard(self.record, answer)
                # The result itself is stored once, when it is known to be the last word.
                if not self.record.has_result and time.monotonic() - self._stored_s >= PROGRESS_GAP_S:
                    with contextlib.suppress(*UNREACHABLE):
                        await self._store()

    async def _answers(self) -> AsyncIterator[Any]:
        try:
            async for answer in self._call:
                yield answer
        except grpc.aio.AioRpcError as error:
            self._ended.heard(error)
            raise await self._ended.error() or error from None

    async def _store(self, **changes: object) -> None:
        self._stored_s = time.monotonic()
        self.record = self.record.model_copy(update=changes)
        async with self._storing:
            await self._kind.records.put(self.record, first=not self._known)
            self._known = True
