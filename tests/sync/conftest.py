"""A real sync service on a real Redis, and cameras that send poses."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from tests.sync.rig import Replica

Start = Callable[..., Awaitable[Replica]]


@pytest.fixture
async def start(redis_url: str) -> AsyncIterator[Start]:
    """Call it for a ready replica, with settings by name; all are stopped with the test."""
    async with AsyncExitStack() as stack:

        async def start_one(url: str = redis_url, **settings: object) -> Replica:
            return await stack.enter_async_context(Replica(url, **settings))

        yield start_one


@pytest.fixture
async def replica(start: Start) -> Replica:
    """One ready replica with its defaults."""
    return await start()
