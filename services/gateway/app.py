"""Puts the routes, the errors and the middleware together."""

import time

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway import VERSION, metrics, problems
from services.gateway.access.gate import OwnNames, RateGate, TokenGate
from services.gateway.access.rates import Rate
from services.gateway.gateway import Gateway
from services.gateway.names import KeepSegments
from services.gateway.openapi import complete
from services.gateway.routes import (
    access_tokens,
    calibrations,
    camera_sockets,
    cameras,
    compare,
    docs,
    exercises,
    kept,
    live,
    operations,
    page,
    qr,
    reference_files,
    references,
    reports,
    sessions,
)
from services.gateway.security import SecurityHeaders, WebSocketOrigins

DESCRIPTION = """
KOMI watches a person move through one to eight cameras and tells them, live, how close they are to a reference
performance. Times are microseconds since the epoch on the server clock; unknown is null; every error is problem JSON.
The WebSocket protocols are in docs/api.md.
"""


def create_app(gateway: Gateway) -> FastAPI:
    """The ASGI application of `gateway`, which the caller starts and closes."""
    app = FastAPI(
        title="KOMI",
        version=VERSION,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_tags=[
            {"name": "kept", "description": "For clients of the former server; their shapes do not change."}
        ],
    )
    app.state.gateway = gateway
    problems.install(app)
    # reference_files before references: /builds/… and /import are no names of references.
    for module in (kept, access_tokens, cameras, sessions, calibrations, reports, reference_files, references, exercises,
                   compare, qr, operations, live, camera_sockets):  # fmt: skip
        app.include_router(module.router)
    docs.mount(app)
    page.mount(app)
    describe = app.openapi
    app.openapi = lambda: app.openapi_schema or complete(describe())  # type: ignore[method-assign]
    # The last added is the outermost.
    app.add_middleware(Measured)
    app.add_middleware(WebSocketOrigins, allowed=gateway.settings.cors_origins)
    app.add_middleware(
        RateGate,
        usual=Rate(gateway.settings.requests_per_s, max(1, round(4 * gateway.settings.requests_per_s))),
        costly=Rate(gateway.settings.costly_per_s, max(1, round(60 * gateway.settings.costly_per_s))),
    )
    if gateway.tokens is not None:
        app.add_middleware(TokenGate, tokens=gateway.tokens)
    else:
        app.add_middleware(OwnNames)
    if gateway.settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(gateway.settings.cors_origins),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=[
                "etag",
                "komi-address",
                "komi-frames",
                "location",
                "retry-after",
                "x-capture-time-us",
            ],
        )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(KeepSegments)
    return app


class Measured:
    """Times every request under its route, so that names of cameras do not become labels."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on and measure."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = time.perf_counter()
        try:
            await self._app(scope, receive, watch)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            metrics.REQUESTS.labels(route, scope["method"], status).observe(time.perf_counter() - began)
