"""`--server ws://…`: the contract that camera clients spoke before, kept as it was."""

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from komi.capture.v1 import capture_service_pb2
from tests.capture.conftest import MakeVideo, StartCapture
from tests.support.redis_server import free_port
from tests.support.waiting import Eventually


@dataclass
class ScriptedGateway:
    """Speaks /ws/camera and does what a test tells it to."""

    answers: bool = True
    refusal: HTTPStatus | None = None
    token: str = ""
    paths: list[str] = field(default_factory=list)
    frames: list[dict[str, Any]] = field(default_factory=list)

    async def camera(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.paths.append(socket.request.path)
        name = parse_qs(urlsplit(socket.request.path).query)["camera_id"][0]
        await socket.send(
            json.dumps({"type": "connection_successful", "camera_id": name, "message": "connected"})
        )
        async for text in socket:
            frame = json.loads(text)
            self.frames.append(frame)
            if self.answers:
                pose = {
                    "pose": [{"keypoints": [{"id": 0, "x": 1, "y": 2, "confidence": 0.9}]}],
                    "timestamp": 0,
                }
                answer = {"type": "frame_processed", "client_id": name, "timestamp": frame["timestamp"]}
                await socket.send(json.dumps({**answer, "pose_data": pose}))

    def refuse(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return connection.respond(HTTPStatus.UNAUTHORIZED, "no token")
        return connection.respond(self.refusal, "no") if self.refusal else None

    @contextlib.asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[int]:
        async with serve(
            self.camera, "127.0.0.1", port, process_request=self.refuse, close_timeout=0.1
        ) as server:
            yield next(iter(server.sockets)).getsockname()[1]


async def test_frames_are_sent_as_the_old_clients_sent_them(
    start_capture: StartCapture, make_video: MakeVideo, eventually: Eventually
) -> None:
    gateway = ScriptedGateway()
    async with (
        gateway.serving() as port,
        start_capture(server=f"ws://127.0.0.1:{port}", cameras=f"앞 문:{make_video(frames=300)}") as capture,
    ):
        await eventually(lambda: len(gateway.frames) >= 5, what="frames")
        assert (await capture.camera("앞 문")).link == capture_service_pb2.LINK_STATE_STREAMING
    assert urlsplit(gateway.paths[0]).path == "/ws/camera"
    for frame in gateway.frames:
        assert set(frame) == {"type", "timestamp", "image_data"}
        assert frame["type"] == "frame"
        assert abs(frame["timestamp"] - time.time()) < 30
        assert base64.b64decode(frame["image_data"])[:2] == b"\xff\xd8"


async def test_no_more_than_two_frames_are_under_way(
    start_capture: StartCapture,
    make_video: MakeVideo,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.capture.websocket_stream.ANSWER_S", 3600.0)
    gateway = ScriptedGateway(answers=False)
    async with (
        gateway.serving() as port,
        start_capture(
            server=f"ws://127.0.0.1:{port}", cameras=f"a:{make_video(frames=300)}", fps=30
        ) as capture,
    ):
        await eventually(lambda: len(gateway.frames) == 2, what="two frames")

        async def dropped() -> bool:
            return (await capture.camera("a")).dropped["superseded"] >= 10

        await eventually(dropped, what="drops")
        assert len(gateway.frames) == 2


async def test_a_frame_that_was_overtaken_and_is_never_answered_holds_its_place_for_a_second_only(
    start_capture: StartCapture, make_video: MakeVideo, eventually: Eventually
) -> None:
    gateway = ScriptedGateway(answers=False)
    async with (
        gateway.serving() as port,
        start_capture(server=f"ws://127.0.0.1:{port}", cameras=f"a:{make_video(frames=300)}", fps=30),
    ):
        await eventually(lambda: len(gateway.frames) >= 4, what="two more than may be under way")


async def test_a_recording_played_once_ends_with_its_last_answer(
    start_capture: StartCapture, make_video: MakeVideo, eventually: Eventually
) -> None:
    gateway = ScriptedGateway()
    video = make_video(frames=20, fps=30)
    async with (
        gateway.serving() as port,
        start_capture(server=f"ws://127.0.0.1:{port}", cameras=f"a:{video}", fps=30, loop=False) as capture,
    ):
        await eventually(lambda: capture.finished, what="the end")
        dropped = (await capture.camera("a")).dropped
    assert len(gateway.frames) + sum(dropped.values()) == 20
    assert len(gateway.frames) >= 2


async def test_a_gateway_that_went_away_is_found_again(
    start_capture: StartCapture, make_video: MakeVideo, eventually: Eventually
) -> None:
    gateway, port = ScriptedGateway(), free_port()
    async with start_capture(
        server=f"ws://127.0.0.1:{port}", cameras=f"a:{make_video(frames=900)}"
    ) as capture:

        async def told() -> bool:
            return "no gateway answers" in (await capture.camera("a")).problem

        await eventually(told, what="the problem")
        for _ in range(2):
            known = len(gateway.frames)
            async with gateway.serving(port):
                await eventually(lambda known=known: len(gateway.frames) > known + 2, what="frames")  # type: ignore[misc]
            await asyncio.sleep(0)


async def test_a_gateway_that_asks_for_a_token_gets_it_and_its_lack_is_told(
    start_capture: StartCapture, make_video: MakeVideo, eventually: Eventually
) -> None:
    gateway = ScriptedGateway(token="tell-nobody")
    async with gateway.serving() as port:
        server, video = f"ws://127.0.0.1:{port}", make_video(frames=300)
        async with start_capture(server=server, cameras=f"a:{video}", token="tell-nobody"):
            await eventually(lambda: len(gateway.frames) >= 2, what="frames")
        async with start_capture(server=server, cameras=f"a:{video}") as capture:

            async def told() -> bool:
                return "KOMI_CAPTURE_TOKEN" in (await capture.camera("a")).problem

            await eventually(told, what="the problem")


async def test_a_gateway_that_refuses_is_told_and_tried_again_slowly(
    start_capture: StartCapture, make_video: MakeVideo, eventually: Eventually
) -> None:
    gateway = ScriptedGateway(refusal=HTTPStatus.FORBIDDEN)
    async with (
        gateway.serving() as port,
        start_capture(server=f"ws://127.0.0.1:{port}", cameras=f"a:{make_video()}") as capture,
    ):

        async def refused() -> bool:
            camera = await capture.camera("a")
            return camera.link == capture_service_pb2.LINK_STATE_REFUSED and "HTTP 403" in camera.problem

        await eventually(refused, what="the refusal")


@pytest.mark.parametrize("greeting", ["{}", "no json", '{"type": "other"}'])
async def test_what_is_no_gateway_is_told(
    greeting: str, start_capture: StartCapture, make_video: MakeVideo, eventually: Eventually
) -> None:
    async def camera(socket: ServerConnection) -> None:
        await socket.send(greeting)
        await socket.wait_closed()

    async with serve(camera, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with start_capture(server=f"ws://127.0.0.1:{port}", cameras=f"a:{make_video()}") as capture:

            async def told() -> bool:
                return "did not greet as a gateway does" in (await capture.camera("a")).problem

            await eventually(told, what="the problem")
