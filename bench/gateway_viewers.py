"""`python bench/gateway_viewers.py`: how fast one gateway on one core reaches many WebSocket viewers.

A gateway of its own, on one core, reads synced sets of two cameras from a real Redis at 30 a second and pushes them to
500 viewers. Most viewers only drain their connection (parsing 15000 messages a second would measure this program); a few
are watched, and each of their messages is timed from its publication to its receipt. Some stall: they never read.
"""

import argparse
import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import redis

from services.mesh import keys
from services.mesh.times import to_timestamp
from tests.gateway.door import a_frame, a_set
from tests.support.redis_server import RedisServer, find_binary, free_port

RATE = 30
UPGRADE = (
    b"GET /ws/v1/sessions/live?topics=poses HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
CAPTURED = b'"server_us":'


def connect(port: int) -> socket.socket:
    """A WebSocket that has said hello."""
    viewer = socket.create_connection(("127.0.0.1", port))
    viewer.sendall(UPGRADE)
    answer = b""
    while b'"type":"hello"' not in answer:
        answer += viewer.recv(4096)
    return viewer


class Drain(threading.Thread):
    """Reads many connections and counts their bytes."""

    def __init__(self, viewers: list[socket.socket]) -> None:
        super().__init__(daemon=True)
        self._selector = selectors.DefaultSelector()
        for index, viewer in enumerate(viewers):
            viewer.setblocking(False)
            self._selector.register(viewer, selectors.EVENT_READ, index)
        self.bytes = [0] * len(viewers)
        self.over = threading.Event()

    def run(self) -> None:
        """Read until `over`."""
        while not self.over.is_set():
            for key, _ in self._selector.select(0.2):
                self.bytes[key.data] += len(key.fileobj.recv(1 << 16))  # type: ignore[union-attr]


class Watch(threading.Thread):
    """Times each message of one connection."""

    def __init__(self, viewer: socket.socket) -> None:
        super().__init__(daemon=True)
        viewer.settimeout(None)
        self._stream = viewer.makefile("rb")
        self.latencies_s: list[float] = []
        self.skipped = 0

    def run(self) -> None:
        """Read until the connection ends."""
        while head := self._stream.read(2):
            size = head[1] & 127
            if size >= 126:
                size = int.from_bytes(self._stream.read(2 if size == 126 else 8))
            message = self._stream.read(size)
            now_s = time.time()
            if message.startswith(b'{"type":"poses"'):
                at = message.index(CAPTURED) + len(CAPTURED)
                self.latencies_s.append(now_s - int(message[at : message.index(b",", at)]) / 1e6)
            elif message.startswith(b'{"type":"skipped"'):
                self.skipped += 1


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=500)
    parser.add_argument("--stalled", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    asked = parser.parse_args()
    binary = find_binary()
    if binary is None:
        sys.exit("no redis-server: `make redis-binary` fetches one")
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(binary, Path(folder))
        server.start()
        try:
            figures = measure(server.url, asked.viewers, asked.stalled, asked.seconds)
            if asked.out is not None:
                asked.out.write_text(json.dumps(figures, indent=1) + "\n")
        finally:
            server.stop()


def measure(url: str, viewers: int, stalled: int, seconds: int) -> dict[str, float]:
    """One run against a gateway of its own; its figures."""
    port = free_port()
    nowhere = [f"--{name}=127.0.0.1:1" for name in ("pose", "sync", "scoring")]
    gateway = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "services.gateway",
            f"--port={port}",
            f"--redis-url={url}",
            "--requests-per-s=10000",
            *nowhere,
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        process = psutil.Process(gateway.pid)
        process.cpu_affinity([0])
        os.sched_setaffinity(0, {os.cpu_count() - 1} if (os.cpu_count() or 1) > 1 else {0})  # type: ignore[operator]
        while not _listens(port):
            time.sleep(0.05)
        watches = [Watch(connect(port)) for _ in range(4)]
        drain = Drain([connect(port) for _ in range(viewers - stalled - len(watches))])
        before = process.memory_info().rss
        idle = [connect(port) for _ in range(stalled)]
        for thread in (*watches, drain):
            thread.start()
        time.sleep(1)
        used = sum(process.cpu_times()[:2])
        load = psutil.cpu_percent()
        sent = publish(url, seconds)
        time.sleep(1)
        used = sum(process.cpu_times()[:2]) - used
        load = psutil.cpu_percent()
        grown = process.memory_info().rss - before
        drain.over.set()
        latencies = sorted(latency for watch in watches for latency in watch.latencies_s)
        told = [f"{1000 * latencies[int(share * (len(latencies) - 1))]:.1f}" for share in (0.5, 0.99, 1)]
        print(f"{viewers} viewers ({stalled} stalled), {sent} sets of 2 cameras at {RATE}/s")
        print(f"publish to receive: p50 {told[0]} ms, p99 {told[1]} ms, most {told[2]} ms")
        print(f"lost: {sent * len(watches) - len(latencies)} of {sent * len(watches)} at the watched viewers")
        behind = sum(total < max(drain.bytes) * 0.99 for total in drain.bytes)
        print(f"behind by more than 1 %: {behind} of {len(drain.bytes)} others")
        print(
            f"gateway: {100 * used / (seconds + 1):.0f} % of one core, memory +{grown / 1e6:.1f} MB; machine {load:.0f} %"
        )
        del idle
        return {
            "viewers": viewers,
            "stalled": stalled,
            "sets": sent,
            **{
                f"publish_to_receive_{name}_ms": float(one)
                for name, one in zip(("p50", "p99", "max"), told, strict=True)
            },
            "lost": sent * len(watches) - len(latencies),
            "behind": behind,
            "core_share": round(used / (seconds + 1), 4),
            "grown_bytes": grown,
        }
    finally:
        gateway.terminate()
        gateway.wait(10)


def publish(url: str, seconds: int) -> int:
    """Publish sets at RATE; how many."""
    with redis.Redis.from_url(url) as client:
        began = time.time()
        for number in range(RATE * seconds):
            time.sleep(max(0, began + number / RATE - time.time()))
            synced = a_set(number + 1, a_frame("front", number), a_frame("side", number))
            synced.server_time.CopyFrom(to_timestamp(time.time_ns() // 1000))
            client.xadd(keys.synced_sets("live"), {"set": synced.SerializeToString()}, maxlen=4096)
    return RATE * seconds


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
