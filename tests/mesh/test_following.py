"""Those who follow a stream are let go when the service drains, whatever Redis does."""

import asyncio
from contextlib import aclosing

from services.mesh.following import START, StreamFollower
from services.mesh.redis import connect
from tests.support.redis_server import RedisServer


async def test_who_follows_gets_every_entry_and_ends_when_drained(redis_url: str) -> None:
    async with aclosing(connect(redis_url)) as redis:
        follower = StreamFollower(redis)
        for number in range(3):
            await redis.xadd("news", {"field": str(number)})
        following = follower.follow("news", START, b"field")
        assert [(await anext(following))[1] for _ in range(3)] == [b"0", b"1", b"2"]
        waiting = asyncio.ensure_future(anext(following, None))
        await asyncio.sleep(0)
        await follower.drain()
        assert await waiting is None


async def test_a_read_that_redis_does_not_answer_ends_with_the_drain(own_redis: RedisServer) -> None:
    """It was left to itself, and connected anew under a client that was closed: nobody closed that connection."""
    async with aclosing(connect(own_redis.url)) as redis:
        follower = StreamFollower(redis)
        await redis.xadd("news", {"field": "first"})
        following = follower.follow("news", START, b"field")
        position, _ = await anext(following)
        assert position == await follower.newest("news")
        own_redis.pause()
        try:
            waiting = asyncio.ensure_future(anext(following, None))
            await asyncio.sleep(0)
            async with asyncio.timeout(9):  # a read that is left alone gives up after ten seconds
                await follower.drain()
                assert await waiting is None
        finally:
            own_redis.resume()
