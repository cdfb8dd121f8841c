"""What clients do with cameras that nobody means them to: names, claims, text and order of any kind."""

import asyncio
import json
import math
import time
from contextlib import AsyncExitStack
from urllib.parse import quote

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.gateway.door import Door, receive
from tests.gateway.test_cameras import browser_frame, send_and_get
from tests.support.waiting import Eventually

NAMES = ("../문/door 1%2F?c#d&e=f", "🦵 <b>'\"`$(x)", "{live}:*" + "e\u0301" * 20)


async def test_a_camera_of_any_printable_name_is_one_like_any_other(
    mesh: Door, eventually: Eventually
) -> None:
    """Names stand in addresses and in keys of Redis."""
    for name in NAMES:
        there = f"/api/v1/cameras/{quote(name, safe='')}"
        async with mesh.socket(f"/ws/camera?camera_id={quote(name, safe='')}") as camera:
            assert (await receive(camera))["camera_id"] == name

            async def pictured(camera: ClientConnection = camera, there: str = there) -> bool:
                await send_and_get(camera, time.time())
                return (await mesh.client.get(f"{there}/frame.jpg")).status_code == 200

            await eventually(pictured, within=60, what="its picture")
            assert name in (await mesh.client.get("/cameras")).json()["cameras"]
            assert (await mesh.client.get(there)).json()["camera_id"] == name
            made = await mesh.client.post("/api/v1/sessions", json={"cameras": [name], "session_id": name})
            assert made.status_code == 201, made.text
            session = (await mesh.client.get(made.headers["location"])).json()
            assert (session["session_id"], session["cameras"]) == (name, [name])

            async def moved(camera: ClientConnection = camera, there: str = there, name: str = name) -> bool:
                await send_and_get(camera, time.time())
                return bool((await mesh.client.get(there)).json()["session_id"] == name)

            await eventually(moved, within=60, what="the camera in its session")


async def test_of_many_that_claim_a_name_at_once_one_gets_it(mesh: Door) -> None:
    async def claim(index: int) -> int:
        try:
            socket = await stack.enter_async_context(
                mesh.socket(f"/ws/v1/cameras/phone?instance=tab-{index}")
            )
        except InvalidStatus as refused:
            return refused.response.status_code
        return 101 if (await receive(socket, "ready", "error"))["type"] == "ready" else 409

    async with AsyncExitStack() as stack:
        assert sorted(await asyncio.gather(*map(claim, range(6)))) == [101] + [409] * 5


async def test_text_that_is_none_ends_its_own_connection_and_no_other(mesh: Door) -> None:
    async with mesh.socket("/ws/camera?camera_id=good") as good:
        await receive(good)
        for path in ("/ws/camera?camera_id=one", "/ws/v1/cameras/two", "/ws/v1/sessions/live", "/ws/monitor"):
            async with mesh.socket(path) as bad:
                await bad.recv()
                await bad.send(b'{"type": "\xff\xfe"}', text=True)
                with pytest.raises(ConnectionClosed):
                    await _read_all(bad)
        assert (await send_and_get(good, time.time()))["type"] == "frame_processed"


async def test_messages_in_the_wrong_order_are_answered_or_passed_over(mesh: Door) -> None:
    """Before the greeting was read, answers to what nobody asked, credit that is not theirs to give."""
    async with mesh.socket("/ws/v1/cameras/phone") as camera:
        await camera.send(json.dumps({"type": "probe_reply", "id": 999, "client_ms": 1.0}))
        await camera.send(json.dumps({"type": "credit", "frames": 1000}))
        for sequence in (5, 5, 3):  # again, and back
            await camera.send(browser_frame(sequence, math.nan))
        await camera.send(browser_frame(6, math.nan))
        while (await receive(camera, "pose"))["frame"] != 6:
            pass
    async with mesh.socket("/ws/camera?camera_id=front") as former:
        # Sent before the greeting was read.
        assert (await send_and_get(former, time.time()))["client_id"] == "front"


async def _read_all(socket: ClientConnection) -> None:
    while True:
        await socket.recv()
