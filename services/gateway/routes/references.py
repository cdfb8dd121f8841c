"""References and their building."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from komi.scoring.v1 import scoring_service_pb2 as scoring
from services.gateway.documents import Build, Reference, References
from services.gateway.gateway import Gateway
from services.gateway.routes.access import TheGateway, problems
from services.gateway.shaping import records

router = APIRouter(prefix="/api/v1/references", tags=["references"])

UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "name": {"type": "string", "minLength": 1, "maxLength": 100, "examples": ["Squat"]},
                        "exercise": {"type": "string", "examples": ["squat"]},
                        "reference_id": {"type": "string", "description": "Reference to refine"},
                        "file": {"type": "string", "format": "binary", "description": "The video, last"},
                    },
                }
            }
        },
    }
}


@router.get("", summary="References, newest first", responses=problems(400, 422, 503))
async def list_references(
    gateway: TheGateway,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> References:
    """Without their curves. `cursor` is `next_cursor` of the page before."""
    page = await gateway.upstream.ask(
        "scoring",
        gateway.upstream.scoring.ListReferences,
        scoring.ListReferencesRequest(page_size=limit, page_token=cursor or ""),
    )
    return References(
        references=[records.reference(known) for known in page.references],
        next_cursor=page.next_page_token or None,
    )


@router.post(
    "",
    summary="Build a reference from a video",
    status_code=202,
    response_model=Build,
    openapi_extra=UPLOAD,
    responses=problems(400, 404, 413, 415, 429, 503),
)
async def build_reference(request: Request, gateway: TheGateway) -> Response:
    """multipart/form-data: the fields, then the video as `file`. It streams through; the answer comes when it is through."""
    length = request.headers.get("content-length", "")
    build = await gateway.builder.build(
        request.headers.get("content-type", ""),
        int(length) if length.isdecimal() else 0,
        request.stream(),
    )
    address = f"{router.prefix}/builds/{build.build_id}"
    return JSONResponse(build.model_dump(mode="json"), 202, headers={"location": address})


@router.get("/builds/{build_id:name}", summary="How far a build is", responses=problems(404, 503))
async def get_build(build_id: str, gateway: TheGateway) -> Build:
    """Known for an hour after its last change, at every gateway."""
    return await gateway.builds.get(build_id)


@router.get(
    "/builds/{build_id:name}/events",
    summary="How far a build is, as it goes on",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
        **problems(404, 503),
    },
)
async def build_events(build_id: str, gateway: TheGateway) -> StreamingResponse:
    """Server-sent events named `build`, each with the document of GET, until it is over."""
    await gateway.builds.get(build_id)
    return StreamingResponse(
        _events(gateway, build_id), media_type="text/event-stream", headers={"cache-control": "no-store"}
    )


async def _events(gateway: Gateway, build_id: str) -> AsyncIterator[bytes]:
    async for build in gateway.builds.follow(build_id):
        yield f"event: build\ndata: {build.model_dump_json()}\n\n".encode()


@router.get(
    "/{reference_id:name}", summary="A reference with curves and ghost", responses=problems(404, 422, 503)
)
async def get_reference(
    reference_id: str, gateway: TheGateway, version: Annotated[int, Query(ge=0, lt=2**31)] = 0
) -> Reference:
    """`version` 0: the active one."""
    found = await gateway.upstream.ask(
        "scoring",
        gateway.upstream.scoring.GetReference,
        scoring.GetReferenceRequest(reference_id=reference_id, version=version),
    )
    return records.reference(found.reference)


@router.delete(
    "/{reference_id:name}",
    summary="Delete a reference",
    status_code=204,
    responses=problems(404, 409, 503),
)
async def delete_reference(reference_id: str, gateway: TheGateway) -> None:
    """All its versions. 409: a session uses it."""
    await gateway.upstream.ask(
        "scoring",
        gateway.upstream.scoring.DeleteReference,
        scoring.DeleteReferenceRequest(reference_id=reference_id),
    )
