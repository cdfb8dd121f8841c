"""The server clock as this process knows it."""

import asyncio
from collections.abc import Callable

from komi.common.v1 import frame_pb2, stream_pb2
from services.mesh.clock import ClockEstimator
from services.mesh.stages import monotonic_ns, unix_minus_monotonic_ns
from services.mesh.times import put_timestamp

OwnClock = Callable[[int], int]
"""What a camera's own clock reads, nanoseconds, at an instant of CLOCK_MONOTONIC."""


def monotonic(instant_ns: int) -> int:
    """The clock of every camera that has none of its own."""
    return instant_ns


class ServerTime:
    """One estimate for all cameras of a clock, fed by the probes of all their streams.

    Most cameras share this machine's CLOCK_MONOTONIC and, whatever replica answers, the one server clock; so two frames
    of one instant get the very same server time. A camera with a clock of its own has an estimate of its own.
    """

    def __init__(self, own: OwnClock = monotonic, epoch: int = 0) -> None:
        self.own = own
        self._estimator = ClockEstimator(epoch)
        self._ready = asyncio.Event()

    @property
    def epoch(self) -> int:
        """Steps of either clock so far."""
        return self._estimator.epoch

    @property
    def ready(self) -> bool:
        """Whether the first burst is in."""
        return self._ready.is_set()

    @property
    def calm(self) -> bool:
        """Whether fewer probes do."""
        return self._estimator.calm

    async def wait_ready(self, timeout_s: float) -> None:
        """Return once the first burst is in, at the latest after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            return

    def add(self, reply: stream_pb2.ClockReply, back_ns: int) -> bool:
        """Take in a probe answered at `back_ns` (CLOCK_MONOTONIC). True: a clock stepped, and a new epoch begins."""
        stepped = self._estimator.add(
            reply.client_send_monotonic_ns,
            reply.server_receive_unix_ns,
            reply.server_send_unix_ns,
            self.own(back_ns),
            reply.server_uncertainty_us,
        )
        if self._estimator.ready:
            self._ready.set()
        return stepped

    def tell(self, time_: frame_pb2.CaptureTime, stamp_ns: int) -> None:
        """Put the instant `stamp_ns` of the camera's clock into `time_`; no server time while that is not known."""
        put_timestamp(time_.camera_time, (unix_minus_monotonic_ns() + stamp_ns) // 1000)
        if self.ready:
            server_us, time_.uncertainty_us = self._estimator.map(stamp_ns)
            put_timestamp(time_.server_time, server_us)
            time_.source = frame_pb2.TIME_SOURCE_CLOCK_PROBES

    def status(self, jitter_us: int) -> frame_pb2.ClockStatus | None:
        """State of the mapping. None: no burst is in yet."""
        if not self.ready:
            return None
        own_ns = self.own(monotonic_ns())
        return self._estimator.reading(own_ns, own_ns + unix_minus_monotonic_ns(), jitter_us).to_proto()

    @property
    def uncertainty_us(self) -> int | None:
        """How far the server time of now may be off, microseconds. None: it is not known at all."""
        return self._estimator.map(self.own(monotonic_ns()))[1] if self.ready else None
