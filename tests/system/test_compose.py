"""`compose.yml`, built and run on a real engine: healthy, scoring through 127.0.0.1, and hard to bring down."""

import asyncio
import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.support.capabilities import require
from tests.support.redis_server import CHECKOUT, free_port
from tests.support.waiting import Eventually, wait_for
from tests.system.watching import poses_of_cameras, scores

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]

PROJECT = "komi-test"
SERVICES = {"redis", "capture", "pose", "sync", "scoring", "gateway", "demo"}
Container = dict[str, Any]
ATTEMPTS, PAUSE_S = 3, 10.0
"""To build the images, which come from package registries."""


@dataclass
class Compose:
    """The project under test."""

    port: int

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str) -> str:
        """`docker compose ARGUMENTS`; returns what it printed. AssertionError with its words when it fails."""
        done = subprocess.run(
            ["docker", "compose", "--project-name", PROJECT, *arguments],
            cwd=CHECKOUT, text=True, check=False, capture_output=True, stdin=subprocess.DEVNULL,
            env={**os.environ, "KOMI_PORT": str(self.port), "KOMI_TAG": "test", "CAMERAS": "", "BUILDKIT_PROGRESS": "plain"},
        )  # fmt: skip
        assert done.returncode == 0, f"{arguments}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def containers(self) -> list[Container]:
        """As `docker inspect` describes them."""
        ids = self.run("ps", "--all", "--quiet").split()
        described: list[Container] = json.loads(_docker("inspect", *ids)) if ids else []
        return described

    def of(self, service: str) -> list[Container]:
        """A service's containers."""
        return [one for one in self.containers() if service_of(one) == service]


def service_of(container: Container) -> str:
    return str(container["Config"]["Labels"]["com.docker.compose.service"])


def lives(container: Container) -> tuple[str, int, str]:
    """Changes whenever the container starts anew."""
    return container["Id"], container["RestartCount"], container["State"]["StartedAt"]


def healthy(container: Container) -> bool:
    return bool(container["State"].get("Health", {}).get("Status") == "healthy")


def crash(container: Container) -> None:
    """Kill its first process as a crash would; `docker kill` counts as wanted, and nothing restarts."""
    pid = int(container["State"]["Pid"])
    assert pid, f"{service_of(container)} is not running"  # 0 would be all of ours
    os.kill(pid, signal.SIGKILL)


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], text=True, check=True, capture_output=True).stdout


def compose_answers() -> bool:
    if not shutil.which("docker"):
        return False
    commands = (["docker", "version"], ["docker", "compose", "version"])
    return all(
        subprocess.run(command, capture_output=True, check=False).returncode == 0 for command in commands
    )


def build(project: Compose) -> None:
    """What a network that fails for a moment spoils is asked for again; what is built already is there."""
    for left in reversed(range(ATTEMPTS)):
        try:
            project.run("build")
        except AssertionError:
            if not left:
                raise
            time.sleep(PAUSE_S)
        else:
            return


@pytest.fixture(scope="module")
def compose() -> Iterator[Compose]:
    require(compose_answers(), "no Docker engine with Compose v2 here")
    project = Compose(free_port())
    try:
        build(project)
        project.run("up", "--detach", "--wait", "--wait-timeout", "600")
        yield project
    finally:
        project.run("down", "--volumes", "--remove-orphans")


async def test_all_are_healthy_and_scores_come_through_127_0_0_1(compose: Compose) -> None:
    found = compose.containers()
    assert {service_of(one) for one in found} == SERVICES
    assert all(map(healthy, found))
    async with httpx.AsyncClient(timeout=60) as client:
        assert (await client.get(f"{compose.gateway}/readyz")).is_success
    await asyncio.gather(poses_of_cameras(compose.gateway, 2, within=60), scores(compose.gateway, within=120))


def test_nothing_but_the_gateway_is_published_and_that_on_127_0_0_1_only(compose: Compose) -> None:
    published = {
        (service_of(one), place["HostIp"])
        for one in compose.containers()
        for places in one["NetworkSettings"]["Ports"].values()
        for place in places or []
    }
    assert published == {("gateway", "127.0.0.1")}


def test_no_container_has_privileges_or_writes_to_its_image(compose: Compose) -> None:
    for one in compose.containers():
        host = one["HostConfig"]
        assert host["ReadonlyRootfs"], service_of(one)
        assert host["CapDrop"] == ["ALL"], service_of(one)
        assert "no-new-privileges:true" in host["SecurityOpt"], service_of(one)
        assert host["Memory"] > 0, service_of(one)
        assert one["Config"]["User"] not in {"", "0", "root"}, service_of(one)


@pytest.mark.parametrize("service", ["pose", "sync", "scoring", "gateway", "capture", "redis"])
async def test_a_service_that_crashes_comes_back_and_nothing_else_restarts(
    compose: Compose, service: str
) -> None:
    before = {service_of(one): one for one in compose.containers()}
    crash(before[service])
    wait_for(
        lambda: (now := compose.of(service)[0])["RestartCount"] > before[service]["RestartCount"] and healthy(now),
        within=180, what=f"{service} healthy again",
    )  # fmt: skip
    await asyncio.gather(poses_of_cameras(compose.gateway, 2, within=60), scores(compose.gateway, within=120))
    after = {service_of(one): one for one in compose.containers()}
    assert {name for name in SERVICES if lives(after[name]) != lives(before[name])} == {service}


async def test_three_poses_share_the_streams_and_the_death_of_one_is_hardly_noticed(
    compose: Compose, eventually: Eventually
) -> None:
    compose.run("up", "--detach", "--wait", "--scale", "pose=3")
    assert sum(map(healthy, compose.of("pose"))) == 3

    async def replicas(prefix: str) -> dict[str, str]:
        async with httpx.AsyncClient(base_url=compose.gateway, timeout=60) as client:
            answer = await client.get("/api/v1/cameras")
        assert answer.is_success, answer.text
        cameras = answer.json()["cameras"]
        return {one["camera_id"]: one["replica_id"] for one in cameras if one["camera_id"].startswith(prefix)}

    attempts = itertools.count()

    async def spread() -> bool:
        """Six new streams: are they on all three?"""
        # New names each time: those of the attempt before may still be on their way out.
        name = f"phone{next(attempts)}-"
        async with AsyncExitStack() as stack:
            for number in range(6):
                address = f"ws{compose.gateway.removeprefix('http')}/ws/v1/cameras/{name}{number}"
                socket = await stack.enter_async_context(connect(address, open_timeout=60, close_timeout=1))
                while json.loads(await socket.recv())["type"] != "ready":
                    pass  # clock probes may come before
            return len(set((await replicas(name)).values())) == 3

    # A client finds new replicas when one of its connections comes of age.
    await eventually(spread, within=180, what="six streams on three replicas")

    before = {one["Id"]: lives(one) for one in compose.containers()}

    async def front() -> str | None:
        return (await replicas("front")).get("front")

    dead = await eventually(front, what="a replica for the camera front")
    assert dead
    crash(next(one for one in compose.of("pose") if dead in _docker("logs", one["Id"]) + _errors(one)))

    async def moved() -> bool:
        return await front() not in {None, dead}

    await eventually(moved, within=60, what="another replica for the camera front")
    await asyncio.gather(poses_of_cameras(compose.gateway, 2, within=60), scores(compose.gateway, within=120))
    wait_for(lambda: all(map(healthy, compose.containers())), within=180, what="all healthy again")
    changed = [one for one in compose.containers() if lives(one) != before[one["Id"]]]
    assert [service_of(one) for one in changed] == ["pose"]


def _errors(container: Container) -> str:
    """What it wrote to standard error, where logs go."""
    return subprocess.run(
        ["docker", "logs", container["Id"]], text=True, check=True, capture_output=True
    ).stderr


def test_down_leaves_nothing(compose: Compose) -> None:
    compose.run("down", "--volumes", "--remove-orphans")
    label = f"label=com.docker.compose.project={PROJECT}"
    assert _docker("ps", "--all", "--quiet", "--filter", label) == ""
    assert _docker("volume", "ls", "--quiet", "--filter", label) == ""
    assert _docker("network", "ls", "--quiet", "--filter", label) == ""
