"""The demo's way to a reference: what may be asked again, and what may not."""

import io
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo import mesh, scene, stage, tour
from demo.console import Console

BUILD = {"build_id": "b-1", "state": "running"}


def problem(status: int) -> dict[str, Any]:
    return {"status": status, "detail": "pose is away", "reason": "POSE_UNREACHABLE"}


async def built(tmp_path: Path, *answers: httpx.Response) -> str:
    """What comes of a reference when the gateway answers so, one request after the other."""
    video, left = tmp_path / "squat.mp4", list(answers)
    video.write_bytes(b"a video")
    transport = httpx.MockTransport(lambda _: left.pop(0))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        return await stage.build_reference(client, video, "Squat", "squat")


async def test_a_part_of_the_mesh_that_is_away_is_worth_asking_again(tmp_path: Path) -> None:
    with pytest.raises(stage.NotYet, match="answered 503: pose is away"):
        await built(tmp_path, httpx.Response(503, json=problem(503)))
    failed = {**BUILD, "state": "failed", "problem": problem(503)}
    with pytest.raises(stage.NotYet, match=r"no reference could be built from squat\.mp4: pose is away"):
        await built(tmp_path, httpx.Response(202, json=BUILD), httpx.Response(200, json=failed))


async def test_a_video_that_shows_nobody_is_not(tmp_path: Path) -> None:
    failed = {**BUILD, "state": "failed", "problem": problem(422)}
    with pytest.raises(stage.StageError) as refusal:
        await built(tmp_path, httpx.Response(202, json=BUILD), httpx.Response(200, json=failed))
    assert not isinstance(refusal.value, stage.NotYet)


async def test_the_demo_asks_again_for_its_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """It once ended with the first answer that a busy service gave."""
    answers = iter([stage.NotYet("pose is away"), None])

    async def set_reference(*_: object) -> str:
        if refusal := next(answers):
            raise refusal
        return "r-1"

    monkeypatch.setattr(stage, "set_reference", set_reference)
    monkeypatch.setattr(tour, "RETRY_S", 0.0)
    shown, nothing = io.StringIO(), scene.Scene("", "", Path(), "", "")
    addresses = mesh.Addresses({"gateway": 1}, "")
    await tour._set_reference(nothing, addresses, Console(shown))
    assert "not yet: pose is away" in shown.getvalue()
    assert "the reference stands" in shown.getvalue()
