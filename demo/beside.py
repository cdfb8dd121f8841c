"""`python -m demo.beside --gateway http://… --video FILE`: the demo's stage beside a mesh that runs elsewhere.

In Docker Compose this is the service `demo`: it gives the session a reference unless it has one, then prints a line a
second. It survives the gateway's restarts.
"""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from demo import stage

RETRY_S = 2.0


async def run(gateway: str, video: Path, name: str, exercise: str, ready_file: Path | None) -> None:
    """Until cancelled."""
    await _set_reference(gateway, video, name, exercise)
    if ready_file is not None:
        ready_file.touch()
    async for glance in stage.watch(gateway):
        print(glance.line(), flush=True)


async def _set_reference(gateway: str, video: Path, name: str, exercise: str) -> None:
    while True:
        try:
            reference_id = await stage.set_reference(gateway, video, name, exercise, keep=True)
        except stage.StageError as error:
            print(f"not yet: {error}", flush=True)
            await asyncio.sleep(RETRY_S)
        else:
            print(f"the session follows reference {reference_id}", flush=True)
            return


async def _until_told(work: "asyncio.Task[None]") -> None:
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, work.cancel)
    await asyncio.gather(work, return_exceptions=True)
    if not work.cancelled():
        work.result()


async def _main(options: argparse.Namespace) -> None:
    work = run(options.gateway, options.video, options.name, options.exercise, options.ready_file)
    await _until_told(asyncio.create_task(work))


def main(arguments: list[str]) -> int:
    """Reads the command line; 0 when told to stop."""
    parser = argparse.ArgumentParser(prog="python -m demo.beside", description=__doc__)
    parser.add_argument("--gateway", default="http://127.0.0.1:8000", help="address of the gateway")
    parser.add_argument("--video", type=Path, required=True, help="sample video of the reference")
    parser.add_argument("--name", default="Demo", help="name of the reference")
    parser.add_argument("--exercise", default="", help="what the sample shows, as in squat")
    parser.add_argument("--ready-file", type=Path, help="made when the session has its reference")
    asyncio.run(_main(parser.parse_args(arguments)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
