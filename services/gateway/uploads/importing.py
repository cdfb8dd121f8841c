"""A reference that comes as a file, as another KOMI exported it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from komi.scoring.v1 import scoring_service_pb2 as scoring
from services.gateway.ended import PeersStatus
from services.gateway.errors import BadUpload
from services.gateway.uploads.form import Form, Limits, Upload, refused_politely
from services.gateway.uploads.job import CHUNK_BYTES
from services.gateway.uploads.multipart import FileChunk
from services.gateway.upstream import Upstream, errors_of

DEADLINE_S = 300.0


async def import_reference(upstream: Upstream, limits: Limits, upload: Upload) -> scoring.Reference:
    """Pass the file on; the new reference. Raises BadUpload, TooLarge and what scoring says of the file."""
    async with refused_politely(upload):
        form = Form(upload, limits, (), lambda _fields: ("file",))
        call: Any = upstream.scoring.ImportReference(timeout=limits.longest_s + DEADLINE_S)
        ended = PeersStatus(call)
        try:
            with errors_of("scoring"):
                try:
                    async for piece in _pieces(form):
                        await call.write(scoring.ImportReferenceRequest(chunk=piece))
                    await call.done_writing()
                    return (await call).reference  # type: ignore[no-any-return]
                except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as error:
                    # A write fails when scoring has answered already: what it answered is what counts.
                    try:
                        await call
                    except grpc.aio.AioRpcError as told:
                        ended.heard(told)
                    except asyncio.InvalidStateError:
                        pass
                    raise await ended.error() or _early(error) from None
        finally:
            call.cancel()


def _early(error: Exception) -> Exception:
    if isinstance(error, grpc.aio.AioRpcError):
        return error
    return BadUpload("scoring answered before the file was through; it is no exported reference")


async def _pieces(form: Form) -> AsyncIterator[bytes]:
    buffer = bytearray()
    async for event in form.events():
        if isinstance(event, FileChunk):
            buffer += event.data
            if len(buffer) >= CHUNK_BYTES:
                yield bytes(buffer)
                buffer.clear()
    if buffer:
        yield bytes(buffer)
