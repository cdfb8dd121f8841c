"""Scenarios in a real browser (browser/*.mjs), and what they need beside the gateway."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.gateway.door import Door
from tests.support.redis_server import CHECKOUT

SCENARIOS = Path(__file__).parent / "browser"
ARTEFACTS = CHECKOUT / "out" / "browser"


def find_chromium() -> str | None:
    """A Chromium to drive, if there is one."""
    names = (os.environ.get("KOMI_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


async def scenario(name: str, address: str, node: Path, chromium: Path, **options: Path | str) -> str:
    """Run one of the scenarios on the gateway at `address`; what it printed, which is the failure's where it fails."""
    pairs = [f"{key}={value}" for key, value in {"chromium": chromium, **options}.items()]
    driver = await asyncio.create_subprocess_exec(
        node, SCENARIOS / f"{name}.mjs", f"http://{address}", ARTEFACTS, *pairs,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        output, _ = await driver.communicate()
    finally:
        if driver.returncode is None:
            driver.kill()
            await driver.wait()
    said = output.decode(errors="replace")
    assert driver.returncode == 0, said
    return said


@asynccontextmanager
async def capture(door: Door, cameras: str) -> AsyncIterator[None]:
    """The capture program, playing recordings in a loop."""
    settings = door.gateway.settings
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.capture", "--server", f"grpc://{settings.pose}", "--cameras", cameras,
        "--redis-url", settings.redis_url, "--port", "0", "--metrics-port", "0", "--drain-s", "0.5",
        cwd=CHECKOUT, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        program.terminate()
        await program.wait()


async def stopped(task: asyncio.Task[Any]) -> None:
    """Ends a task that a failure left running."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
