"""Who joins while something happens: the greeting comes first, and nothing that comes after it is missed."""

import asyncio
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from services.gateway.fanout import hub
from tests.gateway.door import Door, a_frame, a_set, an_update, receive
from tests.gateway.test_live import watched
from tests.support.waiting import Eventually


@pytest.mark.parametrize("query", ["topics=repetition", "topics=repetition&after=0"])
async def test_who_was_greeted_misses_nothing_that_comes_then(
    door: Door, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """What was completed after the greeting, while the reader was still looking for its place, was lost."""
    reader = door.gateway.reader
    place = reader._place

    async def slowly(streams: list[Any]) -> None:
        await asyncio.sleep(0.1)
        await place(streams)

    monkeypatch.setattr(reader, "_place", slowly)
    async with door.socket(f"/ws/v1/sessions/live?{query}") as socket:
        assert (await receive(socket))["type"] == "hello"
        await door.score(an_update(1, completes=1))
        async with asyncio.timeout(30):
            assert (await receive(socket))["number"] == 1


async def test_a_redis_that_stands_still_while_a_viewer_comes_is_told_to_it(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_streams: list[Any]) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(hub, "PLACED_S", 0.05)
    monkeypatch.setattr(door.gateway.reader, "_place", never)
    async with door.socket("/ws/v1/sessions/live") as socket:
        assert (await receive(socket))["reason"] == "REDIS_UNREACHABLE"
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    assert door.gateway.viewers == door.gateway.hub.viewers("live") == 0


async def test_a_monitor_that_comes_back_at_once_hears_of_everything_once(
    door: Door, eventually: Eventually
) -> None:
    """Who followed the cameras for the last monitor went on beside the one of the next: both passed on every frame."""
    await door.register("front")
    for _ in range(3):
        async with door.socket("/ws/monitor") as monitor:
            assert await receive(monitor) == {"type": "cameras_list", "cameras": ["front"]}
            await watched(door)
            await door.emit(a_set(1, a_frame("front", 1)))
            assert (await receive(monitor))["type"] == "status_update"
            assert len(door.gateway.reader._watched["live"].sinks) == 1
        await eventually(lambda: not len(door.gateway.hub._monitor), what="the end of the monitor")
