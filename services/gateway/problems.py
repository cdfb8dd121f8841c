"""RFC 9457: every error leaves as problem JSON, from one place."""

import math
from collections.abc import Mapping
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException

from services.gateway import metrics
from services.gateway.documents.base import Problem
from services.mesh.errors import Exhausted, KomiError, Unavailable
from services.mesh.redis import UNREACHABLE

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
TYPES = "https://komi.invalid/problems/"
REDIS_AWAY = Unavailable(
    "Redis cannot be reached; try again when it is back", reason="REDIS_UNREACHABLE", retry_after_s=1.0
)


def problem_of(error: KomiError) -> Problem:
    """The problem document of an error."""
    status = error.http_status
    return Problem(
        type=TYPES + error.reason.lower().replace("_", "-"),
        title=status.phrase,
        status=status,
        detail=error.message,
        reason=error.reason,
    )


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The HTTP answer of a problem, counted."""
    metrics.PROBLEMS.labels(problem.reason).inc()
    return Response(
        problem.model_dump_json(exclude_none=True),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


def answer_of(error: KomiError) -> Response:
    """The HTTP answer of an error; 429 and 503 say when to try again."""
    wait_s = error.retry_after_s
    if wait_s is None and isinstance(error, (Unavailable, Exhausted)):
        wait_s = 1.0
    return answer(
        problem_of(error), {"retry-after": str(max(1, math.ceil(wait_s)))} if wait_s is not None else None
    )


def as_komi_error(error: Exception) -> KomiError | None:
    """The KomiError behind an exception; None: it is unexpected."""
    if isinstance(error, KomiError):
        return error
    if isinstance(error, (*UNREACHABLE, RedisError)):
        return REDIS_AWAY
    return None


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem."""

    async def domain(_request: Request, error: Exception) -> Response:
        known = as_komi_error(error)
        if known is None:
            raise error
        return answer_of(known)

    async def invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        # Neither the input nor the context may come back: the first is the caller's, the second not always JSON.
        fields = [
            {"where": [str(part) for part in detail["loc"]], "message": detail["msg"], "kind": detail["type"]}
            for detail in error.errors()
        ]
        told = "; ".join(f"{'.'.join(field['where'])}: {field['message']}" for field in fields)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return answer(
            Problem(
                type=TYPES + "validation",
                title=status.phrase,
                status=status,
                detail=f"the request cannot be used: {told}"[:2000],
                reason="VALIDATION",
                errors=fields,
            )
        )

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = HTTPStatus(error.status_code)
        reason = {HTTPStatus.NOT_FOUND: "NO_SUCH_ADDRESS"}.get(status, status.name)
        detail = str(error.detail)
        if status is HTTPStatus.NOT_FOUND:
            detail = f"nothing is at {request.url.path[:200]}: see /docs for what there is"
        return answer(
            Problem(
                type=TYPES + reason.lower().replace("_", "-"),
                title=status.phrase,
                status=status,
                detail=detail,
                reason=reason,
            ),
            error.headers,
        )

    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("request failed unexpectedly", path=request.url.path, exc_info=error)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return answer(
            Problem(
                type=TYPES + "internal",
                title=status.phrase,
                status=status,
                detail="the gateway failed unexpectedly; its log says more",
                reason="INTERNAL",
            )
        )

    app.add_exception_handler(KomiError, domain)
    for kind in (*UNREACHABLE, RedisError):
        app.add_exception_handler(kind, domain)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)
