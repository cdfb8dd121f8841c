"""What the mesh's tests share: a client of an empty Redis."""

from collections.abc import AsyncIterator

import pytest

from services.mesh.redis import RedisClient, connect


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[RedisClient]:
    client = connect(redis_url)
    yield client
    await client.aclose()
