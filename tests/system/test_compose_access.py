"""`compose.yml` asks nobody for a token, which is right only while nobody beyond this machine reaches it."""

import re
from importlib import import_module
from typing import Any

import pytest
import yaml

from services.mesh.settings import ServiceSettings, read
from tests.support.redis_server import CHECKOUT

COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "compose.yml").read_text())
DEBUG: dict[str, Any] = yaml.safe_load((CHECKOUT / "compose.debug.yml").read_text())


@pytest.mark.parametrize("name", ["capture", "pose", "sync", "scoring", "gateway"])
def test_a_container_starts_with_its_settings_and_asks_for_no_token(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in COMPOSE["services"][name]["environment"].items():
        monkeypatch.setenv(variable, re.sub(r"\$\{\w+:-(.*)\}", r"\1", value))
    settings_class: type[ServiceSettings] = getattr(
        import_module(f"services.{name}.config"), f"{name.capitalize()}Settings"
    )
    arguments = re.findall(
        r'^CMD \["(.*)"\]', (CHECKOUT / "services" / name / "Dockerfile").read_text(), re.MULTILINE
    )
    assert arguments == ["--host=0.0.0.0"]
    assert not read(settings_class, arguments).asks_for_token
    monkeypatch.delenv(f"KOMI_{name.upper()}_ACCESS")
    monkeypatch.setenv("KOMI_API_TOKEN", "a-secret-of-some-length")
    assert read(settings_class, arguments).asks_for_token


def test_what_is_published_is_published_on_127_0_0_1() -> None:
    published = [
        port
        for described in (COMPOSE, DEBUG)
        for service in described["services"].values()
        for port in service.get("ports", ())
    ]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
