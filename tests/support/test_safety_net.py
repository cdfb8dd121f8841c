"""The tests' own safety net holds: what is left behind, or missing where nothing may be, fails the run."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from tests.support.redis_server import CHECKOUT, RedisServer
from tests.support.waiting import Eventually, wait_for


def run_pytest(folder: Path, source: str, **environment: str) -> str:
    """Run `source` as a test file under the project's conftest; returns what pytest printed."""
    (folder / "test_it.py").write_text(source)
    arguments = ["-p", "tests.conftest", "-c", str(CHECKOUT / "pyproject.toml"), "--rootdir", str(folder)]
    environment = {
        name: value for name, value in os.environ.items() if name != "KOMI_REQUIRE_ALL"
    } | environment
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, "-p", "no:cacheprovider", str(folder / "test_it.py")],
        capture_output=True, text=True, timeout=100, check=False, cwd=CHECKOUT, env=environment,
    )  # fmt: skip
    return finished.stdout


def test_a_test_that_leaves_a_task_running_fails(tmp_path: Path) -> None:
    said = run_pytest(
        tmp_path,
        "import asyncio\n"
        "tasks = []\n"
        "async def test_it() -> None:\n"
        "    tasks.append(asyncio.create_task(asyncio.sleep(60), name='sleeper'))\n",
    )
    assert "left running asyncio tasks" in said
    assert "sleeper" in said


def test_a_task_that_a_fixture_ends_is_no_leak(tmp_path: Path) -> None:
    said = run_pytest(
        tmp_path,
        "import asyncio, pytest\n"
        "@pytest.fixture\n"
        "async def worker():\n"
        "    tasks = []\n"
        "    yield tasks\n"
        "    for task in tasks: task.cancel()\n"
        "async def test_it(worker) -> None:\n"
        "    worker.append(asyncio.create_task(asyncio.sleep(60)))\n",
    )
    assert "1 passed" in said
    assert "error" not in said


def test_a_test_that_leaves_a_process_running_fails(tmp_path: Path) -> None:
    said = run_pytest(
        tmp_path,
        "import subprocess, warnings\n"
        "def test_it() -> None:\n"
        "    warnings.simplefilter('ignore')\n"
        "    global left\n"
        "    left = subprocess.Popen(['sleep', '61.25'])\n",
    )
    assert "left running processes" in said
    assert "sleep 61.25" in said


def test_what_a_machine_lacks_is_skipped_unless_everything_is_required(tmp_path: Path) -> None:
    source = "def test_it(shared_data) -> None: ...\n"
    absent = str(tmp_path / "nowhere")
    assert "1 skipped" in run_pytest(tmp_path, source, KOMI_SHARED_DATA=absent)
    assert "1 error" in run_pytest(tmp_path, source, KOMI_SHARED_DATA=absent, KOMI_REQUIRE_ALL="1")


def test_a_test_starts_with_an_empty_redis(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left by", "the test before")


def test_the_next_test_starts_with_an_empty_redis_too(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left by", "the test before")


def test_a_redis_of_its_own_keeps_what_it_stored_over_a_kill(own_redis: RedisServer) -> None:
    with redis.Redis.from_url(own_redis.url) as client:
        client.set("pose", "kept")
    own_redis.kill()
    own_redis.start()
    with redis.Redis.from_url(own_redis.url) as client:
        assert client.get("pose") == b"kept"


async def test_waiting_for_what_never_comes_names_it_and_the_last_value(eventually: Eventually) -> None:
    with pytest.raises(AssertionError, match=r"three did not come true within 0.05 s; last seen: 0"):
        await eventually(lambda: 0, within=0.05, what="three")


async def test_waiting_ends_as_soon_as_the_condition_holds(eventually: Eventually) -> None:
    counted = iter(range(10))

    async def third() -> bool:
        await asyncio.sleep(0)
        return next(counted) == 2

    assert await eventually(third)
    assert next(counted) == 3
    assert wait_for(lambda: next(counted) > 5)
