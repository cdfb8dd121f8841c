"""What every room's tests share: real Redis, shared recordings, waiting, and proof that nothing is left over."""

import asyncio
import inspect
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.support import leaks, waiting
from tests.support.capabilities import require
from tests.support.redis_server import CHECKOUT, RedisServer, find_binary

# The same examples in every run; `--hypothesis-profile=explore` looks for new ones.
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile(
    "explore", max_examples=2000, deadline=None, database=None, print_blob=True
)
hypothesis.settings.load_profile("fixed")


# ---------------------------------------------------------------- what a machine may lack
@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The recordings beside the checkout (`../shared/data`, or KOMI_SHARED_DATA); without them, a skip."""
    folder = Path(os.environ.get("KOMI_SHARED_DATA", CHECKOUT.parent / "shared" / "data"))
    require(folder.is_dir(), f"no recordings at {folder}")
    return folder


# ---------------------------------------------------------------- Redis
@pytest.fixture(scope="session")
def redis_binary() -> Path:
    """Path of a real redis-server."""
    binary = find_binary()
    require(binary, "no redis-server: `make redis-binary` fetches one")
    assert binary
    return binary


@pytest.fixture(scope="session")
def shared_redis(redis_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The run's Redis. Tests take `redis_url`, which empties it first."""
    server = RedisServer(redis_binary, tmp_path_factory.mktemp("redis"))
    server.start()
    assert server.pid
    leaks.of_the_run.add(server.pid)
    yield server
    server.stop()


@pytest.fixture
def redis_url(shared_redis: RedisServer) -> str:
    """Address of an empty Redis."""
    shared_redis.flush()
    return shared_redis.url


@pytest.fixture
def own_redis(redis_binary: Path, tmp_path: Path) -> Iterator[RedisServer]:
    """A running, durable Redis of the test's own, to kill, pause and start again."""
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(redis_binary, folder, durable=True)
    server.start()
    yield server
    server.stop()


# ---------------------------------------------------------------- waiting
@pytest.fixture
def eventually() -> waiting.Eventually:
    """Wait for a condition, plain or async, with a deadline."""
    return waiting.eventually


# ---------------------------------------------------------------- leaks
@pytest.fixture
async def no_leaked_tasks() -> AsyncIterator[None]:
    """Fail the test that leaves an asyncio task running once its fixtures are torn down."""
    before = asyncio.all_tasks()
    yield
    left = await leaks.leaked_tasks(before)
    if left:
        pytest.fail("left running asyncio tasks:\n  " + "\n  ".join(left), pytrace=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every async test `no_leaked_tasks`, first in, so that it looks when all else is torn down."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.function):
            item.fixturenames.insert(0, "no_leaked_tasks")


@pytest.fixture(autouse=True)
def no_leaked_processes() -> Iterator[None]:
    """Fail the test that leaves a child process running."""
    before = leaks.children()
    yield
    left = leaks.leaked_processes(before)
    if left:
        pytest.fail("left running processes:\n  " + "\n  ".join(left), pytrace=False)


@pytest.fixture(autouse=True, scope="module")
def no_processes_leaked_by_the_module() -> Iterator[None]:
    """Fail the module whose own fixtures leave a child process running."""
    before = leaks.children()
    yield
    left = leaks.leaked_processes(before)
    if left:
        pytest.fail("left running processes:\n  " + "\n  ".join(left), pytrace=False)
