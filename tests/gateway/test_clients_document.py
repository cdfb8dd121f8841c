"""The Python of docs/clients.md runs as it stands."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.mesh import keys
from tests.gateway.door import JPEG, Door, an_update
from tests.gateway.scripted import Rig
from tests.gateway.test_live import watched

CLIENTS = Path(__file__).parents[2] / "docs" / "clients.md"


def defined() -> dict[str, Any]:
    """What the document's blocks define."""
    names: dict[str, Any] = {}
    for block in re.findall(
        r"^```python\n(.*?)^```", CLIENTS.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        # Each block stands for itself: two of them import another `connect`.
        scope: dict[str, Any] = {}
        exec(block, scope)
        names |= {
            name: value for name, value in scope.items() if callable(value) and not isinstance(value, type)
        }
    return names


async def test_following_a_session_survives_a_broken_connection(door: Door) -> None:
    messages = defined()["follow"](door.server.address, "live", "repetition")
    assert (await anext(messages))["type"] == "hello"
    await watched(door)
    await door.score(an_update(1, completes=1))
    assert (await anext(messages))["number"] == 1
    assert door.server._uvicorn is not None
    for connection in tuple(door.server._uvicorn.server_state.connections):
        connection.transport.abort()
    await door.score(an_update(2, completes=2))
    numbers: list[int] = []
    while not numbers:
        message = await asyncio.wait_for(anext(messages), 30)
        numbers += [message["number"]] if message["type"] == "repetition" else []
    assert numbers == [2]
    await messages.aclose()


async def test_a_video_becomes_a_session(rig: Rig, tmp_path: Path) -> None:
    video = tmp_path / "squat.mp4"
    video.write_bytes(b"video" * 100)
    session_id = await asyncio.to_thread(defined()["start"], rig.door.server.address, str(video), ["front"])
    assert await rig.door.redis.get(keys.camera_session("front")) == session_id.encode()


async def test_videos_are_compared_reports_read_versions_changed_and_exercises_named(
    rig: Rig, tmp_path: Path
) -> None:
    video = tmp_path / "squat.mp4"
    video.write_bytes(b"video" * 100)
    names = defined()

    def use() -> None:
        with httpx.Client(base_url=f"http://{rig.door.server.address}", timeout=30) as api:
            assert names["compare"](api, str(video), str(video), "squat")["score"] == 84
            assert [one["report_id"] for one in names["reports"](api, "live")] == ["p-2", "p-1", "p-0"]
            assert names["go_back"](api, "r-1") == 1
            assert names["exercise_names"](api) == {"squat": "스쿼트"}
            assert names["late_cameras"](api, "live") == {}

    await asyncio.to_thread(use)
    assert rig.scoring.files == {"sample_chunk": 500, "attempt_chunk": 500}


async def test_a_comparison_nobody_waits_for_any_longer_is_cancelled(rig: Rig, tmp_path: Path) -> None:
    video = tmp_path / "squat.mp4"
    video.write_bytes(b"video")
    compare = defined()["compare"]

    def give_up() -> None:
        address = f"http://{rig.door.server.address}"
        with httpx.Client(base_url=address, timeout=30) as api, pytest.raises(TimeoutError):
            compare(api, str(video), str(video), within_s=0)

    rig.scoring.go_on.clear()
    await asyncio.to_thread(give_up)
    await asyncio.wait_for(rig.scoring.cancelled.wait(), 30)


async def test_a_program_is_a_camera(mesh: Door) -> None:
    found = await asyncio.to_thread(defined()["send"], mesh.server.address, "front", [JPEG] * 3, 20.0)
    assert [len(pose["pose"]) for pose in found] == [1, 1, 1]
