"""A real Redis server for the tests, on a free port of this machine, gone with them."""

import contextlib
import itertools
import random
import signal
import socket
import subprocess
from pathlib import Path

import redis

from demo.fetch import present_redis_server
from tests.support.waiting import wait_for

CHECKOUT = Path(__file__).resolve().parents[2]
_PORTS = itertools.cycle(random.sample(range(12_000, 20_000), 8_000))
"""Below those of the demo (`demo/ports.py`); in an order of its own in each process."""


def find_binary() -> Path | None:
    """Return the machine's redis-server, else the one `make redis-binary` fetched, else None."""
    return present_redis_server()


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on, and that was not given out lately.

    None of those that the system gives to connections: such a one may be gone before its server listens.
    """
    while True:
        port = next(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class RedisServer:
    """One redis-server process. It keeps its port and its folder over `kill` and `start`.

    With `durable=True` it writes an append-only file with every command, so what was stored before a
    kill is there after the next start, as in the product.
    """

    def __init__(self, binary: Path, folder: Path, *, durable: bool = False, fsync: str = "always") -> None:
        self.binary = binary
        self.folder = folder
        self.durable = durable
        self.fsync = fsync
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address a client connects to."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int | None:
        """The process id, None while it is down."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it and return once it answers; RuntimeError with its own words if it does not come up."""
        if self._process:
            raise RuntimeError(f"redis-server on port {self.port} is already running")
        log = self.folder / "redis.log"
        # fmt: off
        self._process = subprocess.Popen(
            [str(self.binary), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder),
             "--save", "", "--appendonly", "yes" if self.durable else "no", "--appendfsync", self.fsync,
             "--loglevel", "warning", "--logfile", str(log)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        # fmt: on
        try:
            wait_for(self._answers, what=f"redis-server on port {self.port}")
        except AssertionError as silence:
            self.kill()
            said = log.read_text() if log.exists() else "nothing"
            raise RuntimeError(f"{silence}; it said: {said}") from None

    def stop(self) -> None:
        """Shut it down and wait for it."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it on the spot, as a power cut would."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers, until `resume`."""
        if self._process:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after `pause`."""
        if self._process:
            self._process.send_signal(signal.SIGCONT)

    def flush(self) -> None:
        """Forget every key, script and function, and drop the clients of whoever came before."""
        with redis.Redis.from_url(self.url) as client:
            client.client_kill_filter(_type="normal", skipme=True)
            client.client_kill_filter(_type="pubsub", skipme=True)
            client.flushall()
            client.script_flush()

    def _answers(self) -> bool:
        if self._process and self._process.poll() is not None:
            raise RuntimeError(
                f"redis-server exited with {self._process.returncode}: see {self.folder}/redis.log"
            )
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.send_signal(how)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
