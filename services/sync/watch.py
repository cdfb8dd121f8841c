"""Following a session's output stream in Redis."""

from collections.abc import AsyncIterator

from services.mesh import keys
from services.mesh.errors import InvalidInput
from services.mesh.following import START, StreamFollower, is_position
from services.mesh.redis import RedisClient
from services.sync.errors import PositionGone


class Watcher:
    """Reads output streams, with a client of its own."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._streams = StreamFollower(redis)
        self.drain = self._streams.drain

    async def follow(self, session_id: str, after: str) -> AsyncIterator[tuple[str, bytes]]:
        """Position and SyncedSet of every set after position `after` (empty: of every new one), until drained.

        Raises InvalidInput: no position. Raises PositionGone: sets after it are no longer kept.
        """
        key = keys.synced_sets(session_id)
        position = await self._start(key, after)
        async for found in self._streams.follow(key, position, b"set"):
            yield found

    async def _start(self, key: str, after: str) -> str:
        if not after:
            return await self._streams.newest(key)
        if not is_position(after):
            raise InvalidInput(f"{after[:40]!r} is no position: use one that WatchSession gave")
        first = await self._redis.xrange(key, count=1)
        if after != START and first and _order(after) < _order(first[0][0].decode()):
            raise PositionGone(
                f"sets after {after} are no longer kept; start at {first[0][0].decode()} or anew"
            )
        return after


def _order(position: str) -> tuple[int, int]:
    milliseconds, _, number = position.partition("-")
    return int(milliseconds), int(number)
