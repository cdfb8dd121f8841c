"""Scripts over one connection: answered in order, refused by name, and never waited for without end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.mesh.redis import UNREACHABLE, RedisError, connect
from services.sync.pipeline import Pipeline, Script
from tests.support.redis_server import RedisServer

ECHO = Script("return {KEYS[1], ARGV[1]}")


@asynccontextmanager
async def pipeline(url: str, timeout_s: float = 60) -> AsyncIterator[Pipeline]:
    redis = connect(url)
    made = Pipeline(redis, timeout_s)
    try:
        yield made
    finally:
        await made.aclose()
        await redis.aclose()


async def test_each_of_many_calls_at_once_gets_its_own_answer(redis_url: str) -> None:
    async with pipeline(redis_url) as scripts:
        answers = await asyncio.gather(*(scripts.run(ECHO, ["a"], [n]) for n in range(50)))
    assert answers == [[b"a", str(n).encode()] for n in range(50)]


async def test_a_refused_script_is_an_error_of_its_caller_alone(redis_url: str) -> None:
    async with pipeline(redis_url) as scripts:
        wrong = Script("return redis.call('NO_SUCH_COMMAND')")
        answers = await asyncio.gather(
            scripts.run(ECHO, ["a"], [1]),
            scripts.run(wrong, ["a"], []),
            scripts.run(ECHO, ["a"], [2]),
            return_exceptions=True,
        )
    assert [answers[0], answers[2]] == [[b"a", b"1"], [b"a", b"2"]]
    assert isinstance(answers[1], RedisError)
    assert not isinstance(answers[1], UNREACHABLE)


async def test_a_caller_that_went_away_does_not_shift_the_answers(redis_url: str) -> None:
    async with pipeline(redis_url) as scripts:
        await scripts.run(ECHO, ["a"], [0])
        gone = asyncio.create_task(scripts.run(ECHO, ["a"], [1]))
        await asyncio.sleep(0)
        gone.cancel()
        assert await scripts.run(ECHO, ["a"], [2]) == [b"a", b"2"]


async def test_a_redis_that_hangs_is_given_up_and_found_again(own_redis: RedisServer) -> None:
    async with pipeline(own_redis.url, timeout_s=2) as scripts:
        await scripts.run(ECHO, ["a"], [0])
        own_redis.pause()
        try:
            with pytest.raises(UNREACHABLE):
                await scripts.run(ECHO, ["a"], [1])
        finally:
            own_redis.resume()
        # A Redis that was killed comes back without its scripts.
        own_redis.kill()
        own_redis.start()
        assert await scripts.run(ECHO, ["a"], [2]) == [b"a", b"2"]
