"""What goes on beside a test for as long as a block runs."""

import asyncio
from types import TracebackType
from typing import Self


class Background:
    """`async with` it: `_run` is started, and cancelled at the end."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        raise NotImplementedError
