"""The real mesh as processes on this machine, and a load of recordings to play to it."""

import asyncio
import io
import itertools
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench import usage
from bench.clips import at_rate, folder_of
from bench.viewer import Viewer, watching
from demo import mesh, ports, stage
from demo.console import Console
from demo.scene import Scene
from demo.supervisor import Program, Supervisor

READY_S = 240.0
"""The first start on a machine compiles, on a slow one for a minute."""
FLOOD = "flood"
"""What a second load is called."""
NOTHING = Scene("", "", Path(), "", "")
"""No cameras, no reference."""
_numbers = itertools.count()


@dataclass
class Mesh:
    """A running mesh without cameras."""

    addresses: mesh.Addresses
    supervisor: Supervisor
    capture: Program
    folder: Path
    loads: dict[str, Supervisor] = field(default_factory=dict)
    """Captures that play, by what they are called; the first is `capture`."""

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of what runs."""
        running = dict(self.supervisor.pids)
        for name, load in self.loads.items():
            running[name] = load.pids["capture"]
        return {name: pid for name, pid in running.items() if pid is not None}

    @property
    def metrics(self) -> dict[str, str]:
        """Addresses of /metrics of what runs."""
        found = {
            name: f"http://{self.addresses.of(f'{name} metrics')}/metrics"
            for name in (*mesh.GRPC_SERVICES, FLOOD)
            if name in self.pids
        }
        return {**found, "gateway": f"{self.addresses.gateway}/metrics"}

    async def read(self) -> usage.Reading:
        """CPU and drops now."""
        return await usage.read(self.cpu, self.metrics)

    def cpu(self) -> tuple[dict[str, float], float]:
        """CPU seconds by service, and those of the networks' own threads."""
        return usage.of_processes(self.pids)

    def peak_memory_mb(self) -> dict[str, float]:
        """By service."""
        return usage.peak_memory_mb(self.pids)

    def resident_memory_mb(self) -> dict[str, float]:
        """By service."""
        return usage.resident_memory_mb(self.pids)

    @asynccontextmanager
    async def viewer(self) -> AsyncIterator[Viewer]:
        """A WebSocket client of the session."""
        async with watching(self.addresses.gateway) as viewer:
            yield viewer

    @asynccontextmanager
    async def load(self, clips: list[list[Path]], fps: float, called: str = "capture") -> AsyncIterator[None]:
        """Capture plays the clips, each as one camera, open loop: a late frame counts from when it was due.

        A second load beside the first is `called` FLOOD, and so are its cameras.
        """
        folder = self.folder / f"load-{next(_numbers)}"
        rate = f"?fps={fps:g}"
        camera = "cam" if called == "capture" else called
        cameras = ",".join(
            f"{camera}{number:02}:{folder_of(at_rate(frames, fps), folder / str(number))}{rate}"
            for number, frames in enumerate(clips, 1)
        )
        address = self.addresses.of(called)
        program = replace(
            self.capture,
            command=(*self.capture.command[:-1], str(self.addresses.ports[called])),
            ready=lambda: mesh.serving(address),
            environment={
                **self.capture.environment,
                "KOMI_CAPTURE_METRICS_PORT": str(self.addresses.ports[f"{called} metrics"]),
                "KOMI_CAPTURE_CAMERAS": cameras,
                "KOMI_CAPTURE_FPS": f"{fps:g}",
            },
            essential=True,
        )
        self.loads[called] = load = Supervisor([program], quiet())
        load.start()
        try:
            await _ready(load)
            yield
        finally:
            await load.stop()
            del self.loads[called]

    async def set_reference(self, video: Path) -> None:
        """Have the session follow a reference, as a user would. Raises demo.stage.StageError."""
        await stage.set_reference(self.addresses.gateway, video, "Bench", "")


@asynccontextmanager
async def running(model: str, *, inference: bool = True, **settings: str) -> AsyncIterator[Mesh]:
    """The mesh, ready. `settings`: more environment for all services. Raises ProgramError, TimeoutError."""
    os.environ.pop(mesh.REDIS_URL, None)  # its own Redis: nobody else's sessions
    addresses = any_ports()
    more = {"KOMI_POSE_MODEL": model, "KOMI_POSE_INFERENCE": "blazepose" if inference else "none", **settings}
    if not inference:
        more["KOMI_POSE_MAX_TRACKERS"] = "64"
    programs = [
        replace(program, environment={**program.environment, **_of(program.name, more)})
        for program in mesh.programs(NOTHING, addresses, "warning")
    ]
    capture = next(program for program in programs if program.name == "capture")
    supervisor = Supervisor([program for program in programs if program is not capture], quiet())
    with tempfile.TemporaryDirectory(prefix="komi-bench-") as folder:
        supervisor.start()
        try:
            await _ready(supervisor)
            yield Mesh(addresses, supervisor, capture, Path(folder))
        finally:
            await supervisor.stop()


async def _ready(supervisor: Supervisor) -> None:
    """Raises ProgramError when one of them cannot run, TimeoutError when one is not ready in time."""
    waiting = asyncio.create_task(supervisor.all_ready())
    try:
        async with asyncio.timeout(READY_S):
            await supervisor.keep_while(waiting)
    finally:
        waiting.cancel()


def any_ports() -> mesh.Addresses:
    """Ports that nobody expects anything on: a capture meant for another mesh must not join this one."""
    names = (*mesh.USUAL_PORTS, FLOOD, f"{FLOOD} metrics")
    chosen = dict(zip(names, ports.block(len(names)), strict=True))
    return mesh.Addresses(chosen, f"redis://{ports.HOST}:{chosen['redis']}/0")


def _of(name: str, settings: dict[str, str]) -> dict[str, str]:
    """The settings that a service knows: an unknown one ends it."""
    own = f"KOMI_{name.upper()}_"
    return {key: value for key, value in settings.items() if key.startswith(own)}


def quiet() -> Console:
    """What the programs say matters only when one cannot run, and then the error says it."""
    return Console(io.StringIO())
