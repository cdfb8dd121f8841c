"""A compose that runs on this machine, measured as it is: frames go straight to its pose, CPU and memory come from the engine."""

import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from docker.errors import DockerException
from docker.models.containers import Container

import docker
from bench import usage
from bench.running import NOTHING, Mesh, any_ports, quiet
from demo import mesh
from demo.supervisor import Supervisor

MEASURED = ("redis", "pose", "sync", "scoring", "gateway")
"""Services whose containers are read. The load is played by a capture of the bench's own, a process."""
PORTS = {"pose": 50052, "gateway": 8000}
METRICS = {"pose": 9052, "sync": 9053, "scoring": 9054}
IDLE = ("capture", "demo")
"""Paused meanwhile: they would play cameras of their own."""


class NotRunning(Exception):
    """There is no such compose; the message says what to do."""


@dataclass
class ComposedMesh(Mesh):
    """A running compose. Several containers of one service count together; frames go to the first of pose."""

    containers: dict[str, list[Container]] = field(default_factory=dict)
    _peak_mb: dict[str, float] = field(default_factory=dict)

    @property
    def metrics(self) -> dict[str, str]:
        """Addresses of /metrics; of the first container each."""
        found = {
            name: f"http://{address_of(self.containers[name][0])}:{port}/metrics"
            for name, port in METRICS.items()
        }
        found["gateway"] = f"{self.addresses.gateway}/metrics"
        for name in self.loads:
            found[name] = f"http://{self.addresses.of(f'{name} metrics')}/metrics"
        return found

    def cpu(self) -> tuple[dict[str, float], float]:
        """As the engine counts it; that of the networks' own threads from /proc, 0 where the engine is not of this machine."""
        cpu_s = usage.cpu_of(self.pids)
        for name, stats in self._stats().items():
            cpu_s[name] = sum(cpu_s_of(one) for one in stats)
            self._peak_mb[name] = max(self._peak_mb.get(name, 0.0), sum(memory_mb(one) for one in stats))
        pose = (int(container.attrs["State"]["Pid"]) for container in self.containers["pose"])
        return cpu_s, sum(usage.inference_s(pid) for pid in pose)

    def peak_memory_mb(self) -> dict[str, float]:
        """The most that was seen, whenever CPU was read: the engine keeps no peak."""
        self.cpu()
        return dict(self._peak_mb)

    def resident_memory_mb(self) -> dict[str, float]:
        """Memory of the containers without the page cache that can be given up."""
        return {name: sum(memory_mb(one) for one in stats) for name, stats in self._stats().items()}

    def _stats(self) -> dict[str, list[dict[str, Any]]]:
        return {name: [stats_of(one) for one in containers] for name, containers in self.containers.items()}


def stats_of(container: Container) -> dict[str, Any]:
    """What the engine counts of a container now; takes three milliseconds."""
    stats: Any = container.stats(stream=False, one_shot=True)
    return dict(stats)


def cpu_s_of(stats: dict[str, Any]) -> float:
    """CPU seconds a container has spent."""
    return float(stats["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9


def memory_mb(stats: dict[str, Any]) -> float:
    """What a container holds, as `docker stats` shows it: without the inactive part of the page cache."""
    memory = stats["memory_stats"]
    return float(memory["usage"] - memory.get("stats", {}).get("inactive_file", 0)) / 1e6


def address_of(container: Container) -> str:
    """Where the machine reaches a container."""
    networks = container.attrs["NetworkSettings"]["Networks"].values()
    return next(str(network["IPAddress"]) for network in networks if network["IPAddress"])


def by_service(containers: Iterable[Container]) -> dict[str, list[Container]]:
    """Containers of a compose by the service they are of."""
    found: dict[str, list[Container]] = defaultdict(list)
    for container in containers:
        found[container.labels["com.docker.compose.service"]].append(container)
    return dict(found)


@asynccontextmanager
async def composed(project: str) -> AsyncIterator[ComposedMesh]:
    """The compose of this project, its own cameras paused. Raises NotRunning."""
    try:
        client = docker.from_env()
    except DockerException as error:
        raise NotRunning(f"no Docker engine answers ({error}): start it") from error
    try:
        found = by_service(client.containers.list(filters={"label": f"com.docker.compose.project={project}"}))
        if missing := [name for name in MEASURED if name not in found]:
            raise NotRunning(
                f"compose {project!r} runs no {', '.join(missing)}: `make up`, or name another by PROJECT="
            )
        paused = [container for name in IDLE for container in found.get(name, [])]
        for container in paused:
            container.pause()
        try:
            with tempfile.TemporaryDirectory(prefix="komi-bench-") as folder:
                yield _mesh({name: found[name] for name in MEASURED}, Path(folder))
        finally:
            for container in paused:
                container.unpause()
    finally:
        client.close()


def _mesh(containers: dict[str, list[Container]], folder: Path) -> ComposedMesh:
    addresses = any_ports()
    published = containers["gateway"][0].ports.get(f"{PORTS['gateway']}/tcp") or []
    if not published:
        raise NotRunning("its gateway publishes no port")
    addresses.ports["gateway"] = int(published[0]["HostPort"])
    capture = next(
        program for program in mesh.programs(NOTHING, addresses, "warning") if program.name == "capture"
    )
    pose = f"dns:///{address_of(containers['pose'][0])}:{PORTS['pose']}"
    capture = replace(capture, environment={**capture.environment, "KOMI_CAPTURE_SERVER": pose})
    return ComposedMesh(addresses, Supervisor([], quiet()), capture, folder, containers=containers)
