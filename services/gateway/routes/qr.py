"""An address of this gateway as a picture, for a phone to open."""

import asyncio
import io
from typing import Annotated, Any
from urllib.parse import quote

import segno
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.gateway.gateway import Gateway
from services.gateway.routes.access import TheGateway, problems
from services.mesh.errors import FailedPrecondition, InvalidInput
from services.mesh.network import own_address
from services.mesh.tokens import Scope, is_loopback

router = APIRouter(prefix="/api/v1", tags=["access"])

SVG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}}


@router.get(
    "/qr.svg",
    summary="QR code of an address here",
    response_class=Response,
    responses={**SVG, **problems(400, 401, 403, 409, 422)},
)
async def qr(
    request: Request, gateway: TheGateway, path: Annotated[str, Query(max_length=200)] = "/ui/camera"
) -> Response:
    """For an admin with the camera's token in it. The header `Komi-Address` says what it reads, for people who type."""
    if not path.startswith("/") or path.startswith("//") or not path.isprintable() or "\\" in path:
        raise InvalidInput("'path' must be an address on this gateway, as in /ui/camera", reason="BAD_PATH")
    host = await asyncio.to_thread(_host, request)
    if is_loopback(host.strip("[]")):
        raise FailedPrecondition(
            "no other machine reaches this gateway: start it with --host 0.0.0.0", reason="LOOPBACK_ONLY"
        )
    port = f":{request.url.port}" if request.url.port else ""
    address = (
        f"{request.url.scheme}://{host}{port}{quote(path, safe='/?=&%')}{_token(request, gateway, path)}"
    )
    picture = io.BytesIO()
    segno.make(address, micro=False).save(picture, kind="svg", scale=8, border=4, light="#fff")
    return Response(
        picture.getvalue(),
        media_type="image/svg+xml",
        headers={"cache-control": "no-store", "komi-address": address},
    )


def _token(request: Request, gateway: Gateway, path: str) -> str:
    """Only who holds every token may hand one out in a picture."""
    if gateway.tokens is None or request.state.access != Scope.ADMIN:
        return ""
    return f"{'&' if '?' in path else '?'}token={gateway.tokens.of(Scope.CAMERA)}"


def _host(request: Request) -> str:
    """The name the caller used, unless only this machine knows it."""
    name = request.url.hostname or "127.0.0.1"
    bound = request.scope["server"][0] if request.scope.get("server") else ""
    if is_loopback(name) and not is_loopback(bound):
        name = bound
    elif is_loopback(name) and request.app.state.gateway.settings.host in ("0.0.0.0", "::"):
        name = own_address() or name
    return f"[{name}]" if ":" in name else name
