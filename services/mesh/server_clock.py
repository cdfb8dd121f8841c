"""The server clock in this process: CLOCK_MONOTONIC measured against Redis TIME, so that every replica agrees."""

import asyncio
import contextlib

import structlog

from services.mesh.clock import REDIS_CALM_PERIODS, ClockEstimator, probe_delays
from services.mesh.errors import Unavailable
from services.mesh.redis import UNREACHABLE, RedisClient, RedisError, hide_password
from services.mesh.stages import monotonic_ns

log = structlog.get_logger()

PROBE_TIMEOUT_S = 1.0
FRESH_NS = 2_500_000_000
"""For so long after an answer Redis counts as there: a little longer than from one burst to the next."""


class ServerClock:
    """Reads the server clock without asking Redis each time. Start `run` with the service's Tasks.

    While Redis is away the clock goes on by its last line, and its uncertainty grows.
    """

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._estimator = ClockEstimator()
        self._ready = asyncio.Event()
        self._answered_ns = -FRESH_NS

    @property
    def ready(self) -> bool:
        """Whether the first burst is in."""
        return self._ready.is_set()

    @property
    def epoch(self) -> int:
        """Grows by one when the server clock (or this machine's) stepped."""
        return self._estimator.epoch

    @property
    def uncertainty_us(self) -> int:
        """Half-width of the interval around now_us() that holds Redis TIME, microseconds."""
        return self._estimator.map(monotonic_ns())[1]

    def now_us(self) -> int:
        """Server time, microseconds since the epoch. Raises Unavailable before the first burst is in."""
        return self.now_ns() // 1000

    def now_ns(self) -> int:
        """Server time, nanoseconds since the epoch. Raises Unavailable before the first burst is in."""
        return self.at_ns(monotonic_ns())

    def at_ns(self, local_monotonic_ns: int) -> int:
        """Server time at an instant of this process's CLOCK_MONOTONIC. Raises Unavailable as now_ns does."""
        if not self._ready.is_set():
            raise Unavailable(
                "the server clock is not measured yet, since Redis has not answered; try again in a second",
                reason="CLOCK_NOT_READY",
                retry_after_s=1.0,
            )
        return self._estimator.map_ns(local_monotonic_ns)

    async def wait_ready(self) -> None:
        """Return once the first burst is in."""
        await self._ready.wait()

    async def check(self) -> str | None:
        """For Readiness.add: what is waited for, None when the clock is there."""
        return None if self.ready else "the server clock is being measured"

    async def redis_check(self, url: str) -> str | None:
        """For Readiness.add: None while Redis at `url` answers. The clock's own probes tell; else it is asked."""
        if monotonic_ns() - self._answered_ns < FRESH_NS:
            return None
        with contextlib.suppress(*UNREACHABLE, TimeoutError):
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await self._redis.ping()
                return None
        return f"Redis at {hide_password(url)} does not answer"

    async def run(self) -> None:
        """Probe Redis TIME until cancelled."""
        for delay in probe_delays(lambda: self._estimator.calm, REDIS_CALM_PERIODS):
            await asyncio.sleep(delay)
            try:
                await self._probe()
            except (*UNREACHABLE, RedisError, TimeoutError):
                self._answered_ns = -FRESH_NS

    async def _probe(self) -> None:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            sent_ns = monotonic_ns()
            seconds, micros = await self._redis.time()
            back_ns = monotonic_ns()
        self._answered_ns = back_ns
        server_ns = (seconds * 1_000_000 + micros) * 1000
        if self._estimator.add(sent_ns, server_ns, server_ns, back_ns):
            log.warning("the server clock stepped", epoch=self._estimator.epoch)
        if self._estimator.ready:
            self._ready.set()
