"""A demo that runs, as a user has it: `make demo` in a process of its own, looked at from outside."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import psutil

from tests.support import leaks
from tests.support.redis_server import CHECKOUT, free_port
from tests.support.waiting import wait_for

_READY = re.compile(r"^ *(\w+) │ ready in ([\d.]+) s  on ([\d.]+:\d+)", re.MULTILINE)
START_S = 180.0
"""Longest start on a busy machine; the sample video may have to be drawn first."""


@dataclass
class Demo:
    """`make demo`, running."""

    process: subprocess.Popen[str]
    port: int
    _lines: list[str] = field(default_factory=list)

    @property
    def gateway(self) -> str:
        """http://host:port of the page."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def shown(self) -> str:
        """What the terminal has shown so far."""
        return "".join(self._lines)

    @property
    def addresses(self) -> dict[str, str]:
        """host:port by service, as the terminal says."""
        return {name: address for name, _, address in _READY.findall(self.shown)}

    def services(self) -> dict[str, psutil.Process]:
        """The service processes by name."""
        found = {}
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                command = process.cmdline()
            except psutil.NoSuchProcess:
                continue
            if name := next((part for part in command if part.startswith("services.")), None):
                if "leash.py" not in " ".join(command):
                    found[name.removeprefix("services.")] = process
            elif command and command[0].endswith("redis-server"):
                found["redis"] = process
        return found

    def adopt(self) -> None:
        """Tell the watch over leaks that what a test made start anew belongs to the demo, which ends it."""
        leaks.of_the_run.update(one.pid for one in psutil.Process(self.process.pid).children(recursive=True))

    def ready(self) -> bool:
        """Whether /readyz answers 200. Fails at once when the demo has ended."""
        if self.process.poll() is not None:
            raise RuntimeError(f"the demo ended with {self.process.returncode}:\n{self.shown}")
        try:
            return httpx.get(f"{self.gateway}/readyz", timeout=2, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def get(self, path: str) -> httpx.Response:
        """What the gateway answers, however long a busy machine takes."""
        return httpx.get(f"{self.gateway}{path}", timeout=60, trust_env=False)

    def interrupt(self) -> int:
        """Ctrl-C; returns the exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(60)

    def read(self) -> None:
        """Collect what the terminal shows, until it ends."""
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.append(line)


@contextmanager
def demo(*settings: str, ready: bool = True) -> Iterator[Demo]:
    """Run `make demo PORT=… SETTINGS…` until the block ends; with `ready`, wait for /readyz first."""
    port = free_port()
    with subprocess.Popen(
        ["make", "demo", f"PORT={port}", *settings],
        cwd=CHECKOUT, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        process_group=0, env={name: value for name, value in os.environ.items() if name != "KOMI_REDIS_URL"},
    ) as process:  # fmt: skip
        running = Demo(process, port)
        reader = threading.Thread(target=running.read)
        reader.start()
        try:
            if ready:
                wait_for(running.ready, within=START_S, what="/readyz 200")
            yield running
        finally:
            left: list[psutil.Process] = []
            if process.poll() is None:
                left = psutil.Process(process.pid).children(recursive=True)
                try:
                    running.interrupt()
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
            reader.join()
            assert not [one for one in left if one.is_running()], running.shown
