"""Two videos compared, without cameras."""

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from services.gateway.documents.comparisons import Compare
from services.gateway.routes import jobs
from services.gateway.routes.access import TheGateway, problems
from services.gateway.uploads.form import Upload

router = APIRouter(prefix="/api/v1/compare", tags=["compare"])


@router.post(
    "",
    summary="Compare a video with another, or with a reference",
    status_code=202,
    response_model=Compare,
    openapi_extra=jobs.form_of(
        {
            "reference_id": {"type": "string", "description": "Compare with this; then no sample is sent"},
            "exercise": {"type": "string", "examples": ["squat"]},
            "silhouettes": {
                "type": "string",
                "enum": ["true", "false"],
                "description": "Lay outlines over each other",
            },
            "sample": jobs.file_of("The video to compare with"),
            "attempt": jobs.file_of("The video to judge, last"),
        },
        ["attempt"],
    ),
    responses=problems(400, 404, 413, 415, 429, 501, 503),
)
async def compare(request: Request, gateway: TheGateway) -> Response:
    """multipart/form-data: fields, `sample` unless a `reference_id` is given, then `attempt`; the answer comes when all is through."""
    comparison = await gateway.uploads.take(gateway.comparisons, Upload.of(request))
    return jobs.taken_in(comparison, f"{router.prefix}/{comparison.compare_id}")


@router.get(
    "/{compare_id:name}",
    summary="How far a comparison is, and what it found",
    response_model=Compare,
    responses=problems(404, 503),
)
async def get_comparison(compare_id: str, gateway: TheGateway) -> Response:
    """Kept for an hour, at every gateway."""
    return await jobs.how_far(gateway.comparisons.records, compare_id)


@router.delete(
    "/{compare_id:name}",
    summary="Cancel a comparison, or forget what it found",
    status_code=204,
    responses=problems(404, 503),
)
async def delete_comparison(compare_id: str, gateway: TheGateway) -> None:
    """One on its way ends, and what was uploaded for it goes."""
    await gateway.comparisons.records.delete(compare_id)


@router.get(
    "/{compare_id:name}/events",
    summary="How far a comparison is, as it goes on",
    response_class=StreamingResponse,
    responses={**jobs.EVENTS, **problems(404, 503)},
)
async def comparison_events(compare_id: str, gateway: TheGateway) -> StreamingResponse:
    """Server-sent events named `compare`, each with the document of GET, until it is over."""
    return await jobs.as_it_goes_on(gateway.comparisons.records, compare_id, "compare")
