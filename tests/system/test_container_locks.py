"""The containers get what the services need, in the versions that were tested."""

import re
from pathlib import Path

import pytest

from tests.support.redis_server import CHECKOUT

LOCKS = sorted((CHECKOUT / "docker").glob("*.txt"))


def asked(path: Path) -> set[str]:
    """Names in a requirements*.in."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return {re.split(r"[\[<>=;\s]", line)[0].lower() for line in lines if line and not line.startswith("-")}


def pinned(path: Path) -> set[str]:
    """name==version in a requirements*.txt."""
    return set(re.findall(r"^([a-z0-9._-]+==[^\s;]+)", path.read_text(), re.MULTILINE))


def test_what_the_services_need_is_in_some_image() -> None:
    assert asked(CHECKOUT / "requirements.in") <= set().union(
        *(asked(path.with_suffix(".in")) for path in LOCKS)
    ) | {
        "flatbuffers"  # comes with ai-edge-litert
    }


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_images_and_tests_use_the_same_versions(lock: Path) -> None:
    assert pinned(lock)
    assert pinned(lock) <= pinned(CHECKOUT / "requirements.txt")


@pytest.mark.parametrize("service", ["capture", "pose", "sync", "scoring", "gateway"])
def test_every_image_begins_with_the_same_layers(service: str) -> None:
    first, _, _ = (CHECKOUT / "services" / service / "Dockerfile").read_text().partition("\n\n")
    demo, _, _ = (CHECKOUT / "demo" / "Dockerfile").read_text().partition("\n\n")
    assert first == demo
