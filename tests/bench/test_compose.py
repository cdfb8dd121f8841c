"""What the engine says of containers, read."""

from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import DockerException

from bench import compose
from bench.run import COMPOSE_PHASES, PHASES


def _container(service: str, address: str) -> Any:
    networks = {"edge": {"IPAddress": ""}, "inner": {"IPAddress": address}}
    labels = {"com.docker.compose.service": service}
    return SimpleNamespace(labels=labels, attrs={"NetworkSettings": {"Networks": networks}})


def test_containers_of_one_service_are_found_together_and_by_their_address() -> None:
    found = compose.by_service(
        [_container("pose", "10.0.0.2"), _container("sync", "10.0.0.3"), _container("pose", "10.0.0.4")]
    )
    assert {name: len(containers) for name, containers in found.items()} == {"pose": 2, "sync": 1}
    assert compose.address_of(found["pose"][1]) == "10.0.0.4"


def test_a_container_costs_its_cpu_and_its_memory_without_the_cache_that_can_go() -> None:
    stats = {
        "cpu_stats": {"cpu_usage": {"total_usage": 2_500_000_000}},
        "memory_stats": {"usage": 150_000_000, "stats": {"inactive_file": 50_000_000}},
    }
    assert compose.cpu_s_of(stats) == 2.5
    assert compose.memory_mb(stats) == 100.0


async def test_without_an_engine_the_bench_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_engine() -> None:
        raise DockerException("connection refused")

    monkeypatch.setattr("docker.from_env", no_engine)
    with pytest.raises(compose.NotRunning, match="no Docker engine answers"):
        async with compose.composed("komi"):
            pass


async def test_a_compose_that_lacks_a_service_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    containers = SimpleNamespace(list=lambda **_: [_container("redis", "10.0.0.2")])
    engine = SimpleNamespace(containers=containers, close=lambda: None)
    monkeypatch.setattr("docker.from_env", lambda: engine)
    with pytest.raises(compose.NotRunning, match=r"'mine' runs no pose, sync, scoring, gateway: `make up`"):
        async with compose.composed("mine"):
            pass


def test_a_running_compose_is_measured_only_by_what_it_runs() -> None:
    assert set(COMPOSE_PHASES) == set(PHASES) - {"noop", "former"}
