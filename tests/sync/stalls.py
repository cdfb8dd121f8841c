"""How long this machine kept those who were ready waiting: what a limit in time has to be let off."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.sync.background import Background

STEP_S = 0.02
SOUND_S = 0.02
"""What a step may take longer on a machine that does keep up."""


class Stalls(Background):
    """Looks all the time at how late the event loop is, and those that `ask` puts a question to."""

    def __init__(self, *ask: Callable[[], Awaitable[object]]) -> None:
        self._ask = ask
        self.total_ms = 0.0
        """Of all steps that took too long."""

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(STEP_S)
            await asyncio.gather(*(ask() for ask in self._ask))
            late_s = loop.time() - began - STEP_S
            if late_s > SOUND_S:
                self.total_ms += 1000 * late_s
