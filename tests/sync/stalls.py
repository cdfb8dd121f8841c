"""How long this machine kept those who were ready waiting: what a limit in time has to be let off."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

STEP_S = 0.02
SOUND_S = 0.02
"""What a step may take longer on a machine that does keep up."""


class Stalls:
    """Looks all the time at how late the event loop is, and those that `ask` puts a question to."""

    def __init__(self, *ask: Callable[[], Awaitable[object]]) -> None:
        self._ask = ask
        self.total_ms = 0.0
        """Of all steps that took too long."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(STEP_S)
            await asyncio.gather(*(ask() for ask in self._ask))
            late_s = loop.time() - began - STEP_S
            if late_s > SOUND_S:
                self.total_ms += 1000 * late_s
