"""What of references comes and goes as files: videos to build from, pictures, exported references."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from komi.scoring.v1 import scoring_service_pb2 as scoring
from services.gateway.documents.references import Build, Reference
from services.gateway.names import NameConvertor
from services.gateway.routes import jobs
from services.gateway.routes.access import TheGateway, problems
from services.gateway.routes.conditional import JPEG, NOT_MODIFIED, IfNoneMatch, unless_known
from services.gateway.routes.references import Version
from services.gateway.shaping.references import reference
from services.gateway.uploads.form import Upload
from services.gateway.uploads.importing import import_reference as take_in
from services.gateway.uploads.learning import LabelledVideo
from services.gateway.upstream import errors_of
from services.mesh.errors import Unavailable

router = APIRouter(prefix="/api/v1/references", tags=["references"])

EXPORT_S = 60.0
BINARY = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


@router.post(
    "",
    summary="Build a reference from a video",
    status_code=202,
    response_model=Build,
    openapi_extra=jobs.form_of(
        {
            "name": {"type": "string", "minLength": 1, "maxLength": 100, "examples": ["Squat"]},
            "exercise": {"type": "string", "examples": ["squat"]},
            "reference_id": {"type": "string", "description": "Reference to refine"},
            "silhouettes": {"type": "string", "enum": ["true", "false"], "description": "Keep outlines"},
            "file": jobs.file_of("The video, last"),
        },
        ["file"],
    ),
    responses=problems(400, 404, 413, 415, 429, 503),
)
async def build_reference(request: Request, gateway: TheGateway) -> Response:
    """multipart/form-data: the fields, then the video as `file`. It streams through; the answer comes when it is through."""
    build = await gateway.uploads.take(gateway.builds, Upload.of(request))
    return jobs.taken_in(build, f"{router.prefix}/builds/{build.build_id}")


@router.get(
    "/builds/{build_id:name}",
    summary="How far a build is",
    response_model=Build,
    responses=problems(404, 503),
)
async def get_build(build_id: str, gateway: TheGateway) -> Response:
    """Known for an hour after its last change, at every gateway."""
    return await jobs.how_far(gateway.builds.records, build_id)


@router.delete(
    "/builds/{build_id:name}",
    summary="Cancel a build, or forget how it went",
    status_code=204,
    responses=problems(404, 503),
)
async def delete_build(build_id: str, gateway: TheGateway) -> None:
    """One on its way ends, and nothing is stored; a reference that is there already stays."""
    await gateway.builds.records.delete(build_id)


@router.get(
    "/builds/{build_id:name}/events",
    summary="How far a build is, as it goes on",
    response_class=StreamingResponse,
    responses={**jobs.EVENTS, **problems(404, 503)},
)
async def build_events(build_id: str, gateway: TheGateway) -> StreamingResponse:
    """Server-sent events named `build`, each with the document of GET, until it is over."""
    return await jobs.as_it_goes_on(gateway.builds.records, build_id, "build")


@router.post(
    "/{reference_id:name}/calibration",
    summary="Learn from a video where right ends",
    status_code=202,
    response_model=Build,
    openapi_extra=jobs.form_of(
        {
            "correct": {
                "type": "string",
                "enum": ["true", "false"],
                "description": "Its repetitions are right",
            },
            "person": {"type": "string", "description": "Who performs them"},
            "file": jobs.file_of("The video, last"),
        },
        ["correct", "file"],
    ),
    responses=problems(400, 404, 409, 413, 415, 429, 501, 503),
)
async def calibrate_reference(reference_id: str, request: Request, gateway: TheGateway) -> Response:
    """multipart/form-data: the fields, then a video of which all repetitions are right, or all are wrong. It is looked at
    as a build is; the reference's next version comes of it, which is active.
    """
    kind = LabelledVideo(gateway.upstream, gateway.builds.records, reference_id)
    build = await gateway.uploads.take(kind, Upload.of(request))
    return jobs.taken_in(build, f"{router.prefix}/builds/{build.build_id}")


@router.post(
    "/import",
    summary="Store an exported reference",
    status_code=201,
    response_model=Reference,
    openapi_extra=jobs.form_of({"file": jobs.file_of("What export gave")}, ["file"]),
    responses=problems(400, 413, 415, 429, 501, 503),
)
async def import_reference(request: Request, gateway: TheGateway) -> Response:
    """multipart/form-data with the part `file`. It becomes a new reference."""
    made = await take_in(gateway.upstream, gateway.uploads.limits, Upload.of(request))
    address = f"{router.prefix}/{NameConvertor().to_string(made.reference_id)}"
    return JSONResponse(reference(made).model_dump(mode="json"), 201, headers={"location": address})


@router.get(
    "/{reference_id:name}/export",
    summary="A reference as a file",
    response_class=StreamingResponse,
    responses={200: {"content": BINARY}, **problems(404, 422, 501, 503)},
)
async def export_reference(reference_id: str, gateway: TheGateway, version: Version = 0) -> StreamingResponse:
    """One version, for import here or elsewhere. `version` 0: the active one."""
    found = await gateway.upstream.ask(
        "scoring",
        gateway.upstream.scoring.GetReference,
        scoring.GetReferenceRequest(reference_id=reference_id, version=version),
    )
    call: Any = gateway.upstream.scoring.ExportReference(
        scoring.ExportReferenceRequest(reference_id=reference_id, version=version), timeout=EXPORT_S
    )
    chunks = _chunks(call)
    # The first piece decides whether there is a file; what fails later can only cut it short.
    first = await anext(chunks, None)
    if first is None:
        raise Unavailable("scoring sent an empty file", reason="EXPORT_EMPTY", retry_after_s=1.0)

    async def file() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    name = quote(f"{found.reference.name or reference_id}.komi", safe="")
    return StreamingResponse(
        file(),
        media_type="application/octet-stream",
        headers={"content-disposition": f"attachment; filename=\"reference.komi\"; filename*=UTF-8''{name}"},
    )


async def _chunks(call: Any) -> AsyncIterator[bytes]:
    try:
        with errors_of("scoring"):
            async for answer in call:
                yield answer.chunk
    finally:
        call.cancel()


@router.get(
    "/{reference_id:name}/strip.jpg",
    summary="Pictures of a reference",
    response_class=Response,
    responses={200: JPEG, **NOT_MODIFIED, **problems(404, 422, 501, 503)},
)
async def strip(
    reference_id: str, gateway: TheGateway, version: Version = 0, if_none_match: IfNoneMatch = None
) -> Response:
    """Its template repetition, pictures side by side; the header Komi-Frames says which frames of the video they are."""
    found = await gateway.upstream.ask(
        "scoring",
        gateway.upstream.scoring.GetReferenceStrip,
        scoring.GetReferenceStripRequest(reference_id=reference_id, version=version),
    )
    frames = ",".join(str(frame) for frame in found.frames)
    return unless_known(if_none_match, found.jpeg, "image/jpeg", headers={"komi-frames": frames})
