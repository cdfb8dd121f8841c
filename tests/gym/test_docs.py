"""docs/gym.md names everything there is."""

from pathlib import Path

import pytest
import yaml

from gym import movement
from gym.address import CAMERA_KEYS, MOTION_KEYS
from gym.recording import cameras_of
from gym.script import parse

DOCUMENT = Path(__file__).parents[2] / "docs" / "gym.md"


@pytest.fixture(scope="module")
def document() -> str:
    """The page."""
    return DOCUMENT.read_text(encoding="utf-8")


def test_every_setting_movement_and_fault_is_documented(document: str) -> None:
    for key, meaning in {**MOTION_KEYS, **CAMERA_KEYS}.items():
        assert f"| `{key}` | {meaning} |" in document
    for name in movement.names():
        assert f"| `{name}` |" in document
        for fault in movement.load(name).faults:
            assert f"`{fault}`" in document


def test_the_documented_script_can_be_played(document: str) -> None:
    text = document.split("```yaml\n")[1].split("```", maxsplit=1)[0]
    script = parse(yaml.safe_load(text))
    assert list(cameras_of(script)) == ["front", "side"]


def test_the_documented_python_runs(document: str) -> None:
    code = document.split("```python\n")[1].split("```", maxsplit=1)[0].split("for shot", maxsplit=1)[0]
    namespace: dict[str, object] = {}
    exec(code, namespace)
    assert namespace["picture"].shape == (480, 640, 3)  # type: ignore[attr-defined]
