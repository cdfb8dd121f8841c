"""A real sync service on a real Redis, and cameras that send poses."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from tests.sync.rig import Replica

PATIENT = {"lateness_min_ms": 5_000, "lateness_max_ms": 5_000, "idle_ms": 10_000}
"""Waits for every camera for longer than a busy machine may hold up whoever sends its poses."""

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


@pytest.fixture
async def patient(start: Start) -> Replica:
    """A ready replica whose sets lack no camera because its pose was sent a moment later."""
    return await start(**PATIENT)
