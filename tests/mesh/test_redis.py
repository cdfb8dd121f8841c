"""Connections to Redis are bounded: who finds all of them in use waits for one, and not for ever."""

import asyncio
from contextlib import aclosing

import pytest

from services.mesh.redis import AT_ONCE_BYTES, UNREACHABLE, connect
from tests.support.redis_server import RedisServer


async def test_many_calls_at_once_share_few_connections(redis_url: str) -> None:
    async with aclosing(connect(redis_url, connections=2, timeout_s=30)) as redis:
        connections = await asyncio.gather(*(redis.client_id() for _ in range(100)))
        assert len(connections) == 100
        assert len(set(connections)) <= 2


async def test_a_call_gives_up_when_no_connection_comes_free_in_time(redis_url: str) -> None:
    async with aclosing(connect(redis_url, connections=1, timeout_s=0.2)) as redis:
        reading = asyncio.create_task(redis.blpop("nothing", timeout=1))
        await asyncio.sleep(0)  # it has taken the connection, and waits for it to be made
        with pytest.raises(UNREACHABLE, match="in use"):
            await redis.ping()
        assert await reading is None
        assert await redis.ping()


async def test_a_call_that_is_cancelled_while_it_waits_takes_nobodys_turn(redis_url: str) -> None:
    async with aclosing(connect(redis_url, connections=1, timeout_s=30)) as redis:
        reading = asyncio.create_task(redis.blpop("list", timeout=30))
        await asyncio.sleep(0)
        impatient, patient = (asyncio.create_task(redis.ping()) for _ in range(2))
        await asyncio.sleep(0)
        impatient.cancel()
        async with aclosing(connect(redis_url)) as other:
            await other.rpush("list", "end")
        assert await reading
        assert await patient
        with pytest.raises(asyncio.CancelledError):
            await impatient


async def test_commands_of_every_size_arrive_whole_and_in_order(redis_url: str) -> None:
    async with aclosing(connect(redis_url, connections=1)) as redis:
        for size in (1, AT_ONCE_BYTES - 100, AT_ONCE_BYTES, 5 << 20):
            assert await redis.echo(b"x" * size) == b"x" * size
        async with redis.pipeline(transaction=False) as pipe:
            for size in (1, 2 * AT_ONCE_BYTES, 2):
                pipe.echo(b"y" * size)
            assert [len(echo) for echo in await pipe.execute()] == [1, 2 * AT_ONCE_BYTES, 2]


async def test_a_call_after_redis_was_started_anew_finds_it(own_redis: RedisServer) -> None:
    async with aclosing(connect(own_redis.url, connections=1)) as redis:
        assert await redis.ping()
        own_redis.kill()
        with pytest.raises(UNREACHABLE):
            await redis.ping()
        own_redis.start()
        assert await redis.ping()
