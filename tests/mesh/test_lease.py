"""A lease has one holder, and its token only grows."""

from services.mesh.lease import Lease
from services.mesh.redis import RedisClient
from tests.support.waiting import Eventually

KEY = "komi:{s}:lease"


async def test_only_one_of_two_holds_the_lease(redis: RedisClient) -> None:
    first, second = (Lease(redis, KEY, name, 60) for name in ("a", "b"))
    assert await first.acquire()
    assert not await second.acquire()
    assert 0 < second.free_in_s <= 60
    assert await first.renew()
    assert not await second.renew()


async def test_a_released_lease_is_free_at_once_and_the_token_grows(redis: RedisClient) -> None:
    first, second = (Lease(redis, KEY, name, 60) for name in ("a", "b"))
    await first.acquire()
    before = first.token
    await first.release()
    assert not first.held
    assert await second.acquire()
    assert second.token > before


async def test_a_lease_that_ran_out_passes_on_and_its_old_holder_learns_it(
    redis: RedisClient, eventually: Eventually
) -> None:
    first, second = Lease(redis, KEY, "a", 0.05), Lease(redis, KEY, "b", 60)
    await first.acquire()
    before = first.token
    await eventually(second.acquire, what="the lease running out")
    assert second.token > before
    assert not await first.renew()
    assert not first.held
    await first.release()
    assert await second.renew()


async def test_the_holder_that_asks_again_keeps_its_token(redis: RedisClient) -> None:
    lease = Lease(redis, KEY, "a", 60)
    await lease.acquire()
    token = lease.token
    assert await lease.acquire()
    assert lease.token == token


async def test_a_redis_that_forgot_its_scripts_is_taught_again(redis: RedisClient) -> None:
    lease = Lease(redis, KEY, "a", 60)
    await lease.acquire()
    await redis.script_flush()
    assert await lease.renew()
    await redis.script_flush()
    await lease.release()
    assert not await redis.exists(KEY)


async def test_leases_are_renewed_among_other_questions(redis: RedisClient) -> None:
    kept, lost = Lease(redis, KEY, "a", 60), Lease(redis, f"{KEY}:other", "a", 60)
    await kept.acquire()
    await lost.acquire()
    await redis.delete(lost.key)
    await redis.pexpire(kept.key, 20_000)
    async with redis.pipeline(transaction=False) as pipe:
        kept.ask_renewal(pipe)
        lost.ask_renewal(pipe)
        answers = await pipe.execute()
    assert [lease.renewed(answer) for lease, answer in zip((kept, lost), answers, strict=True)] == [
        True,
        False,
    ]
    assert (kept.held, lost.held) == (True, False)
    assert await redis.pttl(kept.key) > 20_000
