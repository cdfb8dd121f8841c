"""Real video of a person through the door: two WebSocket cameras, the real model, a reference, repetitions on screen."""

import asyncio
import base64
import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg

from tests.gateway.door import Door, receive


def frames_of(video: Path) -> tuple[list[bytes], float]:
    """Its frames as JPEG, half size, and how many there are in a second."""
    capture = cv2.VideoCapture(str(video))
    fps = capture.get(cv2.CAP_PROP_FPS)
    jpegs = []
    while True:
        there, image = capture.read()
        if not there:
            break
        small = np.ascontiguousarray(cv2.resize(image, None, fx=0.5, fy=0.5))
        jpegs.append(simplejpeg.encode_jpeg(small, quality=90, colorspace="BGR"))
    capture.release()
    return jpegs, fps


async def play(door: Door, camera_id: str, jpegs: list[bytes], fps: float) -> int:
    """As a former camera client does; returns how many frames were answered with a person in them."""
    found = 0

    async with door.socket(f"/ws/camera?camera_id={camera_id}") as socket:
        await receive(socket, "connection_successful")
        began = time.time()

        async def read() -> None:
            nonlocal found
            while True:
                found += bool((await receive(socket, "frame_processed"))["pose_data"]["pose"])

        reading = asyncio.create_task(read())
        for number, jpeg in enumerate(jpegs):
            due = began + number / fps
            await asyncio.sleep(max(0, due - time.time()))
            image = base64.b64encode(jpeg).decode()
            await socket.send(json.dumps({"type": "frame", "timestamp": due, "image_data": image}))
        await asyncio.sleep(1)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    return found


def overlaps(seen: list[dict[str, Any]]) -> list[float]:
    """How the outlines covered the reference's, where that was known."""
    told = [message["silhouette_overlap"] for message in seen if message["type"] == "score"]
    return [overlap for overlap in told if overlap is not None]


@pytest.mark.timeout(180)
async def test_two_websocket_cameras_are_scored_against_an_uploaded_video(
    real_mesh: Door, squats: Path
) -> None:
    door = real_mesh
    answer = await door.client.post(
        "/api/v1/references",
        data={"name": "Squat", "exercise": "squat", "silhouettes": "true"},
        files={"file": ("pose_squats.mp4", squats.read_bytes(), "video/mp4")},
        timeout=60,
    )
    assert answer.status_code == 202, answer.text
    build: dict[str, Any] = {}
    stages = set()
    async with door.client.stream("GET", f"{answer.headers['location']}/events", timeout=60) as events:
        async for line in events.aiter_lines():
            if line.startswith("data: "):
                build = json.loads(line[6:])
                stages.add(build["stage"])
    assert build["state"] == "done", build["problem"]
    assert "detecting" in stages
    reference = (await door.client.get(f"/api/v1/references/{build['reference']['reference_id']}")).json()
    assert reference["repetitions"] == 2
    assert len(reference["ghost"]) == reference["template_frames"]
    strip = await door.client.get(f"/api/v1/references/{reference['reference_id']}/strip.jpg")
    shown = [int(number) for number in strip.headers["komi-frames"].split(",")]
    assert abs(shown[0] - reference["template_first_frame"]) <= 1
    pictures = simplejpeg.decode_jpeg(strip.content)
    assert pictures.shape[1] % len(shown) == 0
    known = {"if-none-match": strip.headers["etag"]}
    again = await door.client.get(f"/api/v1/references/{reference['reference_id']}/strip.jpg", headers=known)
    assert (again.status_code, again.content) == (304, b"")

    made = await door.client.post(
        "/api/v1/sessions",
        json={
            "cameras": ["front", "side"],
            "reference_id": reference["reference_id"],
            "session_id": "evening",
        },
    )
    assert made.status_code == 201, made.text
    seen: list[dict[str, Any]] = []
    async with door.socket("/ws/v1/sessions/evening") as socket:

        async def watch() -> None:
            while True:
                seen.append(json.loads(await socket.recv()))

        watching = asyncio.create_task(watch())
        jpegs, fps = frames_of(squats)
        found = await asyncio.gather(*(play(door, name, jpegs, fps) for name in ("front", "side")))
        # Both stand where the reference's camera stood; on a slow machine they are asked for outlines late.
        if not overlaps(seen):
            await asyncio.gather(*(play(door, name, jpegs, fps) for name in ("front", "side")))
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    assert min(found) >= 0.8 * len(jpegs), found
    poses = [message for message in seen if message["type"] == "poses"]
    together = [message for message in poses if len(message["cameras"]) == 2]
    assert len(together) > len(poses) / 2
    scores = [message for message in seen if message["type"] == "score"]
    assert any(message["score"] is not None for message in scores)
    assert max(overlaps(seen), default=0) > 0.7, "the same person in the same clothes covers herself"
    numbers = [message["number"] for message in seen if message["type"] == "repetition"]
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers
    summary = (await door.client.get("/api/v1/sessions/evening/summary")).json()
    assert [repetition["number"] for repetition in summary["repetitions"]] == numbers
    for stage in ("received", "inferred", "synced", "pushed"):
        assert poses[-1]["stages_ms"][stage] > 0
    status = [message for message in seen if message["type"] == "status"][-3]
    assert {camera["camera_id"] for camera in status["cameras"]} == {"front", "side"}
    assert status["sync"]["sets"] > 0
