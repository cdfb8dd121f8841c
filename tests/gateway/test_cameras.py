"""Cameras by WebSocket, against the real pose, sync and scoring (pose finds the same standing person everywhere)."""

import asyncio
import base64
import json
import math
import struct
import time
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.gateway.door import JPEG, Door, receive
from tests.support.waiting import Eventually

IMAGE = base64.b64encode(JPEG).decode()


def frame_message(timestamp: float | None = None, image: str = IMAGE) -> str:
    message: dict[str, Any] = {"type": "frame", "image_data": image}
    return json.dumps(message if timestamp is None else message | {"timestamp": timestamp})


async def send_and_get(socket: ClientConnection, timestamp: float) -> dict[str, Any]:
    await socket.send(frame_message(timestamp))
    return await receive(socket, "frame_processed")


async def listed(monitor: ClientConnection, cameras: list[str]) -> None:
    """Wait until the monitor was told of these cameras; the first message lists some, or none yet."""
    first = await receive(monitor)
    assert first["type"] == "cameras_list"
    told = first["cameras"]
    while told != cameras:
        told = (await receive(monitor, "cameras_list"))["cameras"]


async def test_a_former_camera_client_gets_its_poses_back_and_monitors_see_it(
    mesh: Door, eventually: Eventually
) -> None:
    async with mesh.socket("/ws/camera?camera_id=front") as camera, mesh.socket("/ws/monitor") as monitor:
        assert await receive(camera) == {
            "type": "connection_successful",
            "camera_id": "front",
            "message": "connected to the server",
        }
        await listed(monitor, ["front"])
        stamp = time.time()
        answer = await send_and_get(camera, stamp)
        assert (answer["client_id"], answer["timestamp"], answer["pose_data"]["timestamp"]) == (
            "front",
            stamp,
            stamp,
        )
        assert len(answer["pose_data"]["pose"][0]["keypoints"]) == 33
        seeing = asyncio.create_task(receive(monitor, "status_update"))
        while not seeing.done():
            await send_and_get(camera, time.time())
        update = seeing.result()
        assert (update["camera_id"], update["has_new_image"]) == ("front", True)
        assert stamp - 1 < update["timestamp"] < time.time() + 1
        assert (await mesh.client.get("/cameras")).json() == {"cameras": ["front"], "count": 1}

        async def timed_by_client() -> bool:
            document = (await mesh.client.get("/api/v1/cameras/front")).json()
            return bool(document["time_source"] == "client_timestamps")

        # Reported twice a second.
        await eventually(timed_by_client, what="whose times they are")


async def test_a_camera_without_a_name_gets_one_and_without_timestamps_is_timed_by_arrival(
    mesh: Door,
) -> None:
    async with mesh.socket("/ws/camera") as camera:
        name = (await receive(camera))["camera_id"]
        assert name.startswith("camera_")
        await camera.send(frame_message())
        answer = await receive(camera, "frame_processed")
        assert answer["client_id"] == name
        assert answer["timestamp"] == pytest.approx(time.time(), abs=60)


BAD_FRAMES: list[tuple[str | bytes, str]] = [
    ("no json", "BAD_MESSAGE"),
    ("[]", "BAD_MESSAGE"),
    ('{"type": "wave"}', "BAD_MESSAGE"),
    ('{"type": "frame"}', "BAD_MESSAGE"),
    ('{"type": "frame", "image_data": 7}', "BAD_MESSAGE"),
    (frame_message(1.0, "%%%"), "IMAGE_BROKEN"),
    (frame_message(1.0, base64.b64encode(b"GIF89a").decode()), "IMAGE_BROKEN"),
    (frame_message(1.0, base64.b64encode(JPEG[:60]).decode()), "IMAGE_BROKEN"),
    ('{"type": "frame", "image_data": "", "timestamp": "noon"}', "BAD_TIME"),
    ('{"type": "frame", "image_data": "", "timestamp": -5}', "BAD_TIME"),
    (b"\x00\x01\x02", "BAD_MESSAGE"),
]


async def test_a_frame_that_cannot_be_used_is_answered_and_the_next_one_works(mesh: Door) -> None:
    async with mesh.socket("/ws/camera?camera_id=front") as camera:
        await receive(camera)
        for message, reason in BAD_FRAMES:
            await camera.send(message)
            assert (await receive(camera, "error"))["reason"] == reason, message
            assert (await send_and_get(camera, time.time()))["type"] == "frame_processed"


async def test_two_clients_with_one_camera_name_the_second_is_refused_and_the_first_goes_on(
    mesh: Door, eventually: Eventually
) -> None:
    async with mesh.socket("/ws/camera?camera_id=front") as first:
        await receive(first)
        await send_and_get(first, time.time())
        with pytest.raises(InvalidStatus) as refused:
            async with mesh.socket("/ws/camera?camera_id=front"):
                pass
        assert refused.value.response.status_code == 409
        assert json.loads(refused.value.response.body or b"")["reason"] == "CAMERA_NAME_TAKEN"
        assert (await send_and_get(first, time.time()))["type"] == "frame_processed"

    async def free() -> bool:
        try:
            async with mesh.socket("/ws/camera?camera_id=front") as again:
                return bool((await receive(again))["type"] == "connection_successful")
        except InvalidStatus:
            return False

    await eventually(free, what="the name's release")


async def test_a_bad_camera_name_is_refused_before_the_handshake(mesh: Door) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with mesh.socket("/ws/camera?camera_id=%0A"):
            pass
    assert refused.value.response.status_code == 400


async def test_a_monitor_can_ask_for_an_image(mesh: Door) -> None:
    async with mesh.socket("/ws/camera?camera_id=front") as camera, mesh.socket("/ws/monitor") as monitor:
        await receive(camera)

        async def play() -> None:
            while True:
                await send_and_get(camera, time.time())

        playing = asyncio.create_task(play())
        try:
            await listed(monitor, ["front"])
            image = {"reason": "NO_IMAGE_YET"}  # as it says where pose did not see in time that one is wanted
            while image.get("reason") == "NO_IMAGE_YET":
                await monitor.send('{"type": "request_image", "camera_id": "front"}')
                image = await receive(monitor, "image_data", "error")
            assert base64.b64decode(image["image_data"]) == JPEG
            await monitor.send('{"type": "request_image", "camera_id": "nobody"}')
            assert (await receive(monitor, "error"))["reason"] == "CAMERA_NOT_FOUND"
            await monitor.send("nonsense")
            assert (await receive(monitor, "error"))["reason"] == "BAD_MESSAGE"
        finally:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)


# ---------------------------------------------------------------- browser cameras
def browser_frame(sequence: int, client_ms: float, jpeg: bytes = JPEG, version: int = 1) -> bytes:
    return struct.pack("<BBHId", version, 0, 0, sequence, client_ms) + jpeg


async def test_a_browser_camera_is_timed_by_probes_and_gets_its_poses_back(mesh: Door) -> None:
    """The page's clock starts at an arbitrary origin; the pose's time must be the server's all the same."""
    origin = time.monotonic() - 1234.5

    def page_ms() -> float:
        return (time.monotonic() - origin) * 1000

    def server_us() -> int:
        return mesh.gateway.clock.now_us()

    async with mesh.socket("/ws/v1/cameras/phone?fps=15") as camera:
        probes = sequence = captured_us = within_us = 0
        while True:
            message = await receive(camera)
            match message["type"]:
                case "ready":
                    assert (message["camera_id"], message["session_id"]) == ("phone", "live")
                case "probe":
                    await camera.send(
                        json.dumps({"type": "probe_reply", "id": message["id"], "client_ms": page_ms()})
                    )
                    probes += 1
                    if probes == 5:
                        sequence += 1
                        before_us, captured_ms, captured_us = server_us(), page_ms(), server_us()
                        # This thread may have stood still in between, or while a probe was on its way: that is told.
                        within_us += 20_000 + captured_us - before_us
                        await camera.send(browser_frame(sequence, captured_ms))
                case "clock":
                    assert message["uncertainty_us"] > 0
                    within_us += message["uncertainty_us"]
                case "pose":
                    break
        assert (message["epoch"], message["frame"], message["persons"]) == (0, 1, 1)
        assert len(message["image_px"]) == 66
        assert abs(message["server_us"] - captured_us) < within_us
        assert 0 < message["latency_ms"] < (server_us() - captured_us + within_us) / 1000
        assert (await mesh.client.get("/api/v1/cameras")).status_code == 200


async def test_a_browser_camera_is_greeted_before_it_is_asked_for_its_clock(mesh: Door) -> None:
    """Probes went out while the stream to pose was still opening: pages got one before `ready`."""
    for number in range(3):
        async with mesh.socket(f"/ws/v1/cameras/phone-{number}") as camera:
            assert (await receive(camera, "ready", "probe"))["type"] == "ready"
            await receive(camera, "probe")


BAD_MESSAGES: list[tuple[str | bytes, str]] = [
    (b"", "BAD_MESSAGE"),
    (b"\x01" * 15, "BAD_MESSAGE"),
    (browser_frame(1, 1.0, version=9), "BAD_MESSAGE"),
    (browser_frame(1, 1.0, jpeg=b"GIF89a"), "IMAGE_BROKEN"),
    ("{", "BAD_MESSAGE"),
    ('{"type": "probe_reply", "id": 1, "client_ms": "now"}', "BAD_TIME"),
]


async def test_what_a_browser_sends_wrongly_is_answered_and_the_connection_stays(mesh: Door) -> None:
    async with mesh.socket("/ws/v1/cameras/phone") as camera:
        await receive(camera, "ready")
        for sequence, (message, reason) in enumerate(BAD_MESSAGES):
            await camera.send(message)
            assert (await receive(camera, "error"))["reason"] == reason, message
            await camera.send(browser_frame(sequence, math.nan))
            assert (await receive(camera, "pose"))["frame"] == sequence


async def test_a_reconnecting_browser_takes_its_own_name_back_at_once(mesh: Door) -> None:
    """A phone that lost its network leaves a connection behind that nobody has ended yet."""
    path = "/ws/v1/cameras/phone?instance=tab-1"
    async with mesh.socket(path) as lost:
        await receive(lost, "ready")
        await lost.send(browser_frame(7, math.nan))
        assert (await receive(lost, "pose"))["frame"] == 7
        async with mesh.socket(path) as again:
            await receive(again, "ready")
            await again.send(browser_frame(0, math.nan))
            assert (await receive(again, "pose"))["frame"] == 0
            with pytest.raises(ConnectionClosed):
                await _read_all(lost)


async def _read_all(socket: ClientConnection) -> None:
    while True:
        await socket.recv()


async def test_a_camera_moves_to_the_session_that_claims_it(mesh: Door) -> None:
    async with mesh.socket("/ws/v1/cameras/phone") as camera:
        await receive(camera, "ready")
        made = await mesh.client.post("/api/v1/sessions", json={"cameras": ["phone"]})
        session = await receive(camera, "session")
        assert session["session_id"] == made.json()["session_id"]
