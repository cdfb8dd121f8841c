"""References: list, look, choose a version, delete. routes/reference_files.py has what comes and goes as files."""

from typing import Annotated

from fastapi import APIRouter, Query

from komi.scoring.v1 import scoring_service_pb2 as scoring
from services.gateway.documents.references import Activation, Reference, References, Versions
from services.gateway.routes.access import TheGateway, problems
from services.gateway.shaping.references import reference

router = APIRouter(prefix="/api/v1/references", tags=["references"])

Version = Annotated[int, Query(ge=0, lt=2**31)]
"""0: the active one."""


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
        references=[reference(known) for known in page.references],
        next_cursor=page.next_page_token or None,
    )


@router.get(
    "/{reference_id:name}", summary="A reference with curves and ghost", responses=problems(404, 422, 503)
)
async def get_reference(reference_id: str, gateway: TheGateway, version: Version = 0) -> Reference:
    """`version` 0: the active one."""
    found = await gateway.upstream.ask(
        "scoring",
        gateway.upstream.scoring.GetReference,
        scoring.GetReferenceRequest(reference_id=reference_id, version=version),
    )
    return reference(found.reference)


@router.get(
    "/{reference_id:name}/versions",
    summary="Versions of a reference, newest first",
    responses=problems(404, 501, 503),
)
async def list_versions(reference_id: str, gateway: TheGateway) -> Versions:
    """Without their curves. At most the last twenty are kept, and the active one."""
    found = await gateway.upstream.ask(
        "scoring",
        gateway.upstream.scoring.ListReferenceVersions,
        scoring.ListReferenceVersionsRequest(reference_id=reference_id),
    )
    return Versions(references=[reference(known) for known in found.references])


@router.post(
    "/{reference_id:name}/activate",
    summary="Make a version the active one",
    responses=problems(400, 404, 422, 501, 503),
)
async def activate(reference_id: str, wanted: Activation, gateway: TheGateway) -> Reference:
    """The way back from a refinement that did not help: sessions follow it unless they name another version."""
    done = await gateway.upstream.ask(
        "scoring",
        gateway.upstream.scoring.ActivateReference,
        scoring.ActivateReferenceRequest(reference_id=reference_id, version=wanted.version),
    )
    return reference(done.reference)


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
