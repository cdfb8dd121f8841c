"""A replica that gives its sessions up leaves nothing under a lease it no longer has."""

import asyncio
import time
from typing import Any

import pytest

from services.mesh.lease import Lease
from services.mesh.redis import connect
from services.mesh.server_clock import ServerClock
from services.mesh.sessions import SessionStore
from services.mesh.tasks import Tasks
from services.sync.config import SyncSettings
from services.sync.feed import Feed
from services.sync.holder import Holder
from services.sync.load import Load
from services.sync.parts import Parts
from services.sync.pulse import Pulse
from services.sync.sessions import Sessions
from services.sync.store import SyncStore, lease_key
from services.sync.worker import SessionWorker
from tests.support.waiting import Eventually
from tests.sync.conftest import Start
from tests.sync.rig import make_pose


async def test_a_session_given_up_while_it_is_taken_over_lets_no_set_out_before_its_next_holder(
    start: Start, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """A session nobody had held was taken over with fencing token 0, that of who holds nothing, and let its set out."""
    begun, given_up, stood_back = asyncio.Event(), asyncio.Event(), asyncio.Event()
    listen, load, stand_back = Feed.listen, Holder.load, SessionWorker._stand_back
    tokens: list[int] = []

    async def slowly(self: Feed, *arguments: Any) -> None:
        begun.set()
        await given_up.wait()
        await listen(self, *arguments)

    async def noted(self: Holder, token: int) -> None:
        tokens.append(token)
        await load(self, token)

    async def standing_back(self: SessionWorker) -> None:
        await stand_back(self)
        stood_back.set()

    monkeypatch.setattr(Feed, "listen", slowly)
    monkeypatch.setattr(Holder, "load", noted)
    monkeypatch.setattr(SessionWorker, "_stand_back", standing_back)
    first = await start()
    context = first.service.context
    assert context is not None
    async with first.ingest() as stream:
        await stream.send(make_pose("front", 0, await first.now_us()))
        await asyncio.wait_for(begun.wait(), 30)
        # As it does when it is told to stop; all else of that could be over before the take-over has gone on.
        for drain in context.drains:
            await drain()
        assert not await first.redis.exists(lease_key("live"))
        given_up.set()
        await eventually(lambda: tokens or stood_back.is_set(), what="the end of the take-over")
        await first.service.stop()
    assert not tokens, "nobody goes on with the token of who holds nothing"
    assert not await first.sets()
    second = await start()
    async with second.ingest() as stream:
        await stream.send(make_pose("front", 1, await second.now_us()))
        # That of the first pose too, unless it has waited for too long by now.
        await eventually(second.sets_emitted(1), what="the set of a pose")
    assert all(synced.fence for synced in await second.sets())
    assert tokens
    assert all(tokens)


async def test_a_replica_that_hands_over_while_it_asks_for_a_lease_keeps_none(
    redis_url: str, eventually: Eventually
) -> None:
    """The lease came when there was none to give up, and the session had no other holder until the service was gone."""
    redis = connect(redis_url)
    settings = SyncSettings(redis_url=redis_url, lease_s=30)
    store = SyncStore(redis, most_frames=16, keep_bytes=10_000, life_s=60, lease_s=30)
    clock = ServerClock(redis)
    timing = asyncio.create_task(clock.run())

    try:
        await clock.wait_ready()
        # Redis knows the scripts from here on: else it is asked three times for a lease.
        known = Lease(redis, lease_key("known"), "nobody", 30)
        assert await known.acquire()
        await known.release()
        for steps in range(0, 60, 3):
            parts = Parts(
                replica_id=f"replica-{steps}",
                settings=settings,
                redis=redis,
                store=store,
                sessions=SessionStore(redis),
                clock=clock,
                feed=Feed(redis),
                pulse=Pulse(time.monotonic, asyncio.get_running_loop().call_soon),
                load=Load(0, 0),
                looking=asyncio.Lock(),
            )
            tasks = Tasks()
            sessions = Sessions(parts, tasks)
            session_id = f"live-{steps}"
            sessions.join(session_id)
            for _ in range(steps):
                await asyncio.sleep(0)
            await sessions.hand_over()
            # Neither does who comes now make it take one.
            sessions.join("late")
            # One connection for all: what was asked before this is answered before it.
            await redis.ping()

            async def free(key: str = lease_key(session_id)) -> bool:
                return not await redis.exists(key)

            await eventually(
                free, within=20, what=f"the lease given up, {steps} steps after it was asked for"
            )
            assert not await redis.exists(lease_key("late"))
            await tasks.close()
            await sessions.close()
    finally:
        timing.cancel()
        await asyncio.gather(timing, return_exceptions=True)
        await store.aclose()
        await redis.aclose()
