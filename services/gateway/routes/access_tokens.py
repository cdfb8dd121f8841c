"""What the caller may do, and for an admin the tokens to hand out."""

from fastapi import APIRouter, Request

from services.gateway.documents.access import Access
from services.gateway.routes.access import TheGateway, problems
from services.mesh.tokens import Scope

router = APIRouter(prefix="/api/v1/access", tags=["access"])


@router.get("", summary="What you may do", responses=problems(401, 403))
async def access(request: Request, gateway: TheGateway) -> Access:
    """For an admin with the tokens for viewers and cameras: put one into an address as `?token=…`."""
    tokens = gateway.tokens
    if tokens is None:
        return Access(open=True, scope=Scope.ADMIN, view_token=None, camera_token=None)
    scope = Scope(request.state.access)
    admin = scope is Scope.ADMIN
    return Access(
        open=False,
        scope=scope,
        view_token=tokens.of(Scope.VIEW) if admin else None,
        camera_token=tokens.of(Scope.CAMERA) if admin else None,
    )
