"""What other replicas store is heard, whichever sessions are listened to and whenever that began."""

import asyncio

from services.mesh.redis import connect
from services.sync.feed import Feed
from tests.support.waiting import Eventually

CHANNELS = [f"komi:{{s{n}}}:sync:arrivals" for n in range(8)]


async def test_sessions_taken_over_at_once_are_all_heard(redis_url: str, eventually: Eventually) -> None:
    """Each made a connection of its own to subscribe on, and all but one of these were read by nobody."""
    redis = connect(redis_url)
    feed = Feed(redis)
    running = asyncio.create_task(feed.run())
    heard: set[str] = set()
    try:
        await asyncio.gather(
            *(feed.listen(channel, lambda _, name=channel: heard.add(name)) for channel in CHANNELS)  # type: ignore[misc]
        )

        async def all_heard() -> bool:
            for channel in CHANNELS:
                await redis.publish(channel, b"x")
            return heard == set(CHANNELS)

        await eventually(all_heard, what="a message of every session")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await redis.aclose()
