"""How many requests a peer may make: a bucket each that fills again with time. Pure: the caller reads the clock."""

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """`per_s` requests a second over time, `burst` of them at once."""

    per_s: float
    burst: int


class Buckets:
    """Buckets of one rate, by peer. Bounded: who was not seen for longest is forgotten, and starts with a full one."""

    def __init__(self, rate: Rate, *, peers: int = 4096) -> None:
        self._rate = rate
        self._peers = peers
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, peer: str, now_s: float) -> float:
        """Take one. 0: it was there; else nothing is taken, and seconds until it will be."""
        left, at_s = self._left.pop(peer, (float(self._rate.burst), now_s))
        left = min(self._rate.burst, left + (now_s - at_s) * self._rate.per_s)
        taken = left >= 1
        self._left[peer] = (left - taken, now_s)
        while len(self._left) > self._peers:
            self._left.popitem(last=False)
        return 0.0 if taken else (1 - left) / self._rate.per_s


def is_costly(method: str, path: str) -> bool:
    """Whether a request starts something that lasts: a session, a build, a calibration, a comparison, an import."""
    return method == "POST" and (
        path in ("/api/v1/sessions", "/api/v1/references", "/api/v1/references/import", "/api/v1/compare")
        or (path.startswith("/api/v1/references/") and path.endswith("/calibration"))
    )
