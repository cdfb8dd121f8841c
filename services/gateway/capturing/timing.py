"""When a WebSocket camera's shutter opened, on the server clock. Pure: the caller reads the clocks."""

from komi.common.v1 import frame_pb2
from services.mesh.clock import ArrivalFallback, ClockEstimator
from services.mesh.times import from_timestamp, to_timestamp

MOST_PROBES = 16
"""Probes on their way; older ones are given up."""
OLDEST_US = 20_000_000
"""No frame is on its way for longer; pose refuses those older than half a minute."""


class KeptTiming:
    """A former client's own wall-clock timestamps, by the windowed minimum of their delay; else the arrival."""

    def __init__(self) -> None:
        self._fallback = ArrivalFallback()

    @property
    def epoch(self) -> int:
        """Grows when the client's clock steps."""
        return self._fallback.epoch

    def map(self, client_s: float | None, arrival_us: int) -> frame_pb2.CaptureTime:
        """`client_s`: seconds of the client's clock. `arrival_us`: server clock."""
        if client_s is None:
            return arrival(arrival_us)
        client_us = round(client_s * 1e6)
        time = _plausible(
            *self._fallback.map(client_us, arrival_us), arrival_us, frame_pb2.TIME_SOURCE_CLIENT_TIMESTAMPS
        )
        time.camera_time.CopyFrom(to_timestamp(client_us))
        return time


class BrowserTiming:
    """A page's monotonic clock, measured by probes the gateway sends and the page echoes.

    A probe sent at s0 and back at s3 (server clock), echoed at c (the page's), bounds the offset by
    s0 - c <= server - page <= s3 - c. A probe of the page's own, sent half a round trip before c, answered at once in
    the middle of s0 and s3, and back half a round trip after c, says the same, and is what the estimator gets.
    """

    def __init__(self) -> None:
        self._estimator = ClockEstimator()
        self._fallback = ArrivalFallback()
        self._sent: dict[int, int] = {}
        self._next_id = 0

    @property
    def epoch(self) -> int:
        """Grows when one of the clocks steps."""
        return self._estimator.epoch + self._fallback.epoch

    def probe(self, server_ns: int) -> int:
        """Number of a probe that is sent now."""
        self._next_id += 1
        self._sent[self._next_id] = server_ns
        while len(self._sent) > MOST_PROBES:
            del self._sent[next(iter(self._sent))]
        return self._next_id

    def reply(self, probe_id: int, client_ms: float, server_ns: int) -> None:
        """A probe came back; one that was not sent, or was given up, is ignored."""
        sent_ns = self._sent.pop(probe_id, None)
        if sent_ns is None or server_ns < sent_ns:
            return
        client_ns, half_ns = round(client_ms * 1e6), (server_ns - sent_ns) // 2
        middle_ns = sent_ns + half_ns
        self._estimator.add(client_ns - half_ns, middle_ns, middle_ns, client_ns + half_ns)

    def map(self, client_ms: float | None, arrival_us: int) -> frame_pb2.CaptureTime:
        """`client_ms`: performance.now() at the capture. `arrival_us`: server clock."""
        if client_ms is None:
            return arrival(arrival_us)
        client_us = round(client_ms * 1000)
        if not self._estimator.ready:
            server_us, uncertainty_us = self._fallback.map(client_us, arrival_us)
            source = frame_pb2.TIME_SOURCE_CLIENT_TIMESTAMPS
        else:
            server_us, uncertainty_us = self._estimator.map(client_us * 1000)
            source = frame_pb2.TIME_SOURCE_CLOCK_PROBES
        return _plausible(min(server_us, arrival_us), uncertainty_us, arrival_us, source)

    def status(self, client_ms: float) -> frame_pb2.ClockStatus | None:
        """State of the mapping; the offset is to the page's monotonic clock, since it has no other. None: not yet."""
        if not self._estimator.ready:
            return None
        client_ns = round(client_ms * 1e6)
        return self._estimator.reading(client_ns, client_ns).to_proto()


def _plausible(
    server_us: int, uncertainty_us: int, arrival_us: int, source: frame_pb2.TimeSource.ValueType
) -> frame_pb2.CaptureTime:
    """The mapped time; the arrival where no frame can have been on its way for so long: the client's clock jumped."""
    if arrival_us - server_us > OLDEST_US:
        return arrival(arrival_us)
    return frame_pb2.CaptureTime(
        server_time=to_timestamp(server_us), uncertainty_us=uncertainty_us, source=source
    )


def arrival(arrival_us: int) -> frame_pb2.CaptureTime:
    """The time of arrival stands in."""
    return frame_pb2.CaptureTime(server_time=to_timestamp(arrival_us), source=frame_pb2.TIME_SOURCE_ARRIVAL)


def age_us(time: frame_pb2.CaptureTime, now_us: int) -> int:
    """How long ago the shutter opened, microseconds."""
    return max(0, now_us - from_timestamp(time.server_time))
