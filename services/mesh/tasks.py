"""Background work of a service: named, restarted when it fails, ended together."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import Counter

RESTARTS = Counter(
    "komi_task_failures_total", "Background tasks that failed and were started again", ["task"]
)

log = structlog.get_logger()


class Tasks:
    """Runs coroutines until `close`. A failed one is logged, counted and started again after a growing pause."""

    def __init__(self, *, first_pause_s: float = 0.1, longest_pause_s: float = 2.0) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._first_pause_s = first_pause_s
        self._longest_pause_s = longest_pause_s

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Run `work()` until it returns; `name` stands in logs and metrics."""
        task = asyncio.create_task(self._keep(name, work), name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        pause_s = self._first_pause_s
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await work()
            except Exception:
                RESTARTS.labels(name).inc()
                log.exception("background task failed; it starts again", task=name, pause_s=pause_s)
                if loop.time() - began > 10 * self._longest_pause_s:
                    pause_s = self._first_pause_s
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, self._longest_pause_s)
            else:
                return

    async def close(self) -> None:
        """Cancel everything and wait for it."""
        while self._running:
            for task in self._running:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                # Again if it must be: a library may take the cancellation for its own (redis does while it connects).
                await asyncio.wait(self._running, timeout=0.2)
