"""Plain calls share one connection. Of those for calls that wait in Redis there are few: who finds all of them in use
waits for one, and not for ever.
"""

import asyncio
from contextlib import aclosing, suppress

import pytest
from redis.exceptions import NoScriptError

from services.mesh.redis import AT_ONCE_BYTES, UNREACHABLE, RedisError, connect
from tests.support.redis_server import RedisServer
from tests.support.waiting import Eventually


async def test_many_calls_at_once_share_few_connections(redis_url: str) -> None:
    async with aclosing(connect(redis_url, connections=2, timeout_s=30)) as redis:
        connections = await asyncio.gather(*(redis.client_id() for _ in range(100)))
        assert len(connections) == 100
        assert len(set(connections)) <= 2


async def test_a_call_gives_up_when_no_connection_comes_free_in_time(redis_url: str) -> None:
    async with aclosing(connect(redis_url, connections=1, timeout_s=30)) as redis:
        redis.connection_pool._wait_s = 0.2
        reading = asyncio.create_task(redis.blpop("nothing", timeout=1))
        await asyncio.sleep(0)  # it has taken the connection, and waits for it to be made
        with pytest.raises(UNREACHABLE, match="in use"):
            await redis.xread({"stream": "0"}, block=1)
        assert await redis.ping(), "a plain call needs none of them"
        assert await reading is None
        assert not await redis.xread({"stream": "0"}, block=1)


async def test_a_call_that_is_cancelled_while_it_waits_takes_nobodys_turn(redis_url: str) -> None:
    async with aclosing(connect(redis_url, connections=1, timeout_s=30)) as redis:
        await redis.xadd("stream", {"field": "value"})
        reading = asyncio.create_task(redis.blpop("list", timeout=30))
        await asyncio.sleep(0)
        impatient, patient = (asyncio.create_task(redis.xread({"stream": "0"}, block=1)) for _ in range(2))
        await asyncio.sleep(0)
        impatient.cancel()
        await redis.rpush("list", "end")
        assert await reading
        assert await patient
        with pytest.raises(asyncio.CancelledError):
            await impatient


async def test_commands_of_every_size_arrive_whole_and_in_order(redis_url: str) -> None:
    async with aclosing(connect(redis_url, connections=1, timeout_s=30)) as redis:
        sizes = (1, AT_ONCE_BYTES - 100, AT_ONCE_BYTES, 5 << 20)
        for size in sizes:
            assert await redis.echo(b"x" * size) == b"x" * size
        at_once = await asyncio.gather(*(redis.echo(bytes([65 + n]) * sizes[n % 3]) for n in range(30)))
        assert at_once == [bytes([65 + n]) * sizes[n % 3] for n in range(30)]
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


async def test_commands_sent_together_are_answered_in_their_order_and_after_redis_was_started_anew(
    own_redis: RedisServer,
) -> None:
    async with aclosing(connect(own_redis.url)) as redis:
        assert await redis.together(("ECHO", "a"), ("ECHO", "b")) == [b"a", b"b"]
        own_redis.kill()
        with pytest.raises(UNREACHABLE):
            await redis.together(("ECHO", "a"), ("ECHO", "b"))
        own_redis.start()
        assert await redis.together(("ECHO", "c"), ("ECHO", "d")) == [b"c", b"d"]
        with pytest.raises(RedisError):
            await redis.together(("NOSUCH",), ("ECHO", "e"))
        assert await redis.together(("ECHO", "f")) == [b"f"]


async def test_who_cancels_a_call_leaves_the_answers_of_the_others_in_their_places(redis_url: str) -> None:
    async with aclosing(connect(redis_url)) as redis:
        await redis.ping()
        calls = [asyncio.create_task(redis.echo(str(number))) for number in range(20)]
        await asyncio.sleep(0)  # all are sent
        for call in calls[::3]:
            call.cancel()
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert [answer for answer in found if isinstance(answer, bytes)] == [
            b"%d" % number for number in range(20) if number % 3
        ]


async def test_what_redis_refuses_is_told_to_who_asked_and_to_nobody_else(redis_url: str) -> None:
    async with aclosing(connect(redis_url)) as redis:
        refused = asyncio.create_task(redis.evalsha("0" * 40, 0))
        answered = asyncio.create_task(redis.echo("here"))
        with pytest.raises(NoScriptError):
            await refused
        assert await answered == b"here"


async def test_a_redis_that_stands_still_is_taken_for_away(
    own_redis: RedisServer, eventually: Eventually
) -> None:
    async with aclosing(connect(own_redis.url, read_timeout_s=0.5)) as redis:

        async def answers() -> bool:
            with suppress(*UNREACHABLE):
                return bool(await redis.ping())
            return False

        await eventually(answers, what="an answer")
        own_redis.pause()
        try:
            with pytest.raises(UNREACHABLE, match="has not answered"):
                await redis.ping()
        finally:
            own_redis.resume()
        await eventually(answers, what="an answer")


async def test_a_link_answers_in_the_order_of_the_calls_though_one_of_them_waits(redis_url: str) -> None:
    async with aclosing(connect(redis_url)) as redis:
        link = await redis.link()
        added = link.call("XADD", "news", "*", "field", "first")
        reading = link.call("XREAD", "BLOCK", 30_000, "STREAMS", "news", await added)
        await redis.xadd("news", {"field": "second"})
        ((_, fields),) = (await reading)[b"news"]
        assert fields == [b"field", b"second"]
        waiting = link.call("XREAD", "BLOCK", 30_000, "STREAMS", "news", "$")
        await link.aclose()
        with pytest.raises(UNREACHABLE):
            await waiting
        with pytest.raises(UNREACHABLE):
            await link.call("PING")


@pytest.mark.parametrize("what", ["link", "read"])
async def test_who_is_cancelled_while_a_connection_is_made_is_cancelled_at_whichever_step(
    redis_url: str, what: str
) -> None:
    """redis-py waits for its writes by asyncio.wait_for, which before Python 3.12 gives its result to who is cancelled just
    as it comes: a session's worker went on after its service had closed, on a connection that nobody closed.
    """
    for steps in range(1, 60):
        async with aclosing(connect(redis_url)) as redis:
            job = redis.link() if what == "link" else redis.xread({"stream": "$"}, block=1)
            connecting = asyncio.ensure_future(job)
            for _ in range(steps):
                await asyncio.sleep(0)
            if connecting.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await connecting
            elif what == "link":
                await connecting.result().aclose()


async def test_a_call_that_waits_when_the_client_is_closed_makes_no_other_connection(
    own_redis: RedisServer,
) -> None:
    """It tried once more, as after a connection that broke: on a link that nobody closed."""
    redis = connect(own_redis.url)
    assert await redis.ping()
    own_redis.pause()
    waiting = [
        asyncio.create_task(redis.ping()),
        asyncio.create_task(redis.together(("ECHO", "a"), ("ECHO", "b"))),
    ]
    await asyncio.sleep(0)  # they are sent
    closing = asyncio.create_task(redis.aclose())
    await asyncio.sleep(0)
    own_redis.resume()
    await closing
    for call in waiting:
        with pytest.raises(UNREACHABLE, match="closed"):
            await call
    with pytest.raises(UNREACHABLE, match="closed"):
        await redis.ping()
