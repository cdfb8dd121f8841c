"""What a request needs, which names are ours, and how often somebody may guess. Pure."""

import ipaddress
from collections import OrderedDict

from services.mesh.tokens import Scope


def is_page(kind: str, path: str) -> bool:
    """Whether this is one of the page's own files, which are nobody's secret. `kind` is the ASGI scope's type."""
    return kind == "http" and (path == "/ui" or path.startswith("/ui/"))


def needed(kind: str, method: str, path: str) -> frozenset[Scope]:
    """Scopes that may make this request; empty: no token is asked for.

    `kind` is the ASGI scope's type: http or websocket.
    """
    if kind == "websocket":
        camera = path == "/ws/camera" or path.startswith("/ws/v1/cameras/")
        return frozenset((Scope.ADMIN, Scope.CAMERA if camera else Scope.VIEW))
    if path in ("/healthz", "/readyz") or is_page(kind, path):
        return frozenset()
    if method in ("GET", "HEAD", "OPTIONS"):
        return frozenset((Scope.ADMIN, Scope.VIEW))
    return frozenset((Scope.ADMIN,))


def is_own_name(host_header: str) -> bool:
    """Whether a Host header names this machine in a way no stranger's domain can.

    A page of evil.example may have its name resolve to 127.0.0.1 and then speak to us as its own origin; an address,
    localhost, or a name without a dot cannot be such a name.
    """
    host = host_header.rpartition(":")[0] if host_header.rpartition("]")[2].count(":") else host_header
    host = host.strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." not in host
    return True


class Guesses:
    """Wrong tokens by address: so many a minute, no more. Bounded in addresses; the oldest is forgotten."""

    def __init__(self, *, most: int = 10, window_s: float = 60.0, addresses: int = 1024) -> None:
        self._most = most
        self._window_s = window_s
        self._addresses = addresses
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()

    def wait_s(self, address: str, now_s: float) -> float:
        """Seconds until `address` may try again; 0: at once."""
        recent = [at for at in self._wrong.get(address, ()) if now_s - at < self._window_s]
        return self._window_s - (now_s - recent[0]) if len(recent) >= self._most else 0.0

    def wrong(self, address: str, now_s: float) -> None:
        """`address` tried a token that is none."""
        recent = [at for at in self._wrong.pop(address, []) if now_s - at < self._window_s]
        self._wrong[address] = [*recent, now_s][-self._most :]
        while len(self._wrong) > self._addresses:
            self._wrong.popitem(last=False)
