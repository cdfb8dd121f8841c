"""A replica that gives its sessions up leaves nothing under a lease it no longer has."""

import asyncio
from typing import Any

import pytest

from services.sync.feed import Feed
from services.sync.holder import Holder
from services.sync.store import lease_key
from tests.support.waiting import Eventually
from tests.sync.conftest import Start
from tests.sync.rig import make_pose


async def test_a_session_given_up_while_it_is_taken_over_lets_no_set_out_before_its_next_holder(
    start: Start, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """A session nobody had held was taken over with fencing token 0, that of who holds nothing, and let its set out."""
    begun, given_up = asyncio.Event(), asyncio.Event()
    listen, load = Feed.listen, Holder.load
    tokens: list[int] = []

    async def slowly(self: Feed, *arguments: Any) -> None:
        begun.set()
        await given_up.wait()
        await listen(self, *arguments)

    async def noted(self: Holder, token: int) -> None:
        tokens.append(token)
        await load(self, token)

    monkeypatch.setattr(Feed, "listen", slowly)
    monkeypatch.setattr(Holder, "load", noted)
    first = await start()
    async with first.ingest() as stream:
        await stream.send(make_pose("front", 0, await first.now_us()))
        await asyncio.wait_for(begun.wait(), 30)
        stopping = asyncio.create_task(first.service.stop())

        async def free() -> bool:
            return not await first.redis.exists(lease_key("live"))

        await eventually(free, what="the lease given up")
        given_up.set()
        await stopping
    assert not await first.sets()
    # Not sooner: it would take the session over before the lease was seen to be free.
    second = await start()
    async with second.ingest() as stream:
        await stream.send(make_pose("front", 1, await second.now_us()))
        # That of the first pose too, unless it has waited for too long by now.
        await eventually(second.sets_emitted(1), what="the set of a pose")
    assert all(synced.fence for synced in await second.sets())
    assert tokens
    assert all(tokens), "nobody goes on with the token of who holds nothing"
