"""From start to Ctrl-C: everything it takes is fetched, started, shown, and stopped again."""

import asyncio
import signal
import subprocess
import sys
import time

from demo import mesh, phones, scene, stage
from demo.console import Console
from demo.fetch import FetchError
from demo.ports import PortsError
from demo.supervisor import ProgramError, Supervisor
from services.pose.models import ModelError, task_path

RETRY_S = 2.0
"""Between two attempts to set the reference."""


def run(cameras: str, port: int | None, *, phone: bool = False, verbose: bool = False) -> int:
    """Show the mesh, with `phone` to phones too; returns the exit status."""
    console = Console(verbose=verbose)
    try:
        get_model()
        played = scene.choose(cameras)
        addresses = mesh.choose_addresses(port, phones=phone)
        invited = phones.invite(addresses.ports["phones"]) if phone else None
        programs = mesh.programs(played, addresses, "debug" if verbose else "info", invited)
    except (FetchError, PortsError) as error:
        console.say("demo", str(error), colour=31)
        return 1
    return asyncio.run(_run(played, addresses, Supervisor(programs, console), console, invited))


def get_model() -> None:
    """Fetches and builds the pose model unless it is there. Raises FetchError."""
    try:
        task_path("full")
    except ModelError:
        if subprocess.run([sys.executable, "-m", "services.pose.models", "full"], check=False).returncode:
            raise FetchError("without its pose model KOMI sees nobody") from None


async def _run(
    played: scene.Scene,
    addresses: mesh.Addresses,
    supervisor: Supervisor,
    console: Console,
    invited: phones.Phones | None,
) -> int:
    tour = asyncio.create_task(_tour(played, addresses, supervisor, console, invited), name="tour")

    def stop() -> None:
        if tour.cancelling():
            supervisor.kill()  # asked twice: at once
        else:
            tour.cancel()

    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop)
    supervisor.start()
    status = 0
    try:
        await supervisor.keep_while(tour)
    except (ProgramError, stage.StageError) as error:
        console.say("demo", str(error), colour=31)
        status = 1
    tour.cancel()
    await asyncio.gather(tour, return_exceptions=True)
    console.end_status()
    console.say("demo", "stopping")
    await supervisor.stop()
    console.say("demo", "stopped")
    return status


async def _tour(
    played: scene.Scene,
    addresses: mesh.Addresses,
    supervisor: Supervisor,
    console: Console,
    invited: phones.Phones | None,
) -> None:
    began = time.monotonic()
    console.say("demo", f"starting the five services: {played.title}")
    await supervisor.all_ready()
    console.headline(
        f"KOMI is up after {time.monotonic() - began:.1f} s: {played.title}",
        f"Page   {addresses.gateway}/ui/",
        f"API    {addresses.gateway}/docs",
        "Ctrl-C stops everything.",
    )
    if invited is not None:
        console.invite(invited.address, invited.code())
    reference = asyncio.create_task(_set_reference(played, addresses, console), name="reference")
    try:
        async for glance in stage.watch(addresses.gateway):
            if reference.done():
                reference.result()
            console.status(glance.line())
    finally:
        reference.cancel()
        await asyncio.gather(reference, return_exceptions=True)


async def _set_reference(played: scene.Scene, addresses: mesh.Addresses, console: Console) -> None:
    began = time.monotonic()
    console.say("demo", f"building the reference {played.name!r} from its sample video")
    while True:
        try:
            await stage.set_reference(addresses.gateway, played.answer, played.name, played.exercise)
        except stage.NotYet as error:  # a service may have died meanwhile, and comes back
            console.say("demo", f"not yet: {error}", colour=33)
            await asyncio.sleep(RETRY_S)
        else:
            break
    console.say("demo", f"the reference stands after {time.monotonic() - began:.1f} s: the score follows")
