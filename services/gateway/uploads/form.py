"""A form with files, read as it arrives: its fields first, then each file piece by piece, within limits."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from services.gateway.errors import BadUpload
from services.gateway.uploads.multipart import Event, Field, FileChunk, FileEnd, FileStart, UploadParser
from services.mesh.errors import KomiError, TooLarge

AROUND_FILES_BYTES = 256 << 10
"""A body is a little more than its files."""
LINGER_S, LINGER_IDLE_S = 5.0, 2.0


@dataclass(frozen=True)
class Limits:
    """What an upload may take."""

    file_bytes: int
    """Of one file."""
    idle_s: float
    """Without a byte, seconds."""
    longest_s: float
    """Altogether, seconds."""


@dataclass(frozen=True)
class Upload:
    """A request's body as it arrives."""

    content_type: str
    size: int
    """Bytes it is said to have; 0: unknown."""
    body: AsyncIterator[bytes]

    @classmethod
    def of(cls, request: Request) -> "Upload":
        """The body of `request`."""
        length = request.headers.get("content-length", "")
        return cls(
            request.headers.get("content-type", ""),
            int(length) if length.isdecimal() else 0,
            request.stream(),
        )


@asynccontextmanager
async def refused_politely(upload: Upload) -> AsyncIterator[None]:
    """Around the reading of `upload`: who is refused can read why."""
    try:
        yield
    except ClientDisconnect:
        raise BadUpload("the client went away in the middle of the upload", reason="UPLOAD_ABORTED") from None
    except KomiError:
        # A client that is still sending would find its connection reset before it reads the answer.
        await _linger(upload.body)
        raise


async def _linger(body: AsyncIterator[bytes]) -> None:
    """Read and forget what a client still sends, for a while."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LINGER_S
    with contextlib.suppress(TimeoutError, ClientDisconnect, StopAsyncIteration, RuntimeError):
        while loop.time() < until:
            async with asyncio.timeout(LINGER_IDLE_S):
                await anext(body)


class Form:
    """One form. `fields` is complete once the first file starts.

    `files` says which files are to come, in this order, given the fields.
    """

    def __init__(
        self,
        upload: Upload,
        limits: Limits,
        fields: tuple[str, ...],
        files: Callable[[Mapping[str, str]], tuple[str, ...]],
    ) -> None:
        """Raises WrongMediaType, TooLarge."""
        self.fields: dict[str, str] = {}
        self._upload = upload
        self._limits = limits
        self._known = fields
        self._files = files
        self._parser = UploadParser(upload.content_type)
        self._begun: list[str] = []
        self._size = 0
        self._check_size(upload.size - AROUND_FILES_BYTES, len(files({})))

    async def events(self) -> AsyncGenerator[FileStart | FileChunk | FileEnd]:
        """The files. Raises BadUpload and TooLarge, and at the end where the form is not whole."""
        async for data in self._in_time():
            for event in self._parser.feed(data):
                seen = self._check(event)
                if seen is not None:
                    yield seen
        if not self._parser.ended:
            raise BadUpload(
                "the upload ended before its closing boundary: it was cut short; send it again",
                reason="UPLOAD_TRUNCATED",
            )
        missing = self._files(self.fields)[len(self._begun) :]
        if missing:
            raise BadUpload(
                f"there is no file {missing[0]!r}: send it as the part of this name", reason="NO_FILE"
            )

    def _check(self, event: Event) -> FileStart | FileChunk | FileEnd | None:
        match event:
            case Field(name, value):
                self._check_field(name)
                self.fields[name] = value.strip()
                return None
            case FileStart(name):
                self._check_order(name)
                self._size = 0
            case FileChunk(data):
                self._size += len(data)
                self._check_size(self._size, 1)
            case FileEnd():
                if not self._size:
                    raise BadUpload(f"the file {self._begun[-1]!r} is empty (0 bytes)", reason="EMPTY_FILE")
        return event

    def _check_field(self, name: str) -> None:
        if name not in self._known:
            told = f"the fields are {', '.join(self._known)}" if self._known else "there are no fields"
            raise BadUpload(f"there is no field {name[:64]!r}: {told}, then come the files")
        if self._begun:
            raise BadUpload(f"field {name!r} comes after a file; the fields must come before the files")

    def _check_order(self, name: str) -> None:
        expected = self._files(self.fields)
        if len(self._begun) >= len(expected) or name != expected[len(self._begun)]:
            raise BadUpload(
                f"the file {name[:64]!r} was not expected here: send {', then '.join(map(repr, expected))}"
            )
        self._begun.append(name)

    def _check_size(self, size: int, files: int) -> None:
        most = self._limits.file_bytes
        if size > files * most:
            raise TooLarge(
                f"a file is larger than the {most} bytes allowed here; shorten it, or raise --max-upload-bytes"
            )

    async def _in_time(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._limits.longest_s
        while True:
            try:
                async with asyncio.timeout_at(min(until, loop.time() + self._limits.idle_s)):
                    chunk = await anext(self._upload.body)
            except StopAsyncIteration:
                return
            except TimeoutError:
                if loop.time() >= until:
                    raise BadUpload(
                        f"the upload took longer than {self._limits.longest_s:g} s and was given up",
                        reason="UPLOAD_TOO_SLOW",
                    ) from None
                raise BadUpload(
                    f"the upload brought nothing for {self._limits.idle_s:g} s and was given up",
                    reason="UPLOAD_STALLED",
                ) from None
            yield chunk
