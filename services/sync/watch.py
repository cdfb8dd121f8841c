"""Following a session's output stream in Redis."""

import asyncio
import re
from collections.abc import AsyncIterator

from services.mesh import keys
from services.mesh.errors import InvalidInput
from services.mesh.redis import RedisClient
from services.sync.errors import PositionGone

BLOCK_MS = 250
BATCH = 64
_POSITION = re.compile(r"\d+-\d+")


class Watcher:
    """Reads output streams. Needs a client of its own: every follower holds a connection while it waits."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._reads: set[asyncio.Task[object]] = set()

    async def follow(
        self, session_id: str, after: str, stop: asyncio.Event
    ) -> AsyncIterator[tuple[str, bytes]]:
        """Position and SyncedSet of every set after position `after` (empty: of every new one), until `stop`.

        Raises InvalidInput: no position. Raises PositionGone: sets after it are no longer kept.
        """
        key = keys.synced_sets(session_id)
        position = await self._start(key, after)
        while not stop.is_set():
            for _, entries in await self._read(key, position):
                for entry, fields in entries:
                    position = entry.decode()
                    yield position, fields[b"set"]

    async def drain(self) -> None:
        """Wait for the reads whose callers have gone: on a client that is closed under it a read connects anew."""
        if self._reads:
            await asyncio.wait(self._reads, timeout=1.0)

    async def _read(
        self, key: str, position: str
    ) -> list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]:
        # A read that is cancelled leaves a connection on which an answer is still to come, so it is let run out.
        read = asyncio.ensure_future(self._redis.xread({key: position}, count=BATCH, block=BLOCK_MS))
        self._reads.add(read)
        read.add_done_callback(self._forget)
        return await asyncio.shield(read) or []

    def _forget(self, read: "asyncio.Task[object]") -> None:
        self._reads.discard(read)
        if not read.cancelled():
            read.exception()  # of a caller who has gone: nobody else will ask

    async def _start(self, key: str, after: str) -> str:
        if not after:
            last = await self._redis.xrevrange(key, count=1)
            return last[0][0].decode() if last else "0-0"
        if not _POSITION.fullmatch(after):
            raise InvalidInput(f"{after[:40]!r} is no position: use one that WatchSession gave")
        first = await self._redis.xrange(key, count=1)
        if after != "0-0" and first and _order(after) < _order(first[0][0].decode()):
            raise PositionGone(
                f"sets after {after} are no longer kept; start at {first[0][0].decode()} or anew"
            )
        return after


def _order(position: str) -> tuple[int, int]:
    milliseconds, _, number = position.partition("-")
    return int(milliseconds), int(number)
