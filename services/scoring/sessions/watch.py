"""Following a session's scores in Redis."""

from collections.abc import AsyncIterator

from services.mesh import keys
from services.mesh.errors import InvalidInput
from services.mesh.following import StreamFollower, is_position
from services.mesh.redis import RedisClient


class Watcher:
    """Reads score streams, with a client of its own."""

    def __init__(self, redis: RedisClient) -> None:
        self._streams = StreamFollower(redis)
        self.drain = self._streams.drain

    async def follow(self, session_id: str, after: str) -> AsyncIterator[tuple[str, bytes]]:
        """Position and ScoreUpdate of every score after `after` (empty: of every new one), until drained.

        Raises InvalidInput if `after` is no position.
        """
        if after and not is_position(after):
            raise InvalidInput(
                f"{after[:40]!r} is no position: use one that WatchScores gave", reason="BAD_POSITION"
            )
        key = keys.scores(session_id)
        position = after or await self._streams.newest(key)
        async for found in self._streams.follow(key, position, b"update"):
            yield found
