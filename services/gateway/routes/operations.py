"""Health, readiness, metrics."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.gateway.routes.access import TheGateway

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="Whether the process lives")
async def healthz() -> dict[str, str]:
    """Always 200 while the process answers."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    summary="Whether the mesh can be used through this gateway",
    responses={503: {"description": "What is waited for, by part"}},
)
async def readyz(gateway: TheGateway) -> JSONResponse:
    """200 once Redis and every neighbour was reached, and as long as Redis is; `degraded` names neighbours gone since."""
    ready = gateway.readiness.ready
    body: dict[str, Any] = {
        "ready": ready,
        "waiting_for": gateway.readiness.waiting_for,
        "degraded": gateway.upstream.waiting_for if ready else {},
    }
    return JSONResponse(body, 200 if ready else 503, headers=None if ready else {"retry-after": "1"})


@router.get("/metrics", summary="Prometheus metrics", response_class=Response)
async def metrics() -> Response:
    """Every metric of this process, with its unit in its help."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
