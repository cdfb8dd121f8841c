"""`make demo`: what a newcomer sees first."""

import asyncio
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.sync.client import connect

from demo import phones
from services.mesh.network import own_address
from tests.support.capabilities import require
from tests.support.redis_server import CHECKOUT, free_port
from tests.support.waiting import wait_for
from tests.system.running import Demo, demo
from tests.system.watching import poses_of_cameras, scores

pytestmark = pytest.mark.timeout(600)

AFTER_READY_S = 20.0
SERVICES = {"capture", "pose", "sync", "scoring", "gateway"}


@pytest.fixture(scope="module")
def running(redis_binary: object) -> Iterator[Demo]:
    with demo() as started:
        yield started


@pytest.fixture(autouse=True)
def second_lives_belong_to_the_demo(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "running" in request.fixturenames:
        started: Demo = request.getfixturevalue("running")
        started.adopt()


def test_poses_of_two_cameras_and_scores_flow_within_20_s_of_ready(running: Demo) -> None:
    async def both() -> None:
        await asyncio.gather(
            poses_of_cameras(running.gateway, 2, within=AFTER_READY_S),
            scores(running.gateway, within=AFTER_READY_S),
        )

    asyncio.run(both())


def test_it_says_where_the_page_is_and_how_it_goes(running: Demo) -> None:
    """It once asked for two digits of frames a second, which a busy machine does not give."""
    wait_for(lambda: f"Page   {running.gateway}/ui/" in running.shown, within=60, what="the page's address")
    assert running.get("/ui/").is_success
    assert set(running.addresses) >= SERVICES - {"capture"}
    how_it_goes = re.compile(r"^front \d+ fps.*  side \d+ fps.* │ score .* │ \d+ ms", re.MULTILINE)
    wait_for(lambda: how_it_goes.search(running.shown), within=60, what="a line that tells how it goes")


@pytest.mark.parametrize("name", ["capture", "scoring", "sync", "gateway", "pose"])
def test_a_service_that_is_killed_comes_back_and_the_rest_goes_on(running: Demo, name: str) -> None:
    wait_for(
        lambda: running.services().keys() >= SERVICES, within=60, what=f"all services of\n{running.shown}"
    )
    before = running.services()
    before[name].kill()
    again = wait_for(
        lambda: (now := running.services().get(name)) and now.pid != before[name].pid and now,
        within=60, what=f"{name}'s second life",
    )  # fmt: skip
    assert again
    wait_for(running.ready, within=60, what="/readyz 200 again")
    asyncio.run(poses_of_cameras(running.gateway, 2, within=60))
    asyncio.run(scores(running.gateway, within=120))
    after = running.services()
    assert {other: process.pid for other, process in after.items() if other != name} == {
        other: process.pid for other, process in before.items() if other != name
    }
    told = f"{name} │ was ended by SIGKILL"
    wait_for(lambda: told in running.shown, what=f"{told} in\n{running.shown}")


def test_ctrl_c_stops_everything_in_seconds() -> None:
    with demo(ready=False) as started:
        wait_for(lambda: started.services().keys() >= SERVICES, within=60, what="all services")
        left = psutil.Process(started.process.pid).children(recursive=True)
        assert len(left) > len(SERVICES)
        started.interrupt()
        assert not [process for process in left if process.is_running()]
        assert "killed" not in started.shown


def test_a_phone_comes_in_over_https_as_a_camera_and_as_nothing_else() -> None:
    host = own_address()
    require(host and shutil.which("openssl"), "no network that a phone could be in, or no openssl")
    assert host is not None
    with demo("PHONE=1", "CAMERAS=front:97") as started, ExitStack() as stack:
        found = wait_for(
            lambda: re.search(r"(https://[^/]+)/ui/camera/\?token=(\S+)", started.shown),
            within=60, what="the phone's address",
        )  # fmt: skip
        assert found
        address, token = found.groups()
        # The usual ones are waited for; this gateway beside them comes when it comes.
        wait_for(lambda: "phones │ ready" in started.shown, within=60, what="the phones' gateway")
        trusting = ssl.create_default_context(cafile=str(phones.certificate(host)))
        assert "▀" in started.shown
        client = stack.enter_context(httpx.Client(verify=trusting, trust_env=False, timeout=60))
        assert client.get(f"{address}/ui/camera/?token={token}").status_code == 303
        camera = f"wss{address.removeprefix('https')}/ws/v1/cameras/phone?token={token}"
        with connect(camera, ssl=trusting, open_timeout=60, proxy=None) as stream:
            ready = wait_for(
                lambda: (said := json.loads(stream.recv(30))) and said["type"] == "ready" and said,
                within=60, what="that the camera may send",
            )  # fmt: skip
        assert ready["camera_id"] == "phone"
        sessions = client.get(f"{address}/api/v1/sessions?token={token}")
        assert sessions.json()["reason"] == "TOKEN_SCOPE"


def test_a_camera_that_is_not_there_is_named_and_the_page_is_up_all_the_same() -> None:
    with demo("CAMERAS=front:97") as started:
        wait_for(lambda: "Page" in started.shown, within=60, what="the page's address")
        trouble = re.compile(r"front.*\b97\b")
        wait_for(lambda: trouble.search(started.shown), within=60, what="the camera's trouble")


def test_cameras_that_cannot_be_read_end_the_demo_with_one_reason() -> None:
    done = subprocess.run(
        ["make", "demo", "CAMERAS=nonsense"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode != 0
    assert "'nonsense' has no name: write NAME:nonsense" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_two_demos_side_by_side_do_not_meet_at_a_port() -> None:
    """Both once took the usual ports, found free by both, and each believed the other's services to be its own."""
    choose = "from demo import mesh; print(*mesh.choose_addresses(None).ports.values(), flush=True); input()"
    command = [sys.executable, "-c", choose]
    with ExitStack() as stack:
        both = [
            stack.enter_context(
                subprocess.Popen(
                    command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            for _ in range(2)
        ]
        taken = [set(one.stdout.readline().split()) for one in both if one.stdout]
        for one in both:
            one.communicate("\n")
    assert all(map(len, taken))
    assert not taken[0] & taken[1]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody else may bind what is kept")
def test_a_usual_port_is_no_connections_until_its_service_listens(tmp_path: Path) -> None:
    """One to Redis once got pose's, which is among those a system gives away: pose could never listen."""
    port = free_port()
    choose = f"from demo import ports; print(ports.choose({{'pose': {port}}})['pose'], flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", choose], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "KOMI_CACHE_DIR": str(tmp_path)},
    ) as demo_of_it:  # fmt: skip
        assert demo_of_it.stdout
        assert demo_of_it.stdout.readline().strip() == str(port)
        with socket.socket() as connection, pytest.raises(OSError, match="in use"):
            connection.bind(("127.0.0.1", port))
        with socket.create_server(("127.0.0.1", port)):  # as servers do: with SO_REUSEADDR
            socket.create_connection(("127.0.0.1", port)).close()
        demo_of_it.communicate("\n")
