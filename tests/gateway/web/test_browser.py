"""The page in a real browser, over the real mesh on real video. Pictures of it are left in out/browser."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import cv2
import pytest
import simplejpeg
from pydantic import SecretStr

from services.gateway.config import GatewaySettings
from services.mesh.tokens import Scope, Tokens
from services.pose.config import PoseSettings
from tests.gateway.conftest import NOWHERE, open_door, open_mesh
from tests.gateway.door import Door
from tests.gateway.web.scenarios import capture, scenario, stopped
from tests.support.waiting import Eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(500)]


async def test_two_cameras_move_on_screen_and_an_uploaded_reference_brings_score_and_repetitions(
    real_mesh: Door, node: Path, chromium: Path, squats: Path, tmp_path: Path, eventually: Eventually
) -> None:
    """The second camera joins once the first is on screen: the first's tile once went blank then."""
    alone = tmp_path / "alone"
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(capture(real_mesh, f"front:{squats}"))
        driving = asyncio.create_task(
            scenario("session", real_mesh.server.address, node, chromium, video=squats, alone=alone)
        )
        stack.push_async_callback(stopped, driving)
        await eventually(
            lambda: alone.exists() or driving.done(), within=120, what="the first camera on screen"
        )
        await stack.enter_async_context(capture(real_mesh, f"side:{squats}"))
        await driving


async def test_a_browser_becomes_a_camera_that_sees_itself_and_appears_on_the_page(
    real_mesh: Door, node: Path, chromium: Path, squats: Path, tmp_path: Path
) -> None:
    clip = tmp_path / "squats.mjpeg"
    await asyncio.to_thread(write_clip, squats, clip)
    await scenario("camera", real_mesh.server.address, node, chromium, clip=clip)


async def test_a_second_phone_takes_a_name_of_its_own(redis_url: str, node: Path, chromium: Path) -> None:
    """A camera's token may not ask which cameras there are, so that it was told for ever that it reconnects."""
    secret = "a token for this test only"
    async with AsyncExitStack() as stack:
        pose = PoseSettings(redis_url=redis_url, port=0, metrics_port=0, drain_s=0.5, inference="none")
        door = await open_mesh(stack, redis_url, pose, access="token", api_token=SecretStr(secret))
        token = Tokens(secret).of(Scope.CAMERA)
        await scenario("second", door.server.address, node, chromium, token=token)


async def test_a_performance_becomes_a_report_that_is_shown_downloaded_and_deleted(
    real_mesh: Door, node: Path, chromium: Path, squats: Path, tmp_path: Path, eventually: Eventually
) -> None:
    """The camera joins once the empty history was seen."""
    empty = tmp_path / "empty"
    async with AsyncExitStack() as stack:
        driving = asyncio.create_task(
            scenario("history", real_mesh.server.address, node, chromium, video=squats, empty=empty)
        )
        stack.push_async_callback(stopped, driving)
        await eventually(lambda: empty.exists() or driving.done(), within=120, what="the empty history")
        await stack.enter_async_context(capture(real_mesh, f"front:{squats}"))
        await driving


async def test_two_videos_are_compared_and_shown_frame_by_frame(
    real_mesh: Door, node: Path, chromium: Path, squats: Path, tmp_path: Path
) -> None:
    attempt = tmp_path / "quicker.webm"
    await asyncio.to_thread(write_quicker, squats, attempt)
    await scenario("compare", real_mesh.server.address, node, chromium, video=squats, attempt=attempt)


async def test_without_cameras_the_page_says_what_to_do(door: Door, node: Path, chromium: Path) -> None:
    print(await scenario("alone", door.server.address, node, chromium))


async def test_the_api_is_a_page_to_try_out(door: Door, node: Path, chromium: Path) -> None:
    await scenario("docs", door.server.address, node, chromium)


async def test_beyond_loopback_the_page_asks_for_a_token_and_an_admin_hands_out_addresses(
    redis_url: str, node: Path, chromium: Path
) -> None:
    """Under a name that is not loopback's, as in a network."""
    token = "a token for this test only"
    settings = GatewaySettings(
        redis_url=redis_url, port=0, pose=NOWHERE, sync=NOWHERE, scoring=NOWHERE,
        access="token", api_token=SecretStr(token),
    )  # fmt: skip
    async with AsyncExitStack() as stack:
        door = await open_door(stack, settings)
        await scenario("token", f"komi:{door.server.port}", node, chromium, token=token)


def write_clip(video: Path, clip: Path) -> None:
    """The video as Motion-JPEG, which Chromium's fake camera plays."""
    source = cv2.VideoCapture(str(video))
    with clip.open("wb") as out:
        while True:
            there, image = source.read()
            if not there:
                break
            for _ in range(4):  # the fake camera plays 30 frames a second, the video has 5
                out.write(simplejpeg.encode_jpeg(cv2.resize(image, (360, 640)), quality=85, colorspace="BGR"))
    source.release()


def write_quicker(video: Path, clip: Path) -> None:
    """Its first two squats again, as WebM, smaller, and with 8 frames a second instead of 5."""
    source = cv2.VideoCapture(str(video))
    out = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"VP80"), 8, (360, 640))
    for _ in range(45):
        there, image = source.read()
        assert there
        out.write(cv2.resize(image, (360, 640)))
    out.release()
    source.release()
