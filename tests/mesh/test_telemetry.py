"""Metrics and readiness are served while the service runs, and end with it."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing

import pytest

from services.mesh import readiness
from services.mesh.probe import http_status
from services.mesh.readiness import Readiness
from services.mesh.telemetry import serve_metrics
from tests.support.redis_server import CHECKOUT


def test_metrics_are_served_until_closed() -> None:
    port, server = serve_metrics("127.0.0.1", 0, dict)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        assert b"komi_rpc_total" in answer.read()
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=30)


def test_closing_does_not_wait_for_the_next_look() -> None:
    """It took half a second at worst and a quarter in the mean, at the end of every service and of every test."""

    def seconds_to_close() -> float:
        _, server = serve_metrics("127.0.0.1", 0, dict)
        time.sleep(0.01)  # into its wait
        began_s = time.monotonic()
        server.close()
        return time.monotonic() - began_s

    assert min(seconds_to_close() for _ in range(5)) < 0.4


def test_readiness_is_told_beside_the_metrics() -> None:
    waiting = {"redis": "Redis does not answer"}
    port, server = serve_metrics("127.0.0.1", 0, lambda: waiting)
    url = f"http://127.0.0.1:{port}/readyz"
    with closing(server):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url, timeout=30)
        with refused.value as answer:
            assert (answer.code, json.load(answer)) == (503, {"ready": False, "waiting_for": waiting})
        assert http_status(url, timeout_s=30) == "503"
        waiting.clear()
        assert http_status(url, timeout_s=30) == "SERVING"
    assert http_status(url, timeout_s=30).startswith("UNREACHABLE")


def test_a_container_asks_for_readiness_without_any_package() -> None:
    """To import gRPC took 0.1 s of CPU in five containers every 15 s: more than all else that is done at idle."""
    port, server = serve_metrics("127.0.0.1", 0, dict)
    with closing(server):
        asked = subprocess.run(
            [sys.executable, "-S", "-m", "services.mesh.probe", f"http://127.0.0.1:{port}/readyz"],
            cwd=CHECKOUT, check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert (asked.stdout.strip(), asked.returncode) == ("SERVING", 0), asked.stderr


async def test_a_loop_that_stands_still_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Readiness()
    await seen.refresh()
    assert seen.ready
    monkeypatch.setattr(readiness, "STALE_S", -1.0)
    assert "stands still" in seen.waiting_for["loop"]
