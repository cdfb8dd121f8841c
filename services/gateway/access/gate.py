"""Asks every request for its token, before anything else sees it."""

import time
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from services.gateway.access.rates import Buckets, Rate, is_costly
from services.gateway.access.rules import Guesses, is_own_name, is_page, needed
from services.gateway.errors import ForeignHost
from services.gateway.problems import answer_of
from services.mesh.errors import Exhausted, KomiError, PermissionDenied, Unauthenticated
from services.mesh.tokens import Scope as TokenScope
from services.mesh.tokens import Tokens, bearer

UNLIMITED = ("/healthz", "/readyz", "/metrics")
COOKIE = "komi_token"
COOKIE_S = 30 * 24 * 3600


class TokenGate:
    """Lets in who has a token for what they want: `Authorization: Bearer …`, `?token=…`, or the page's cookie.

    The page itself is nobody's secret and is served to everybody: it asks for the token when the API wants one. Opened
    with `?token=…` it gets that as a cookie and its address without it; with a wrong one it comes all the same, and says so.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens
        self._guesses = Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or refuse."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
        except KomiError as error:
            await refuse(answer_of(error), scope, receive, send)
            return
        answer = self._cookie_of_page(scope) if is_page(scope["type"], scope["path"]) else None
        await (answer or self._app)(scope, receive, send)

    def _cookie_of_page(self, scope: Scope) -> Response | None:
        """The redirect that hands out the cookie, where the page's address has a right token; None: the page itself."""
        token = _token_in_address(scope)
        try:
            return _with_cookie(scope, token) if token is not None and self._held(scope, token) else None
        except Exhausted:
            return None  # the page learns it from the API and says how long to wait

    def _held(self, scope: Scope, token: str) -> TokenScope | None:
        """What `token` is for; None: none of ours, which is counted. Raises Exhausted after too many of those."""
        address = scope["client"][0] if scope.get("client") else ""
        now_s = time.monotonic()
        wait_s = self._guesses.wait_s(address, now_s)
        if wait_s > 0:
            raise Exhausted(
                "too many wrong tokens from this address", reason="TOO_MANY_GUESSES", retry_after_s=wait_s
            )
        held = self._tokens.scope_of(token)
        if held is None:
            self._guesses.wrong(address, now_s)
        return held

    def _check(self, scope: Scope) -> None:
        """Raises KomiError for who may not make this request."""
        wanted = needed(scope["type"], scope.get("method", "GET"), scope["path"])
        if not wanted:
            return
        token = _token(scope)
        if token is None:
            raise Unauthenticated(
                "a token is needed here: open the address printed at the start, or send Authorization: Bearer …",
                reason="TOKEN_MISSING",
            )
        held = self._held(scope, token)
        if held is None:
            raise Unauthenticated("the token is none of this gateway's", reason="TOKEN_WRONG")
        scope.setdefault("state", {})["access"] = held
        if held not in wanted:
            raise PermissionDenied(
                f"this token is for {held}; this needs one for {' or '.join(sorted(wanted))}",
                reason="TOKEN_SCOPE",
            )


def _token(scope: Scope) -> str | None:
    """The token sent."""
    headers = Headers(scope=scope)
    token = bearer(headers.get("authorization", "")) or _token_in_address(scope)
    if token is not None:
        return token
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        cookie = None
    return cookie.value if cookie is not None else None


def _token_in_address(scope: Scope) -> str | None:
    """The token of `?token=…`."""
    pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1"))
    return next((value for name, value in pairs if name == "token"), None)


def _with_cookie(scope: Scope, token: str) -> Response:
    rest = [pair for pair in parse_qsl(scope["query_string"].decode("latin-1")) if pair[0] != "token"]
    answer = RedirectResponse(scope["path"] + (f"?{urlencode(rest)}" if rest else ""), 303)
    answer.set_cookie(
        COOKIE, token, max_age=COOKIE_S, httponly=True, samesite="strict", secure=scope["scheme"] == "https"
    )
    answer.headers["cache-control"] = "no-store"
    return answer


class RateGate:
    """Slows down who asks too much, per address and kind of token; what starts something that lasts has its own rate."""

    def __init__(self, app: ASGIApp, usual: Rate, costly: Rate) -> None:
        self._app = app
        self._usual = Buckets(usual)
        self._costly = Buckets(costly)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or refuse."""
        if scope["type"] in ("http", "websocket") and scope["path"] not in UNLIMITED:
            address = scope["client"][0] if scope.get("client") else ""
            peer = f"{address} {scope.get('state', {}).get('access', '')}"
            costly = is_costly(scope.get("method", "GET"), scope["path"])
            wait_s = (self._costly if costly else self._usual).wait_s(peer, time.monotonic())
            if wait_s > 0:
                error = Exhausted(
                    "too many requests from this address; try again in a moment, or raise "
                    f"--{'costly' if costly else 'requests'}-per-s",
                    reason="TOO_MANY_REQUESTS",
                    retry_after_s=wait_s,
                )
                await refuse(answer_of(error), scope, receive, send)
                return
        await self._app(scope, receive, send)


class OwnNames:
    """Where no token is asked for, at least the name must be ours: a stranger's page may not speak to us as its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or refuse."""
        if scope["type"] in ("http", "websocket"):
            host = Headers(scope=scope).get("host", "")
            if host and not is_own_name(host):
                await refuse(answer_of(ForeignHost(host)), scope, receive, send)
                return
        await self._app(scope, receive, send)


async def refuse(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a refusal, before the handshake where it is a WebSocket."""
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(answer)
    else:
        await answer(scope, receive, send)
