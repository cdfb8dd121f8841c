"""Metrics are served while the service runs, and end with it."""

import socket
import time
import urllib.request

import pytest

from services.mesh.telemetry import serve_metrics


def test_metrics_are_served_until_closed() -> None:
    port, server = serve_metrics("127.0.0.1", 0)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        assert b"komi_rpc_total" in answer.read()
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=30)


def test_closing_does_not_wait_for_the_next_look() -> None:
    """It took half a second at worst and a quarter in the mean, at the end of every service and of every test."""

    def seconds_to_close() -> float:
        _, server = serve_metrics("127.0.0.1", 0)
        time.sleep(0.01)  # into its wait
        began_s = time.monotonic()
        server.close()
        return time.monotonic() - began_s

    assert min(seconds_to_close() for _ in range(5)) < 0.4
