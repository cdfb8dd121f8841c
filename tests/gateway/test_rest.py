"""REST: sessions, cameras, images; every error is problem JSON."""

import asyncio
import base64
import re
from urllib.parse import quote

import httpx
import pytest

from komi.common.v1 import pose_pb2
from services.gateway import images
from services.mesh import keys
from services.mesh.images import CameraImage, Images
from tests.gateway.door import JPEG, Door, a_frame
from tests.support.waiting import Eventually

STRANGE = ["문/door 1", "a%2Fb", "..", "100%", "x?y#z", "é" * 64]


def problem(answer: httpx.Response, status: int, reason: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, object] = answer.json()
    assert (document["status"], document["reason"]) == (status, reason)
    assert document["detail"]
    return document


async def put_image(door: Door, camera_id: str, sequence: int = 1, *, age_us: int = 0) -> None:
    """As pose does while somebody looks."""
    frame = a_frame(camera_id, sequence)
    server_us = door.gateway.clock.now_us() - age_us
    await Images(door.redis).put(
        camera_id, CameraImage(JPEG, sequence, server_us, 64, 48, frame.SerializeToString())
    )


# ---------------------------------------------------------------- sessions
async def test_a_session_is_created_read_changed_ended_and_forgotten(door: Door) -> None:
    made = await door.client.post(
        "/api/v1/sessions", json={"session_id": "아침 운동", "cameras": ["front", "side"]}
    )
    assert made.status_code == 201
    address = made.headers["location"]
    assert (await door.client.get(address)).json() == made.json()
    assert await door.redis.get(keys.camera_session("front")) == "아침 운동".encode()
    changed = await door.client.patch(address, json={"cameras": ["side"], "mode": "video", "resample": True})
    assert changed.json() | {"created_us": 0} == {
        "session_id": "아침 운동", "cameras": ["side"], "reference_id": "", "reference_version": 0, "mode": "video",
        "resample": True, "target_repetitions": None, "allow_mirror": True, "silhouettes": None, "lag_us": {},
        "apply_content_lag": False, "calibration": None, "state": "open", "created_us": 0, "ended_us": None,
    }  # fmt: skip
    assert await door.redis.get(keys.camera_session("front")) is None
    ended = await door.client.post(f"{address}/end")
    assert ended.json()["state"] == "ended"
    assert ended.json()["ended_us"] > made.json()["created_us"]
    problem(await door.client.patch(address, json={}), 409, "SESSION_ENDED")
    assert (await door.client.delete(address)).status_code == 204
    problem(await door.client.get(address), 404, "SESSION_NOT_FOUND")


async def test_a_session_name_is_given_or_made_and_never_taken_twice(door: Door) -> None:
    made = [(await door.client.post("/api/v1/sessions", json={})).json()["session_id"] for _ in range(2)]
    assert made[0] != made[1]
    problem(await door.client.post("/api/v1/sessions", json={"session_id": made[0]}), 409, "SESSION_EXISTS")


async def test_live_is_always_there(door: Door) -> None:
    assert (await door.client.get("/api/v1/sessions/live")).json()["state"] == "open"
    problem(await door.client.post("/api/v1/sessions/live/end"), 409, "SESSION_PERMANENT")
    problem(await door.client.delete("/api/v1/sessions/live"), 409, "SESSION_PERMANENT")


@pytest.mark.parametrize(
    "body",
    [
        {"colour": "red"},
        {"cameras": ["x"] * 9},
        {"cameras": ["a\nb"]},
        {"session_id": " x"},
        {"mode": "dance"},
        {"reference_version": -1},
        [],
    ],
)
async def test_a_session_that_makes_no_sense_is_refused_by_field(door: Door, body: object) -> None:
    document = problem(await door.client.post("/api/v1/sessions", json=body), 422, "VALIDATION")
    assert document["errors"]


async def test_lists_are_paged_without_loss_or_repetition(door: Door) -> None:
    made = {(await door.client.post("/api/v1/sessions", json={})).json()["session_id"] for _ in range(5)}
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = (
            await door.client.get(
                "/api/v1/sessions", params={"limit": 2} | ({"cursor": cursor} if cursor else {})
            )
        ).json()
        seen += [session["session_id"] for session in page["sessions"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == 6
    assert set(seen) == made | {"live"}
    problem(await door.client.get("/api/v1/sessions", params={"cursor": "nonsense"}), 400, "BAD_CURSOR")


# ---------------------------------------------------------------- cameras and images
@pytest.mark.parametrize("name", STRANGE)
async def test_a_camera_may_have_any_name(door: Door, name: str) -> None:
    await door.register(name)
    await put_image(door, name)
    assert (await door.client.get("/cameras")).json() == {"cameras": [name], "count": 1}
    path = httpx.URL(f"http://{door.server.address}").copy_with(
        raw_path=f"/api/v1/cameras/{_segment(name)}/frame.jpg".encode()
    )
    answer = await door.client.get(path)
    assert (answer.status_code, answer.content) == (200, JPEG)


def _segment(name: str) -> str:
    # A lone dot segment is taken out by clients before it is sent, unless it is encoded.
    return quote(name, safe="").replace(".", "%2E")


async def test_an_image_has_an_etag_and_is_sent_once(door: Door) -> None:
    await door.register("front")
    await put_image(door, "front")
    first = await door.client.get("/api/v1/cameras/front/frame.jpg")
    assert first.headers["content-type"] == "image/jpeg"
    again = await door.client.get(
        "/api/v1/cameras/front/frame.jpg", headers={"if-none-match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    await put_image(door, "front", 2)
    fresh = await door.client.get(
        "/api/v1/cameras/front/frame.jpg", headers={"if-none-match": first.headers["etag"]}
    )
    assert fresh.status_code == 200


async def test_the_first_look_waits_for_the_image_that_pose_writes_because_of_it(
    door: Door, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "FIRST_WAIT_S", 60.0)
    await door.register("front")
    await put_image(door, "front", 1, age_us=8_000_000)  # nobody has looked for a while
    looking = asyncio.create_task(door.client.get("/get-image/front"))

    async def wanted() -> bool:
        return bool(await door.redis.exists(keys.camera_watch("front")))

    await eventually(wanted)
    await put_image(door, "front", 2)
    answer = await looking
    assert answer.headers["etag"].endswith('-2"')


async def test_latest_image_carries_image_and_pose_in_the_kept_shape(door: Door) -> None:
    await door.register("front")
    await put_image(door, "front", 3)
    document = (await door.client.get("/latest_image/front")).json()
    assert set(document) == {"camera_id", "image_data", "timestamp", "pose_data"}
    assert base64.b64decode(document["image_data"]) == JPEG
    assert len(document["pose_data"]["pose"][0]["keypoints"]) == 33
    assert document["pose_data"]["timestamp"] == document["timestamp"]


async def test_a_camera_without_an_image_yet_is_told_apart_from_an_unknown_one(door: Door) -> None:
    await door.register("front")
    answer = await door.client.get("/api/v1/cameras/front/frame.jpg")
    problem(answer, 503, "NO_IMAGE_YET")
    assert answer.headers["retry-after"] == "1"
    for path in ("/api/v1/cameras/nobody/frame.jpg", "/api/v1/cameras/nobody/stream.mjpg", "/api/v1/cameras/nobody",
                 "/latest_image/nobody", "/get-image/nobody"):  # fmt: skip
        problem(await door.client.get(path), 404, "CAMERA_NOT_FOUND")


async def test_motion_jpeg_brings_each_new_image_and_asks_for_them_only_while_it_is_read(
    door: Door, eventually: Eventually
) -> None:
    await door.register("front")
    async with door.client.stream("GET", "/api/v1/cameras/front/stream.mjpg") as stream:
        assert "boundary=komi-frame" in stream.headers["content-type"]
        chunks = stream.aiter_raw()
        assert await anext(chunks) == b"--komi-frame\r\n"
        for sequence in (1, 2, 3):
            await eventually(lambda: door.gateway.images._watched["front"].viewers, what="the watch")
            await put_image(door, "front", sequence)
            part = b""
            while not part.endswith(b"\r\n--komi-frame\r\n"):
                part += await anext(chunks)
            head, _, rest = part.partition(b"\r\n\r\n")
            assert f"Content-Length: {len(JPEG)}".encode() in head
            assert rest.startswith(JPEG)
        assert await door.redis.exists(keys.camera_watch("front"))
    await eventually(lambda: "front" not in door.gateway.images._watched, what="the end of the watch")


# ---------------------------------------------------------------- the rest
async def test_an_address_that_is_none_and_a_method_that_is_none_are_problems(door: Door) -> None:
    problem(await door.client.get("/api/v2/nothing"), 404, "NO_SUCH_ADDRESS")
    problem(await door.client.put("/api/v1/cameras"), 405, "METHOD_NOT_ALLOWED")


async def test_a_neighbour_that_is_away_is_a_503_with_retry_after(door: Door) -> None:
    answer = await door.client.get("/api/v1/references")
    problem(answer, 503, "UNAVAILABLE")
    assert int(answer.headers["retry-after"]) >= 1


async def test_status_says_what_is_waited_for_until_the_neighbours_are_there(
    door: Door, eventually: Eventually
) -> None:
    async def told() -> bool:
        answer = await door.client.get("/readyz")
        assert answer.status_code == 503
        return "pose at 127.0.0.1:1" in answer.json()["waiting_for"].get("neighbours", "")

    await eventually(told)
    root = (await door.client.get("/")).json()
    assert (root["status"], root["ready"]) == ("ok", False)
    assert (await door.client.get("/healthz")).json() == {"status": "ok"}


async def test_the_metrics_have_units_and_no_camera_names_as_labels(door: Door) -> None:
    await door.client.get("/get-image/secret-name")
    text = (await door.client.get("/metrics")).text
    assert "komi_gateway_request_seconds_bucket" in text
    assert "secret-name" not in text


async def test_every_answer_carries_the_security_headers(door: Door) -> None:
    for path in ("/", "/nothing", "/ui/"):
        headers = (await door.client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in headers["content-security-policy"]


async def test_an_image_written_by_another_version_without_a_pose_still_shows(door: Door) -> None:
    await door.register("front")
    server_us = door.gateway.clock.now_us()
    await Images(door.redis).put(
        "front", CameraImage(JPEG, 1, server_us, 64, 48, pose_pb2.PoseFrame().SerializeToString())
    )
    document = (await door.client.get("/latest_image/front")).json()
    assert document["pose_data"]["pose"] == []


async def test_the_pages_load_nothing_from_elsewhere(door: Door) -> None:
    for path in ("/docs", "/ui/"):
        page = await door.client.get(path)
        assert page.status_code == 200
        for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
            assert not re.match(r"[a-z]+:|//", address), address
            assert (
                await door.client.get(f"/ui/{address}" if address[0] != "/" else address)
            ).status_code == 200, address


async def test_a_mistyped_address_of_the_page_leads_people_to_the_page_and_tells_programs(door: Door) -> None:
    person = await door.client.get("/ui/histry/", headers={"accept": "text/html,*/*;q=0.8"})
    assert (person.status_code, person.headers["location"]) == (303, "/ui/")
    program = await door.client.get("/ui/histry/")
    assert (program.status_code, program.json()["reason"]) == (404, "NO_SUCH_ADDRESS")
    assert (await door.client.get("/favicon.ico")).headers["location"] == "/ui/icon.svg"


async def test_openapi_names_every_route_and_every_problem(door: Door) -> None:
    schema = (await door.client.get("/openapi.json")).json()
    for path in ("/", "/cameras", "/latest_image/{camera_id}", "/get-image/{camera_id}", "/api/v1/cameras",
                 "/api/v1/cameras/{camera_id}/frame.jpg", "/api/v1/cameras/{camera_id}/stream.mjpg",
                 "/api/v1/sessions/{session_id}", "/api/v1/references/builds/{build_id}/events", "/readyz"):  # fmt: skip
        assert path in schema["paths"], path
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            for status, answer in operation["responses"].items():
                if int(status) >= 400 and path != "/readyz":
                    assert "application/problem+json" in answer["content"], (method, path, status)
