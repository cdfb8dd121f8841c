"""`python -m bench.sync_scenarios [--seeds 3] [--only 3,7] [--out file.json]`: leaves with 1 when a bar is missed."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from bench.sync_scenarios import capacity, clocks, matching, memory, pictures, trouble, virtual
from bench.sync_scenarios.driver import Driver
from bench.sync_scenarios.report import Row, print_rows, write_json
from services.mesh.redis import connect
from tests.support.redis_server import CHECKOUT, RedisServer, find_binary
from tests.sync.processes import SyncProcess

Scenario = Callable[[], Awaitable[list[Row]]]


async def run(seeds: list[int], only: set[str]) -> list[Row]:
    """Run the scenarios, printing each as it ends."""
    binary = find_binary()
    if binary is None:
        raise SystemExit("no redis-server: `make redis-binary` fetches one")
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="komi-scenarios-")))
        server = RedisServer(binary, folder, durable=True, fsync="everysec")
        server.start()
        stack.callback(server.stop)
        redis = connect(server.url)
        stack.push_async_callback(redis.aclose)
        # The output is read whole at the end, so it is kept whole.
        process = await stack.enter_async_context(SyncProcess(server.url, keep_bytes=200_000_000))
        patient = await stack.enter_async_context(
            SyncProcess(server.url, keep_bytes=200_000_000, lateness_min_ms=200, lateness_max_ms=200)
        )
        # For the memory figure nothing is kept beyond what a session keeps by default.
        plain = await stack.enter_async_context(SyncProcess(server.url))
        driver = Driver(process.address, redis)
        assert server.pid
        redis_pid = server.pid
        scenarios: dict[str, Scenario] = {
            "1": lambda: clocks.skew(seeds),
            "2": lambda: clocks.drift(driver, seeds),
            "3": lambda: matching.jitter(driver, seeds),
            "4": lambda: matching.loss(driver, seeds),
            "5": lambda: matching.doubles(driver, seeds),
            "6": lambda: matching.stall(driver, seeds),
            "7": lambda: matching.overtaking(Driver(patient.address, redis), seeds),
            "9": lambda: matching.rates(driver, seeds),
            "10": lambda: trouble.crowd(
                driver, Driver(plain.address, redis), seeds, process.process.pid, redis_pid
            ),
            "C": capacity.one_core,
            "G": lambda: virtual.person(seeds),
            "P": lambda: pictures.person(seeds),
            "M": memory.hour,
            "8": lambda: trouble.redis_dies(driver, server),
        }
        data = CHECKOUT.parent / "shared" / "data"
        if data.is_dir():
            scenarios["R"] = lambda: trouble.recorded(driver, data)
        else:
            print("R  skipped: no recordings beside the checkout")
        rows: list[Row] = []
        for name, scenario in scenarios.items():
            if only and name not in only:
                continue
            began = time.monotonic()
            found = await scenario()
            print(f"\n{name}: {found[0].scenario} ({time.monotonic() - began:.0f} s)")
            print_rows(found)
            rows += found
        return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sync_scenarios", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds; every one must pass")
    parser.add_argument("--only", default="", help="scenarios by number, comma-separated")
    parser.add_argument("--out", type=Path, help="write the rows as JSON")
    options = parser.parse_args()
    rows = asyncio.run(run(list(range(1, options.seeds + 1)), set(filter(None, options.only.split(",")))))
    if options.out:
        write_json(rows, options.out)
    failed = [row for row in rows if not row.passed]
    print(f"\n{len(rows) - len(failed)} of {len(rows)} pass")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
