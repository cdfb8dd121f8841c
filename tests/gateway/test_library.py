"""References' versions and files, comparisons, reports, exercises, calibrations: what scoring says, as REST says it."""

import asyncio
import json

import httpx
import pytest

from services.mesh.sessions import SessionStore
from tests.gateway.door import JPEG, Door
from tests.gateway.scripted import CONTENT_TYPE, Rig
from tests.gateway.test_rest import problem
from tests.gateway.test_uploads import END, over, part

CALIBRATION = "".join(
    f"""
[{name}]
name = "{name}"
size = [640.0, 480.0]
matrix = [[500.0, 0.0, 320.0], [0.0, 500.0, 240.0], [0.0, 0.0, 1.0]]
distortions = [0.0, 0.0, 0.0, 0.0]
rotation = [0.0, {turn}, 0.0]
translation = [0.0, 0.0, 3.0]
"""
    for name, turn in (("cam01", 0.0), ("cam02", 0.9))
)


async def compare(rig: Rig, body: bytes) -> httpx.Response:
    return await rig.door.client.post("/api/v1/compare", content=body, headers={"content-type": CONTENT_TYPE})


# ---------------------------------------------------------------- references
async def test_an_older_version_becomes_the_active_one_again(rig: Rig) -> None:
    client = rig.door.client
    versions = (await client.get("/api/v1/references/r-1/versions")).json()["references"]
    assert [(version["version"], version["active"]) for version in versions] == [(2, True), (1, False)]
    answer = await client.post("/api/v1/references/r-1/activate", json={"version": 1})
    assert (answer.json()["version"], answer.json()["active"]) == (1, True)
    problem(
        await client.post("/api/v1/references/r-1/activate", json={"version": 3}), 404, "REFERENCE_NOT_FOUND"
    )
    problem(await client.post("/api/v1/references/r-1/activate", json={"version": 0}), 422, "VALIDATION")


async def test_the_pictures_of_a_reference_are_sent_once_and_say_which_frames_they_are(rig: Rig) -> None:
    answer = await rig.door.client.get("/api/v1/references/r-1/strip.jpg")
    assert (answer.content, answer.headers["komi-frames"]) == (JPEG, "31,44,57")
    again = await rig.door.client.get(
        "/api/v1/references/r-1/strip.jpg", headers={"if-none-match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


async def test_a_reference_learns_from_a_labelled_video(rig: Rig) -> None:
    async def teach(reference_id: str, **fields: str) -> httpx.Response:
        address = f"/api/v1/references/{reference_id}/calibration"
        files = {"file": ("bad.mp4", b"video", "video/mp4")}
        return await rig.door.client.post(address, data=fields, files=files)

    begun = await teach("r-1", correct="false", person="B")
    assert begun.status_code == 202, begun.text
    done = await over(rig, begun.headers["location"])
    assert done["reference"]["version"] == 2
    assert done["reference"]["calibration"] == {"source": "labelled", "right": 6, "wrong": 5, "people": 2}
    lesson = rig.scoring.lesson
    assert (lesson.reference_id, lesson.correct, lesson.person, lesson.file_name) == (
        "r-1",
        False,
        "B",
        "bad.mp4",
    )
    problem(await teach("r-1"), 400, "BAD_UPLOAD")
    refused = await teach("r-hold", correct="true")
    if refused.status_code == 202:  # the video was through before scoring had said no
        assert (await over(rig, refused.headers["location"]))["problem"]["reason"] == "CALIBRATION_OF_HOLD"
    else:
        problem(refused, 409, "CALIBRATION_OF_HOLD")


async def test_a_reference_goes_out_as_a_file_of_its_name_and_comes_in_as_a_new_one(rig: Rig) -> None:
    file = await rig.door.client.get("/api/v1/references/r-1/export")
    assert len(file.content) == (1 << 20) + 7
    assert file.headers["content-disposition"].endswith(
        "filename*=UTF-8''%EC%8A%A4%EC%BF%BC%ED%8A%B8%20%2F%201.komi"
    )
    made = await rig.door.client.post("/api/v1/references/import", files={"file": ("a.komi", file.content)})
    assert (made.status_code, made.headers["location"]) == (201, "/api/v1/references/r-9")
    assert rig.scoring.imported == file.content


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (part("file", b"KOMI" * 100_000, "a.komi"), "UPLOAD_TRUNCATED"),
        (part("file", b"KOMI" * 100_000, "a.komi")[:90_000], "UPLOAD_TRUNCATED"),
        (part("file", b"", "a.komi") + END, "EMPTY_FILE"),
        (part("file", b"PK" * 300_000, "a.komi") + END, "NO_EXPORT"),
        (part("name", b"x") + END, "BAD_UPLOAD"),
    ],
)
async def test_a_file_that_is_no_whole_reference_is_not_imported(rig: Rig, body: bytes, reason: str) -> None:
    answer = await rig.door.client.post(
        "/api/v1/references/import", content=body, headers={"content-type": CONTENT_TYPE}
    )
    problem(answer, 400, reason)
    assert not rig.scoring.imported


async def test_what_the_scoring_that_runs_cannot_do_is_told_as_501(rig: Rig) -> None:
    problem(await rig.door.client.delete("/api/v1/references/r-1"), 501, "NOT_PROVIDED")


# ---------------------------------------------------------------- comparisons
async def test_two_videos_are_compared_and_the_progress_can_be_followed(rig: Rig) -> None:
    body = part("exercise", b"squat") + part("sample", b"s" * 700_000, "s.mp4")
    answer = await compare(rig, body + part("attempt", b"a" * 300_000, "a.mp4") + END)
    assert answer.status_code == 202, answer.text
    document = await over(rig, answer.headers["location"])
    assert (document["state"], document["comparison"]["score"]) == ("done", 84.0)
    assert document["comparison"]["frames"][0]["landmarks"] == [501, -3, None, None]
    repetition = document["comparison"]["repetitions"][0]
    assert (repetition["start_s"], repetition["end_s"]) == (1.2, 4.1)
    assert (await rig.door.client.get(answer.headers["location"])).json() == document
    assert rig.scoring.files == {"sample_chunk": 700_000, "attempt_chunk": 300_000}
    assert rig.scoring.compared is not None
    assert (rig.scoring.compared.exercise, rig.scoring.compared.sample_name) == ("squat", "s.mp4")


async def test_a_video_is_compared_with_a_reference(rig: Rig) -> None:
    answer = await compare(rig, part("reference_id", b"r-1") + part("attempt", b"a", "a.mp4") + END)
    assert (await over(rig, answer.headers["location"]))["state"] == "done"
    assert rig.scoring.compared is not None
    assert (rig.scoring.compared.reference_id, rig.scoring.compared.attempt_name) == ("r-1", "a.mp4")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (part("attempt", b"a", "a.mp4") + END, "BAD_UPLOAD"),
        (part("sample", b"s", "s.mp4") + END, "NO_FILE"),
        (part("sample", b"s", "s.mp4") + part("attempt", b"", "a.mp4") + END, "EMPTY_FILE"),
        (part("sample", b"s", "s.mp4") + part("attempt", b"a", "a.mp4"), "UPLOAD_TRUNCATED"),
        (part("reference_id", b"r-1") + part("sample", b"s", "s.mp4") + END, "BAD_UPLOAD"),
    ],
)
async def test_a_comparison_without_its_videos_is_told_what_is_missing(
    rig: Rig, body: bytes, reason: str
) -> None:
    problem(await compare(rig, body), 400, reason)


async def test_a_comparison_that_is_deleted_on_its_way_ends_and_a_finished_one_is_forgotten(rig: Rig) -> None:
    body = part("reference_id", b"r-1") + part("attempt", b"a", "a.mp4") + END
    rig.scoring.go_on.clear()
    address = (await compare(rig, body)).headers["location"]
    async with rig.door.client.stream("GET", f"{address}/events") as events:
        lines = events.aiter_lines()
        assert await anext(lines) == "event: compare"
        assert (await rig.door.client.delete(address)).status_code == 204
        told = [json.loads(line[6:])["state"] async for line in lines if line.startswith("data: ")]
    assert set(told) == {"running"}, "who follows it hears no more"
    await asyncio.wait_for(rig.scoring.cancelled.wait(), 30)
    problem(await rig.door.client.get(address), 404, "COMPARISON_NOT_FOUND")
    rig.scoring.go_on.set()
    address = (await compare(rig, body)).headers["location"]
    assert (await over(rig, address))["state"] == "done"
    assert (await rig.door.client.delete(address)).status_code == 204
    problem(await rig.door.client.get(address), 404, "COMPARISON_NOT_FOUND")
    problem(await rig.door.client.delete(address), 404, "COMPARISON_NOT_FOUND")


async def test_a_build_is_no_comparison(rig: Rig) -> None:
    build = await rig.upload(b"video", name="x")
    problem(
        await rig.door.client.get(f"/api/v1/compare/{build.json()['build_id']}"), 404, "COMPARISON_NOT_FOUND"
    )


# ---------------------------------------------------------------- reports, exercises
async def test_reports_are_paged_read_exported_and_deleted(rig: Rig) -> None:
    client = rig.door.client
    page = (await client.get("/api/v1/reports", params={"session_id": "s", "limit": 1})).json()
    assert ([report["report_id"] for report in page["reports"]], page["next_cursor"]) == (["p-2"], "more")
    assert "timeline" not in page["reports"][0]
    report = (await client.get("/api/v1/sessions/live/report")).json()
    assert (report["report_id"], report["timeline"][0]["offset_s"]) == ("p-newest", 2.0)
    table = await client.get("/api/v1/reports/p-1/repetitions.csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.splitlines()[1].startswith("1,")
    assert (await client.get("/api/v1/reports/p-1/timeline.csv")).text.splitlines()[1] == "2.0,82.0,tracking"
    problem(await client.get("/api/v1/reports/p-none"), 404, "REPORT_NOT_FOUND")
    problem(await client.delete("/api/v1/reports/p-open"), 409, "REPORT_OPEN")
    assert (await client.delete("/api/v1/reports/p-1")).status_code == 204


async def test_exercises_are_told_once_and_one_by_one(rig: Rig) -> None:
    answer = await rig.door.client.get("/api/v1/exercises")
    assert answer.json()["exercises"][0]["name"] == {"ko": "스쿼트", "en": "Squat"}
    again = await rig.door.client.get("/api/v1/exercises", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    assert (await rig.door.client.get("/api/v1/exercises/squat")).json()["kind"] == "repetitions"
    problem(await rig.door.client.get("/api/v1/exercises/moonwalk"), 404, "EXERCISE_NOT_FOUND")


# ---------------------------------------------------------------- sessions
async def test_a_session_takes_its_calibration_and_forgets_it(door: Door) -> None:
    await door.client.patch("/api/v1/sessions/live", json={"cameras": ["Cam_01", "phone"]})
    address = "/api/v1/sessions/live/calibration"
    problem(await door.client.get(address), 404, "CALIBRATION_NOT_FOUND")
    told = (await door.client.put(address, content=CALIBRATION)).json()
    assert told == {"session_id": "live", "cameras": ["cam01", "cam02"], "unmatched": ["phone"]}
    assert (await SessionStore(door.redis).get("live")).calibration_toml == CALIBRATION
    assert (await door.client.get(address)).text == CALIBRATION
    assert (await door.client.get("/api/v1/sessions/live")).json()["calibration"] == ["cam01", "cam02"]
    assert (await door.client.delete(address)).status_code == 204
    problem(await door.client.delete(address), 404, "CALIBRATION_NOT_FOUND")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("no toml", "no TOML"),
        (CALIBRATION[: CALIBRATION.index("[cam02]")], "fewer than two"),
        (
            CALIBRATION.replace("translation", "transmission", 1),
            "'cam01' of the calibration lacks translation",
        ),
        (CALIBRATION.replace("[640.0, 480.0]", "[640.0]", 1), "'size' of camera 'cam01'"),
        (CALIBRATION.replace("[0.0, 0.9, 0.0]", '["a", "b", "c"]'), "'rotation' of camera 'cam02'"),
        (CALIBRATION + "fisheye = true\n", "fisheye"),
        (b"\xff\xfe", "no UTF-8"),
        ("[" * 100_000, "no TOML"),
    ],
)
async def test_a_calibration_that_cannot_be_used_is_told_why(
    door: Door, content: str | bytes, told: str
) -> None:
    answer = await door.client.put("/api/v1/sessions/live/calibration", content=content)
    assert told in str(problem(answer, 400, "BAD_CALIBRATION")["detail"])
    problem(
        await door.client.put("/api/v1/sessions/live/calibration", content=b"#" * 300_000), 413, "TOO_LARGE"
    )


async def test_a_session_is_told_of_lags_and_aims_as_its_neighbours_read_them(door: Door) -> None:
    wanted = {
        "lag_us": {"문/door": 44000},
        "apply_content_lag": True,
        "target_repetitions": 12,
        "allow_mirror": False,
        "silhouettes": False,
    }
    told = (await door.client.patch("/api/v1/sessions/live", json=wanted)).json()
    assert {name: told[name] for name in wanted} == wanted
    extra = (await SessionStore(door.redis).get("live")).extra
    assert json.loads(extra.pop("lag_us")) == {"문/door": 44000}
    assert extra == {
        "apply_content_lag": "1",
        "target_repetitions": "12",
        "allow_mirror": "0",
        "silhouettes": "0",
    }
    told = (await door.client.patch("/api/v1/sessions/live", json=dict.fromkeys(wanted))).json()
    assert (told["lag_us"], told["silhouettes"]) == ({}, None)
    assert (await SessionStore(door.redis).get("live")).extra == {}
    answer = await door.client.patch("/api/v1/sessions/live", json={"lag_us": {"front": 6_000_000}})
    problem(answer, 422, "VALIDATION")


async def test_the_state_of_sync_can_be_asked_for_alone(door: Door) -> None:
    told = (await door.client.get("/api/v1/sessions/live/sync")).json()
    assert set(told) == {"session_id", "cameras", "sync", "alarms", "server_us"}
    problem(await door.client.get("/api/v1/sessions/nowhere/sync"), 404, "SESSION_NOT_FOUND")


# ---------------------------------------------------------------- QR
async def test_an_address_comes_as_a_picture_and_only_one_of_ours(door: Door) -> None:
    problem(await door.client.get("/api/v1/qr.svg"), 409, "LOOPBACK_ONLY")
    network = {"host": "192.168.1.7:8000"}
    answer = await door.client.get("/api/v1/qr.svg", headers=network)
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.headers["komi-address"] == "http://192.168.1.7:8000/ui/camera"
    assert b"<svg" in answer.content
    for path in ("//evil.example", "ui", "/\\evil.example", "/a\nb"):
        problem(await door.client.get("/api/v1/qr.svg", params={"path": path}), 400, "BAD_PATH")
