"""Following a stream in Redis on behalf of those who watch a session."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, Final

from services.mesh.redis import RedisClient

START: Final = "0-0"
"""Before the first entry."""
BLOCK_MS = 250
BATCH = 64
_POSITION: Final = re.compile(r"\d+-\d+")


def is_position(text: str) -> bool:
    """Whether `text` names a place in a stream."""
    return _POSITION.fullmatch(text) is not None


class StreamFollower:
    """Reads streams. Needs a client of its own: every `follow` holds a connection while it waits."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._reads: set[asyncio.Task[Any]] = set()
        self._stopping = False

    async def newest(self, key: str) -> str:
        """Position of the last entry; START: there is none."""
        newest = await self._redis.xrevrange(key, count=1)
        return newest[0][0].decode() if newest else START

    async def follow(self, key: str, position: str, field: bytes) -> AsyncIterator[tuple[str, bytes]]:
        """Position and `field` of every entry after `position`, as they come, until drained."""
        while not self._stopping:
            for _, entries in await self._read(key, position):
                for entry, fields in entries:
                    position = entry.decode()
                    yield position, fields[field]

    async def drain(self) -> None:
        """End every `follow`, and every read, also one whose caller has gone: under a client that is closed it would
        connect anew, and nobody would close that.
        """
        self._stopping = True
        reads = set(self._reads)
        if reads:
            await asyncio.wait(reads, timeout=1.0)
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)

    async def _read(
        self, key: str, position: str
    ) -> list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]:
        # A read that is cancelled leaves a connection on which an answer is still to come, so it is let run out.
        read = asyncio.ensure_future(self._redis.xread({key: position}, count=BATCH, block=BLOCK_MS))
        self._reads.add(read)
        read.add_done_callback(self._forget)
        try:
            return await asyncio.shield(read) or []
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if read.cancelled() and (task is None or not task.cancelling()):
                return []  # drained, not we
            raise

    def _forget(self, read: "asyncio.Task[Any]") -> None:
        self._reads.discard(read)
        if not read.cancelled():
            read.exception()  # of a caller who has gone: nobody else will ask
