"""Who may call what over gRPC: the token in `authorization` metadata, asked for before a call reaches its service."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc

from services.mesh.calls import Handler, like
from services.mesh.errors import KomiError, PermissionDenied, Unauthenticated
from services.mesh.tokens import Scope, Tokens, bearer

OPEN = ("/grpc.health.v1.Health/", "/grpc.reflection.")
"""Probes have no token, and the protos are nobody's secret."""
LOOKING = ("Get", "List", "Watch", "Export")
"""How the names of calls begin that change nothing, channelz apart: it shows who is connected from where."""
OF_CAMERAS = ("/komi.pose.v1.PoseService/StreamPoses",)


def needed(method: str) -> frozenset[Scope]:
    """Scopes that may call `/package.Service/Method`; empty: no token is asked for."""
    if method.startswith(OPEN):
        return frozenset()
    if method in OF_CAMERAS:
        return frozenset((Scope.ADMIN, Scope.CAMERA))
    service, _, name = method.rpartition("/")
    if service.startswith("/komi.") and name.startswith(LOOKING):
        return frozenset((Scope.ADMIN, Scope.VIEW))
    return frozenset((Scope.ADMIN,))


class TokenInterceptor(grpc.aio.ServerInterceptor):
    """Refuses calls that bring no token, a wrong one or one for something else.

    Nothing slows down who guesses: a token of 16 random characters is not found by trying, and a limit by address
    would let one of our own machines lock out its neighbours.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        error = self._error(handler_call_details)
        return handler if error is None else _refusing(handler, error)

    def _error(self, call: grpc.HandlerCallDetails) -> KomiError | None:
        wanted = needed(call.method)
        if not wanted:
            return None
        sent = [str(value) for name, value in call.invocation_metadata or () if name == "authorization"]
        token = bearer(sent[0]) if sent else None
        if token is None:
            return Unauthenticated(
                "a token is needed here: send it as metadata, authorization: Bearer …; KOMI's own services send "
                "KOMI_API_TOKEN",
                reason="TOKEN_MISSING",
            )
        held = self._tokens.scope_of(token)
        if held is None:
            return Unauthenticated(
                "the token is none of this service's: both sides need the same KOMI_API_TOKEN",
                reason="TOKEN_WRONG",
            )
        if held not in wanted:
            return PermissionDenied(
                f"this token is for {held}; this needs one for {' or '.join(sorted(wanted))}",
                reason="TOKEN_SCOPE",
            )
        return None


def _refusing(handler: Handler, error: KomiError) -> Handler:
    """A handler that only says `error`, and does not even read what was sent."""

    async def unary(_request: Any, _context: Any) -> Any:
        raise error

    async def stream(_request: Any, _context: Any) -> AsyncIterator[Any]:
        for _ in ():
            yield
        raise error

    return like(handler, stream if handler.response_streaming else unary, read=False)
