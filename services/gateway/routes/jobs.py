"""Work on uploads, as every resource that starts some tells of it."""

from collections.abc import AsyncIterator
from typing import Any

from fastapi.responses import Response, StreamingResponse

from services.gateway.documents.jobs import Job
from services.gateway.uploads.records import Document, JobRecords

EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


def taken_in(job: Job, address: str) -> Response:
    """202: it goes on by itself, and `address` tells how far it is."""
    return Response(job.model_dump_json(), 202, headers={"location": address}, media_type="application/json")


async def how_far(records: JobRecords[Document], job_id: str) -> Response:
    """The job's document."""
    return Response((await records.get(job_id)).json, media_type="application/json")


async def as_it_goes_on(records: JobRecords[Document], job_id: str, event: str) -> StreamingResponse:
    """Server-sent events named `event`, each with the job's document, until it is over."""
    await records.get(job_id)

    async def events() -> AsyncIterator[bytes]:
        async for kept in records.follow(job_id):
            yield b"event: " + event.encode() + b"\ndata: " + kept.json + b"\n\n"

    return StreamingResponse(events(), media_type="text/event-stream", headers={"cache-control": "no-store"})


def form_of(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """OpenAPI of a multipart form."""
    schema = {"type": "object", "required": required, "properties": properties}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def file_of(description: str) -> dict[str, Any]:
    """OpenAPI of a file in a form."""
    return {"type": "string", "format": "binary", "description": description}
