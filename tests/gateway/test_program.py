"""`python -m services.gateway` as a process: one clear line or it runs, and it stops at once with open connections."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from websockets.sync.client import connect

from tests.support.redis_server import free_port
from tests.support.waiting import wait_for

CHECKOUT = Path(__file__).resolve().parents[2]
NOWHERE = ["--pose=127.0.0.1:1", "--sync=127.0.0.1:1", "--scoring=127.0.0.1:1"]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "services.gateway", *NOWHERE, *arguments]


def refused(*arguments: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        command(*arguments), cwd=CHECKOUT, env=os.environ | environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr.strip()


def test_an_unknown_setting_is_named_with_the_nearest_known_one() -> None:
    code, said = refused(KOMI_GATEWAY_PROT="1")
    assert (code, said) == (2, "gateway: unknown setting KOMI_GATEWAY_PROT: did you mean KOMI_GATEWAY_PORT?")


def test_a_port_in_use_is_one_line_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = refused(f"--port={port}")
    assert code == 1
    last = said.splitlines()[-1]
    assert last.startswith(f"gateway: cannot listen on 127.0.0.1:{port}: ")
    assert "--port" in last
    assert "Traceback" not in said


def test_it_runs_without_its_neighbours_says_what_it_waits_for_and_stops_quickly(redis_url: str) -> None:
    port = free_port()
    process = subprocess.Popen(
        command(f"--port={port}", "--redis-url", redis_url, "--debug"),
        cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_for(lambda: _status(port, "/healthz") == 200, within=60, what="/healthz")
        assert _status(port, "/readyz") == 503
        with connect(f"ws://127.0.0.1:{port}/ws/v1/sessions/live", open_timeout=60) as viewer:
            assert json.loads(viewer.recv())["type"] == "hello"
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
    finally:
        process.kill()
        _, said = process.communicate()
    for line in said.splitlines():
        json.loads(line)
    assert "listening" in said
    assert "stopped" in said


def _status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
