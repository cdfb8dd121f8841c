"""The join in Redis, on every server that is here: each change is whole or nothing. `python -m demo.fetch servers` gets
Redis 6.2 and Valkey beside the machine's own.
"""

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from demo.fetch import present_servers
from services.mesh import keys
from services.mesh.lease import Lease
from services.mesh.redis import RedisClient, connect
from services.sync.errors import Fenced, Moved
from services.sync.frames import Frame
from services.sync.store import Stored, SyncStore, Turn, arrivals_channel, lease_key, parse_arrival
from tests.support.redis_server import RedisServer
from tests.support.waiting import Eventually
from tests.sync.conftest import PATIENT, Start
from tests.sync.rig import make_pose, member_ids

SESSION = "live"


def _name(binary: Path) -> str:
    """Like redis-7.0.15 or valkey-9.1.2."""
    words = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.split()
    return f"{words[0].lower()}-{next(word[2:] for word in words if word.startswith('v='))}"


SERVERS = {_name(binary): binary for binary in present_servers()}


@pytest.fixture(params=list(SERVERS.values()), ids=list(SERVERS))
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    running = RedisServer(request.param, tmp_path, durable=True)
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def redis(server: RedisServer) -> AsyncIterator[RedisClient]:
    client = connect(server.url)
    yield client
    await client.aclose()


@pytest.fixture
async def store(redis: RedisClient) -> AsyncIterator[SyncStore]:
    store = SyncStore(redis, most_frames=4, keep_bytes=100_000, life_s=60, lease_s=30)
    yield store
    await store.aclose()


def frame(camera: str, number: int, time_us: int = 0) -> Frame:
    return Frame(time_us or 1000 * number, camera, 0, number, 7, f"{camera}{number}".encode())


def turn(
    before_us: int = 0,
    after_us: int = 0,
    *,
    sets_before: int = 0,
    sets: tuple[bytes, ...] = (),
    leaving: tuple[Frame, ...] = (),
    passing: tuple[Frame, ...] = (),
    staying: tuple[Frame, ...] = (),
    forget: tuple[str, ...] = (),
) -> Turn:
    return Turn((before_us, after_us), sets_before, sets, leaving, passing, staying, forget)


async def state(redis: RedisClient) -> list[object]:
    """Everything of the session, as it is kept."""
    parts = ("waiting", "poses", "meta", "out")
    return [await redis.dump(keys.session(SESSION, "sync", part)) for part in parts]


async def test_a_pose_is_stored_once_and_announced(redis: RedisClient, store: SyncStore) -> None:
    async with redis.pubsub(ignore_subscribe_messages=True) as heard:
        await heard.subscribe(arrivals_channel(SESSION))
        frames = [frame("a:|é", 1), frame("b", 1)]
        first = await store.ingest(SESSION, frames)
        again = await store.ingest(SESSION, frames)
        assert set(first.outcomes) == {Stored.STORED}
        assert set(again.outcomes) == {Stored.DUPLICATE}
        messages: list[tuple[int, Frame]] = []
        while len(messages) < 2:
            if message := await heard.get_message(timeout=30):
                messages.append(parse_arrival(message["data"]))
    assert messages == [(1, frames[0]), (2, frames[1])]
    assert [f.payload for _, f in messages] == [b"a:|\xc3\xa91", b"b1"]


async def test_a_turn_lets_out_what_leaves_and_stores_what_stays(
    redis: RedisClient, store: SyncStore
) -> None:
    await store.ingest(SESSION, [frame("a", 1), frame("late", 1)])
    assert (await store.claim(SESSION, 3, 0, 0)).frames == (frame("a", 1), frame("late", 1))
    done = await store.commit(
        SESSION,
        3,
        turn(
            0, 1500, sets=(b"one", b"two"), leaving=(frame("a", 1),),
            passing=(frame("b", 1),), staying=(frame("a", 2), frame("b", 2)), forget=(frame("late", 1).member,),
        ),
    )  # fmt: skip
    assert (done.announced, done.overflow, done.doubles) == (2, 0, frozenset())
    assert [fields[b"set"] for _, fields in await redis.xrange(keys.synced_sets(SESSION))] == [b"one", b"two"]
    claimed = await store.claim(SESSION, 4, 0, 0)
    assert claimed.frames == (frame("a", 2), frame("b", 2))
    assert [f.payload for f in claimed.frames] == [b"a2", b"b2"]
    assert (claimed.watermark_us, claimed.sets, claimed.emitted) == (1500, 2, {"a": (0, 1), "b": (0, 1)})
    assert claimed.last_arrivals_us == {"a": 7, "b": 7, "late": 7}
    late = await store.ingest(SESSION, [frame("a", 1), frame("c", 1), frame("c", 2)])
    assert late.outcomes == (Stored.DUPLICATE, Stored.LATE, Stored.STORED)
    assert all(
        [await redis.ttl(keys.session(SESSION, "sync", part)) > 0 for part in ("meta", "poses", "out")]
    )


async def test_a_turn_that_cannot_be_changes_nothing(redis: RedisClient, store: SyncStore) -> None:
    await store.claim(SESSION, 5, 2000, 9)
    await store.ingest(SESSION, [frame("a", 3)])
    before = await state(redis)
    new = (frame("b", 3),)
    with pytest.raises(Fenced):
        await store.commit(SESSION, 4, turn(2000, 3000, sets_before=9, sets=(b"x",), passing=new))
    with pytest.raises(Fenced):
        await store.claim(SESSION, 4, 0, 0)
    for impossible in (
        turn(1000, 3000, sets_before=9, sets=(b"x",), passing=new),
        turn(2000, 3000, sets_before=8, sets=(b"x",), passing=new),
        turn(2000, 3000, sets_before=9, sets=(b"x",), leaving=(frame("gone", 3),), staying=new),
    ):
        with pytest.raises(Moved):
            await store.commit(SESSION, 5, impossible)
    assert await state(redis) == before


async def test_what_another_replica_stored_before_is_told_and_leaves_with_its_set(
    redis: RedisClient, store: SyncStore
) -> None:
    await store.claim(SESSION, 1, 0, 0)
    await store.ingest(SESSION, [frame("a", 1), frame("a", 2)])
    done = await store.commit(
        SESSION,
        1,
        turn(0, 1000, sets=(b"x",), passing=(frame("a", 1), frame("b", 1)), staying=(frame("a", 2),)),
    )
    assert done.doubles == {frame("a", 1).member, frame("a", 2).member}
    assert (await store.claim(SESSION, 2, 0, 0)).frames == (frame("a", 2),)


async def test_a_turn_renews_the_lease_of_whoever_holds_it(redis: RedisClient, store: SyncStore) -> None:
    lease = Lease(redis, lease_key(SESSION), "a", 10.0)
    assert await lease.acquire()
    await store.claim(SESSION, lease.token, 0, 0)
    assert (await store.commit(SESSION, lease.token, turn(0, 1000, sets=(b"x",)))).renewed
    assert await redis.pttl(lease.key) > 20_000
    token = lease.token
    await lease.release()
    more = turn(1000, 2000, sets_before=1, sets=(b"y",))
    assert not (await store.commit(SESSION, token, more)).renewed
    assert not await redis.exists(lease.key)
    other = Lease(redis, lease_key(SESSION), "b", 10.0)
    assert await other.acquire()
    more = turn(2000, 3000, sets_before=2, sets=(b"z",))
    assert not (await store.commit(SESSION, token, more)).renewed
    assert await redis.pttl(other.key) <= 10_000


async def test_the_oldest_goes_when_more_wait_than_a_session_may_hold(
    redis: RedisClient, store: SyncStore
) -> None:
    assert (await store.ingest(SESSION, [frame("a", n) for n in range(1, 6)])).overflow == 1
    await store.claim(SESSION, 1, 0, 0)
    assert (await store.commit(SESSION, 1, turn(staying=(frame("b", 7), frame("b", 8))))).overflow == 2
    claimed = await store.claim(SESSION, 1, 0, 0)
    assert [f.sequence for f in claimed.frames] == [4, 5, 7, 8]
    assert await redis.hlen(keys.session(SESSION, "sync", "poses")) == 4


async def test_sync_runs_on_this_server_and_goes_on_after_its_death(
    server: RedisServer, redis: RedisClient, start: Start, eventually: Eventually
) -> None:
    replica = await start(server.url, **PATIENT | {"lateness_min_ms": 2_000, "lateness_max_ms": 2_000})

    async def emits(first: int) -> None:
        begin = await replica.now_us() - 500_000
        async with replica.ingest() as stream:
            for n in range(first, first + 10):
                at_us = begin + (n - first) * 33_333
                await stream.send(make_pose("front", n, at_us), make_pose("side", n, at_us + 2000))

            async def whole() -> bool:
                return {("front", 0, first + 9), ("side", 0, first + 9)} <= {
                    i for s in await replica.sets() for i in member_ids(s)
                }

            await eventually(whole, within=60, what="the last set")

    await emits(0)
    server.kill()
    server.start()

    async def back() -> bool:
        return bool(await replica.redis.ping())

    await eventually(back, within=60, what="the server")
    # Without a gap in the numbers, which would be waited for.
    await emits(10)
    sets = await replica.sets()
    assert [s.sequence for s in sets] == list(range(1, len(sets) + 1))
