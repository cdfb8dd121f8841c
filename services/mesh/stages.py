"""Per-frame evidence: monotonic stamps, the machine they belong to, and trace contexts."""

import random
import secrets
import time
import zlib
from pathlib import Path


def _host_id() -> int:
    # Containers of one machine share its boot, and so its CLOCK_MONOTONIC: their stamps may be subtracted.
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:
        boot = secrets.token_bytes(16)
    return zlib.crc32(boot) or 1


HOST_ID = _host_id()
"""Names this boot of this machine; goes into StageStamps.*_host_id."""

monotonic_ns = time.monotonic_ns
_UNDISTURBED_NS = 20_000
_READINGS = 10


def unix_minus_monotonic_ns() -> int:
    """What the wall clock is ahead of CLOCK_MONOTONIC, nanoseconds.

    A thread that is held up between two readings would be off by that; so it reads until it is not, ten times at most.
    """
    best_ns, narrowest_ns = 0, -1
    for _ in range(_READINGS):
        before_ns = monotonic_ns()
        unix_ns = time.time_ns()
        took_ns = monotonic_ns() - before_ns
        if narrowest_ns < 0 or took_ns < narrowest_ns:
            best_ns, narrowest_ns = unix_ns - before_ns - took_ns // 2, took_ns
        if took_ns <= _UNDISTURBED_NS:
            break
    return best_ns


def new_traceparent() -> str:
    """A W3C trace context (version 00, not sampled) with fresh random ids."""
    # Unlike a secret it needs no system call, and every frame has one.
    return f"00-{random.getrandbits(128) or 1:032x}-{random.getrandbits(64) or 1:016x}-00"
