"""Following a session's scores in Redis."""

import asyncio
import re
from collections.abc import AsyncIterator

from services.mesh import keys
from services.mesh.errors import InvalidInput
from services.mesh.redis import RedisClient

BLOCK_MS = 250
BATCH = 32
_POSITION = re.compile(r"\d+-\d+")


class Watcher:
    """Reads score streams. Needs a client of its own: every watcher holds a connection while it waits."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._reads: set[asyncio.Task[object]] = set()
        self._stopping = False

    async def follow(self, session_id: str, after: str) -> AsyncIterator[tuple[str, bytes]]:
        """Position and ScoreUpdate of every score after `after` (empty: of every new one), until drained.

        Raises InvalidInput if `after` is no position.
        """
        if after and not _POSITION.fullmatch(after):
            raise InvalidInput(
                f"{after[:40]!r} is no position: use one that WatchScores gave", reason="BAD_POSITION"
            )
        key = keys.scores(session_id)
        position = after or await self._newest(key)
        while not self._stopping:
            for entry, fields in await self._read(key, position):
                position = entry.decode()
                yield position, fields[b"update"]

    async def drain(self) -> None:
        """End every `follow`, and wait for the reads whose callers have gone."""
        self._stopping = True
        if self._reads:
            await asyncio.wait(self._reads, timeout=1.0)

    async def _read(self, key: str, position: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
        # A read that is cancelled leaves a connection on which an answer is still to come, so it is let run out.
        read = asyncio.ensure_future(self._redis.xread({key: position}, count=BATCH, block=BLOCK_MS))
        self._reads.add(read)
        read.add_done_callback(self._forget)
        answer = await asyncio.shield(read)
        return answer[0][1] if answer else []

    def _forget(self, read: "asyncio.Task[object]") -> None:
        self._reads.discard(read)
        if not read.cancelled():
            read.exception()  # of a caller who has gone: nobody else will ask

    async def _newest(self, key: str) -> str:
        newest = await self._redis.xrevrange(key, count=1)
        return newest[0][0].decode() if newest else "0-0"
