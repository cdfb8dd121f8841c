"""Where a frame's time went: milliseconds since the shutter, by stage."""

from komi.common.v1 import frame_pb2

# Stage, and whose clock it is on.
STAGES = (
    ("encoded", "capture"),
    ("sent", "capture"),
    ("received", "pose"),
    ("dequeued", "pose"),
    ("decoded", "pose"),
    ("inferred", "pose"),
    ("published", "pose"),
    ("ingested", "sync"),
    ("synced", "sync"),
    ("scored", "scoring"),
    ("pushed", "gateway"),
)
_FIELDS = tuple((stage, f"{stage}_monotonic_ns", f"{clock}_host_id") for stage, clock in STAGES)


def stages_ms(stamps: frame_pb2.StageStamps) -> dict[str, float]:
    """Milliseconds from `captured` to each stage that has happened.

    Stamps of another machine than the capture's cannot be compared and are left out; so is everything while the
    capture itself has no stamp.
    """
    captured_ns, host = stamps.captured_monotonic_ns, stamps.capture_host_id
    if not captured_ns or not host:
        return {}
    told = {}
    for stage, at, clock in _FIELDS:
        at_ns = getattr(stamps, at)
        if at_ns and getattr(stamps, clock) == host:
            told[stage] = round((at_ns - captured_ns) / 1e6, 3)
    return told


def stamped(stamps: frame_pb2.StageStamps, now_ns: int, host_id: int) -> frame_pb2.StageStamps:
    """A copy of `stamps` with `pushed` at this machine's monotonic instant `now_ns`."""
    copy = frame_pb2.StageStamps()
    copy.CopyFrom(stamps)
    copy.pushed_monotonic_ns, copy.gateway_host_id = now_ns, host_id
    return copy


def seconds_until_pushed(stamps: frame_pb2.StageStamps, since: str, clock: str) -> float | None:
    """Seconds from stage `since` (on `clock`'s host) to `pushed`; None where they cannot be compared."""
    at_ns = getattr(stamps, f"{since}_monotonic_ns")
    if not at_ns or getattr(stamps, f"{clock}_host_id") != stamps.gateway_host_id:
        return None
    return float(stamps.pushed_monotonic_ns - at_ns) / 1e9
