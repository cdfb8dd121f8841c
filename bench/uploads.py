"""`python -m bench.uploads`: what a video costs gateway and scoring while it streams through them, in memory and time.

Both run as programs of their own, beside a real Redis. The file is none that can be read, so what is measured is its way,
not what is made of it. Prints resident memory before and at most, MB, and CPU seconds of each.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import DEVNULL, Popen

import httpx
import psutil

from tests.support.redis_server import RedisServer, find_binary, free_port
from tests.support.waiting import wait_for

MEGABYTE = 1 << 20
BOUNDARY = "xYzZY"
HEAD = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'.encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=199)
    asked = parser.parse_args()
    binary = find_binary()
    if binary is None:
        sys.exit("no redis-server: `make redis-binary` fetches one")
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        server = RedisServer(binary, Path(folder))
        server.start()
        stack.callback(server.stop)
        ports = {"scoring": free_port(), "gateway": free_port()}
        programs = {
            name: start(stack, name, server.url, port, ports["scoring"]) for name, port in ports.items()
        }
        measure(programs, f"http://127.0.0.1:{ports['gateway']}", asked.megabytes)


def start(stack: ExitStack, name: str, redis_url: str, port: int, scoring: int) -> psutil.Process:
    """Start a service; it ends with `stack`."""
    arguments = [f"--port={port}", f"--redis-url={redis_url}", "--pose=127.0.0.1:1"]
    if name == "gateway":
        arguments += [f"--scoring=127.0.0.1:{scoring}", "--sync=127.0.0.1:1"]
    else:
        arguments.append("--metrics-port=0")
    program = stack.enter_context(
        Popen([sys.executable, "-m", f"services.{name}", *arguments], stderr=DEVNULL)
    )
    stack.callback(program.terminate)
    return psutil.Process(program.pid)


def measure(programs: dict[str, psutil.Process], gateway: str, megabytes: int) -> None:
    """Upload once small, so that everything is in place, then as asked."""
    with httpx.Client(base_url=gateway, timeout=600) as client:

        def answers() -> bool:
            try:
                return client.get("/api/v1/references").status_code == 200
            except httpx.TransportError:
                return False

        wait_for(answers, within=180, what="gateway and scoring")
        send(client, programs, 8)
        before = {name: process.memory_info().rss for name, process in programs.items()}
        cpu = {name: cpu_s(process) for name, process in programs.items()}
        began = time.perf_counter()
        most = send(client, programs, megabytes)
        took_s = time.perf_counter() - began
        print(f"{megabytes} MB in {took_s:.1f} s")
        for name, process in programs.items():
            print(
                f"{name}: {before[name] / MEGABYTE:.0f} MB before, {most[name] / MEGABYTE:.0f} MB at most, "
                f"{cpu_s(process) - cpu[name]:.2f} s CPU"
            )


def send(client: httpx.Client, programs: dict[str, psutil.Process], megabytes: int) -> dict[str, int]:
    """Upload so many; the most memory that each of `programs` held meanwhile, bytes."""
    most = dict.fromkeys(programs, 0)

    def body() -> Iterator[bytes]:
        yield HEAD
        for _ in range(megabytes):
            yield b"x" * MEGABYTE
            for name, process in programs.items():
                most[name] = max(most[name], process.memory_info().rss)
        yield TAIL

    answer = client.post(
        "/api/v1/references",
        content=body(),
        headers={"content-type": f"multipart/form-data; boundary={BOUNDARY}"},
    )
    answer.raise_for_status()
    while client.get(answer.headers["location"]).json()["state"] == "running":
        time.sleep(0.05)
    return most


def cpu_s(process: psutil.Process) -> float:
    """CPU time it has taken, seconds."""
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
