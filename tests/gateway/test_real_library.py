"""References, reports, comparisons and uploads through the door, with the real scoring and Redis behind it."""

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from httpx import AsyncClient, Response
from prometheus_client import REGISTRY

from komi.pose.v1.pose_service_pb2 import GetModelRequest
from services.mesh import keys
from services.pose.config import PoseSettings
from services.pose.models import ModelError, task_path
from services.scoring.library.interchange import Carried, to_file
from services.scoring.reference.building import build_template
from tests.gateway.conftest import open_mesh
from tests.gateway.door import Door
from tests.gateway.scripted import CONTENT_TYPE
from tests.gateway.test_library import CALIBRATION
from tests.gateway.test_rest import problem
from tests.gateway.test_uploads import END, part
from tests.scoring.mesh import publish
from tests.scoring.puppet import sets, squat, squats, waves
from tests.support.capabilities import require
from tests.support.waiting import eventually

SQUAT = to_file(Carried("스쿼트 / 1", 3, build_template(squats(3), "squat")))
"""A reference as somebody exported it."""
TIMES, DEPTH = waves(4)
PERFORMED = sets([squat(depth) for depth in DEPTH], TIMES)


async def imported(client: AsyncClient) -> dict[str, Any]:
    answer = await client.post("/api/v1/references/import", files={"file": ("squat.komi", SQUAT)})
    assert answer.status_code == 201, answer.text
    reference: dict[str, Any] = answer.json()
    assert answer.headers["location"].endswith(reference["reference_id"])
    return reference


async def over(client: AsyncClient, answer: Response) -> dict[str, Any]:
    """How the job ended that `answer` says was begun."""
    assert answer.status_code == 202, answer.text
    document: dict[str, Any] = {}

    async def ended() -> bool:
        document.update((await client.get(answer.headers["location"])).json())
        return bool(document["state"] != "running")

    await eventually(ended, within=120, what="the end of the job")
    return document


async def test_a_reference_goes_out_and_comes_in_and_stays_while_a_session_uses_it(mesh: Door) -> None:
    client = mesh.client
    first = await imported(client)
    address = f"/api/v1/references/{first['reference_id']}"
    whole = (await client.get(address)).json()
    assert (whole["name"], whole["version"], whole["active"], whole["videos"]) == ("스쿼트 / 1", 1, True, 3)
    assert len(whole["ghost"]) == whole["template_frames"]
    assert [curve["name"] for curve in whole["curves"]]

    exported = await client.get(f"{address}/export")
    assert exported.headers["content-disposition"].startswith("attachment")
    again = await client.post("/api/v1/references/import", files={"file": ("again.komi", exported.content)})
    second = (await client.get(f"/api/v1/references/{again.json()['reference_id']}")).json()
    assert second["curves"] == whole["curves"]
    listed = (await client.get("/api/v1/references", params={"limit": 1})).json()
    assert [one["reference_id"] for one in listed["references"]] == [second["reference_id"]]
    rest = await client.get("/api/v1/references", params={"limit": 1, "cursor": listed["next_cursor"]})
    assert [one["reference_id"] for one in rest.json()["references"]] == [first["reference_id"]]

    versions = (await client.get(f"{address}/versions")).json()["references"]
    assert [(one["version"], one["active"], one["curves"]) for one in versions] == [(1, True, [])]
    assert (await client.post(f"{address}/activate", json={"version": 1})).json()["active"]
    problem(await client.post(f"{address}/activate", json={"version": 7}), 404, "REFERENCE_VERSION_NOT_FOUND")
    problem(await client.get(f"{address}/export", params={"version": 7}), 404, "REFERENCE_VERSION_NOT_FOUND")
    # An import brings no pictures.
    assert not whole["strip"]
    assert (await client.get(f"{address}/strip.jpg")).status_code == 404

    made = await client.post("/api/v1/sessions", json={"reference_id": first["reference_id"]})
    problem(await client.delete(address), 409, "REFERENCE_IN_USE")
    await client.post(f"{made.headers['location']}/end")
    assert (await client.delete(address)).status_code == 204
    problem(await client.get(address), 404, "REFERENCE_NOT_FOUND")


async def test_a_file_that_is_no_exported_reference_is_refused_and_nothing_is_stored(mesh: Door) -> None:
    for content in (b"nothing of ours", SQUAT[:-5], SQUAT[:-5] + b"wrong"):
        answer = await mesh.client.post("/api/v1/references/import", files={"file": ("x.komi", content)})
        assert str(problem(answer, 400, answer.json()["reason"])["reason"]).startswith("REFERENCE_FILE_")
    for content, status, reason in (
        (b"", 400, "EMPTY_FILE"),
        (SQUAT + b"x" * (33 << 20), 413, "REFERENCE_TOO_LARGE"),
    ):
        answer = await mesh.client.post("/api/v1/references/import", files={"file": ("x.komi", content)})
        problem(answer, status, reason)
    assert (await mesh.client.get("/api/v1/references")).json()["references"] == []


async def test_a_performance_becomes_a_report_that_is_read_exported_and_deleted(mesh: Door) -> None:
    client = mesh.client
    reference = await imported(client)
    made = await client.post("/api/v1/sessions", json={"reference_id": reference["reference_id"]})
    session, address = made.json()["session_id"], made.headers["location"]

    async def follows() -> bool:
        raw = await mesh.redis.hget(keys.scoring_state(session), "reference")
        return raw is not None and reference["reference_id"] in raw.decode()

    await eventually(follows, within=60, what="a scorer of the session")
    problem(await client.get(f"{address}/report"), 404, "NO_REPORT")
    await publish(mesh.redis, PERFORMED, session_id=session)

    async def counted() -> bool:
        return len((await client.get(f"{address}/summary")).json()["repetitions"]) == 4

    await eventually(counted, within=60, what="four repetitions")
    report = (await client.get(f"{address}/report")).json()
    assert (report["session_id"], report["open"], report["repetition_count"]) == (session, True, 4)
    assert [one["number"] for one in report["repetitions"]] == [1, 2, 3, 4]
    here = f"/api/v1/reports/{report['report_id']}"
    problem(await client.delete(here), 409, "REPORT_OPEN")

    listed = (await client.get("/api/v1/reports", params={"session_id": session})).json()
    assert [one["report_id"] for one in listed["reports"]] == [report["report_id"]]
    assert "timeline" not in listed["reports"][0]
    assert (await client.get("/api/v1/reports", params={"session_id": "another"})).json()["reports"] == []
    # What stays when the session is gone.
    assert (await client.post(f"{address}/end")).json()["state"] == "ended"

    async def closed() -> bool:
        return not (await client.get(here)).json()["open"]

    await eventually(closed, within=60, what="the report's end")
    report = (await client.get(here)).json()
    for table, rows in (("repetitions", report["repetitions"]), ("timeline", report["timeline"])):
        answer = await client.get(f"{here}/{table}.csv")
        assert len(list(csv.DictReader(io.StringIO(answer.text)))) == len(rows)
    assert (await client.delete(here)).status_code == 204
    problem(await client.get(here), 404, "REPORT_NOT_FOUND")
    problem(await client.get(f"{here}/timeline.csv"), 404, "REPORT_NOT_FOUND")


async def test_what_needs_no_video_is_answered_by_the_real_services(mesh: Door) -> None:
    client = mesh.client
    answer = await client.get("/api/v1/exercises")
    known = {one["exercise"]: one for one in answer.json()["exercises"]}
    assert known["squat"]["steps"][0]["ko"]
    same = await client.get("/api/v1/exercises", headers={"if-none-match": answer.headers["etag"]})
    assert same.status_code == 304
    assert (await client.get("/api/v1/exercises/squat")).json() == known["squat"]
    problem(await client.get("/api/v1/exercises/moonwalk"), 404, "EXERCISE_NOT_FOUND")

    calibration = "/api/v1/sessions/live/calibration"
    assert (await client.put(calibration, content=CALIBRATION)).json()["cameras"] == ["cam01", "cam02"]
    assert (await client.get(calibration)).text == CALIBRATION
    told = (await client.get("/api/v1/sessions/live/sync")).json()
    assert set(told) == {"session_id", "cameras", "sync", "alarms", "server_us"}
    assert (await client.get("/api/v1/sessions/live/status")).json()["problems"] == []
    assert (await client.get("/api/v1/sessions/live/summary")).json()["repetitions"] == []


def clip(path: Path, frames: int, fps: float) -> bytes:
    """A film of nothing."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (64, 64))
    for number in range(frames):
        writer.write(np.full((64, 64, 3), number % 256, dtype=np.uint8))
    writer.release()
    return path.read_bytes()


async def test_ten_hours_nothing_and_half_a_video_get_clear_answers(mesh: Door, tmp_path: Path) -> None:
    client = mesh.client

    async def send(content: bytes) -> Response:
        return await client.post("/api/v1/references", files={"file": ("squat.mp4", content, "video/mp4")})

    ended = await over(client, await send(clip(tmp_path / "long.mp4", 3600, 0.1)))
    assert (ended["state"], ended["problem"]["status"]) == ("failed", 413), ended
    assert ended["problem"]["reason"] == "REFERENCE_TOO_LARGE"
    assert "lasts 36000 s; at most 180 s" in ended["problem"]["detail"]
    short = clip(tmp_path / "short.mp4", 40, 10)
    ended = await over(client, await send(short[: len(short) // 2]))
    assert (ended["problem"]["status"], ended["problem"]["reason"]) == (400, "REFERENCE_CUT_OFF")
    ended = await over(client, await send(b"this is no video at all"))
    assert (ended["problem"]["status"], ended["problem"]["reason"]) == (400, "REFERENCE_NO_VIDEO")
    problem(await send(b""), 400, "EMPTY_FILE")
    assert (await client.get("/api/v1/references")).json()["references"] == []


async def test_a_cancelled_comparison_leaves_nothing_running_and_no_video_behind(
    mesh: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancelled() -> float:
        named = {"outcome": "cancelled"}
        return REGISTRY.get_sample_value("komi_scoring_comparisons_total", named) or 0.0

    before, here = cancelled(), tmp_path / "uploads"
    here.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(here))
    video = clip(tmp_path / "long.mp4", 5000, 30)
    files = {"sample": ("sample.mp4", video, "video/mp4"), "attempt": ("attempt.mp4", video, "video/mp4")}
    begun = await mesh.client.post("/api/v1/compare", files=files)
    address = begun.headers["location"]

    async def looked_at() -> bool:
        return bool((await mesh.client.get(address)).json()["frames_done"])

    async def over_at_pose() -> bool:
        return not (await mesh.gateway.upstream.pose.GetModel(GetModelRequest())).streams

    await eventually(looked_at, within=60, what="frames being looked at")
    assert len(list(here.iterdir())) == 2
    assert not await over_at_pose()
    assert (await mesh.client.delete(address)).status_code == 204
    await eventually(over_at_pose, within=60, what="the end of pose's work on it")
    await eventually(lambda: not list(here.iterdir()), within=60, what="the videos' end")
    await eventually(lambda: cancelled() == before + 1, what="the comparison being counted as cancelled")


async def test_two_hundred_megabytes_stream_through_gateway_and_scoring_with_flat_memory(mesh: Door) -> None:
    """Both, and the client that sends, run in this process: flat together is flat each."""
    process, piece = psutil.Process(), b"x" * (1 << 20)

    async def body(megabytes: int) -> AsyncIterator[bytes]:
        yield part("file", b"", "a.mp4")[:-2]
        for _ in range(megabytes):
            yield piece
            peaks.append(process.memory_info().rss)
        yield b"\r\n" + END

    async def send(megabytes: int) -> dict[str, Any]:
        peaks.clear()
        answer = await mesh.client.post(
            "/api/v1/references",
            content=body(megabytes),
            headers={"content-type": CONTENT_TYPE},
            timeout=120,
        )
        return await over(mesh.client, answer)

    peaks: list[int] = []
    await send(8)  # buffers and threads are there from now on
    before = max(peaks)
    assert (await send(199))["problem"]["reason"] == "REFERENCE_NO_VIDEO"
    assert (max(peaks) - before) >> 20 < 24


@pytest.fixture
async def seeing(redis_url: str) -> AsyncIterator[Door]:
    """The mesh with the real model."""
    try:
        task_path("lite")
    except ModelError as error:
        require(False, str(error))
    async with AsyncExitStack() as stack:
        settings = PoseSettings(
            redis_url=redis_url, port=0, metrics_port=0, drain_s=0.5, model="lite", _cli_parse_args=[]
        )
        yield await open_mesh(stack, redis_url, settings)


@pytest.mark.timeout(400)
async def test_a_video_becomes_a_reference_is_refined_shown_and_compared(
    seeing: Door, shared_data: Path
) -> None:
    client = seeing.client
    video = (shared_data / "tfjs-pose-squats" / "pose_squats.mp4").read_bytes()

    async def build(**fields: str) -> dict[str, Any]:
        files = {"file": ("squats.mp4", video, "video/mp4")}
        ended = await over(client, await client.post("/api/v1/references", data=fields, files=files))
        assert ended["state"] == "done", ended["problem"]
        reference: dict[str, Any] = ended["reference"]
        return reference

    built = await build(name="Squat", exercise="squat")
    address = f"/api/v1/references/{built['reference_id']}"
    refined = await build(name="Squat", reference_id=built["reference_id"])
    assert (refined["reference_id"], refined["version"], refined["videos"]) == (built["reference_id"], 2, 2)
    assert (await client.post(f"{address}/activate", json={"version": 1})).json()["version"] == 1
    versions = (await client.get(f"{address}/versions")).json()["references"]
    assert [(one["version"], one["active"]) for one in versions] == [(2, False), (1, True)]

    strip = await client.get(f"{address}/strip.jpg")
    assert (strip.status_code, strip.content[:2]) == (200, b"\xff\xd8")
    assert [int(frame) for frame in strip.headers["komi-frames"].split(",")]
    same = await client.get(f"{address}/strip.jpg", headers={"if-none-match": strip.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")

    files = {"attempt": ("again.mp4", video, "video/mp4")}
    fields = {"reference_id": built["reference_id"]}
    begun = await client.post("/api/v1/compare", data=fields, files=files)
    found = (await over(client, begun))["comparison"]
    assert found["score"] > 80
    assert len(found["repetitions"]) == 2
    assert len(found["frames"]) == found["attempt_frames"] == 65
    assert all(len(frame["landmarks"]) == 66 for frame in found["frames"])
    events = await asyncio.wait_for(client.get(f"{begun.headers['location']}/events"), 30)
    assert '"state":"done"' in events.text
