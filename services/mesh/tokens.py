"""Tokens and what they are for. Pure.

One secret, `KOMI_API_TOKEN`, opens everything; a token for looking and one for cameras are derived from it, so that
every service with the same secret knows the same three.
"""

import base64
import hashlib
import hmac
import ipaddress
from enum import StrEnum

TOKEN_CHARACTERS = 32
LEAST_SECRET = 16


class Scope(StrEnum):
    """What a token is for."""

    VIEW = "view"
    """Look: whatever changes nothing."""
    CAMERA = "camera"
    """Be a camera, and open the page that is one."""
    ADMIN = "admin"
    """Everything."""


class Tokens:
    """The three tokens of one secret. The secret is the admin's; the others do not give it away."""

    def __init__(self, secret: str) -> None:
        self._by_scope = {Scope.ADMIN: secret} | {
            scope: _derived(secret, scope) for scope in (Scope.VIEW, Scope.CAMERA)
        }

    def of(self, scope: Scope) -> str:
        """The token for `scope`."""
        return self._by_scope[scope]

    def scope_of(self, token: str) -> Scope | None:
        """What `token` is for; None: it is none of ours. Takes the same time for every token."""
        found = None
        for scope, known in self._by_scope.items():
            if hmac.compare_digest(token.encode(), known.encode()):
                found = scope
        return found


def bearer(authorization: str) -> str | None:
    """The token of an `Authorization: Bearer …`; None: there is none in it."""
    kind, _, token = authorization.partition(" ")
    return token.strip() or None if kind.lower() == "bearer" else None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _derived(secret: str, scope: Scope) -> str:
    digest = hmac.digest(secret.encode(), f"komi token: {scope}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode()[:TOKEN_CHARACTERS]
