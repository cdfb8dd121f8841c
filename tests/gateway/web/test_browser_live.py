"""The live page in a real browser: many cameras at once, what it says besides the score, and a gateway that dies."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import cv2
import grpc
import pytest
from grpc_health.v1 import health_pb2_grpc

from komi.scoring.v1 import scoring_service_pb2 as scoring
from komi.sync.v1 import sync_service_pb2 as sync
from komi.sync.v1 import sync_service_pb2_grpc
from services.gateway.config import GatewaySettings
from services.mesh.health import HealthServicer
from services.mesh.sessions import SessionStore
from tests.gateway.conftest import NOWHERE, open_door
from tests.gateway.door import Door, a_frame, a_set, an_update
from tests.gateway.web.scenarios import capture, scenario, stopped
from tests.support.redis_server import CHECKOUT, free_port
from tests.support.waiting import Eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(500)]

LAG_MS = 47
STOP = ("safety.stop", "잠시 쉬어 가세요.", "Take a rest.")
UNLIKE = ("unlike_reference", "동작이 서로 달라 보여요.", "This does not look like the sample.")


class Sync(sync_service_pb2_grpc.SyncServiceServicer):
    """Finds one camera late, and takes off what its session asks for."""

    def __init__(self) -> None:
        self.sessions: SessionStore | None = None

    async def GetSessionStatus(
        self, request: sync.GetSessionStatusRequest, context: Any
    ) -> sync.GetSessionStatusResponse:
        assert self.sessions is not None
        told = sync.GetSessionStatusResponse(session_id=request.session_id, completeness=0.99)
        told.spread_median_us, told.sets = 1200, 812
        told.lateness.FromMilliseconds(45)
        told.cameras.add(camera_id="front", completeness=0.99)
        told.cameras.add(camera_id="side", completeness=0.97)
        alarm = told.alarms.add(camera_id="side", confidence=0.97)
        alarm.lag.FromMilliseconds(LAG_MS)
        alarm.uncertainty.FromMilliseconds(6)
        if "lag_us" in (await self.sessions.get(request.session_id)).extra:
            alarm.applied = True
            alarm.applied_lag.FromMilliseconds(LAG_MS)
        return told


async def test_a_late_camera_is_put_right_and_back_and_the_page_says_what_to_stop_for_and_why(
    redis_url: str, node: Path, chromium: Path
) -> None:
    scripted = Sync()  # type: ignore[abstract]
    server = grpc.aio.server()
    health = HealthServicer()
    health.set_all(True)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    sync_service_pb2_grpc.add_SyncServiceServicer_to_server(scripted, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.stop, None)
        settings = GatewaySettings(
            redis_url=redis_url, port=0, pose=NOWHERE, sync=f"127.0.0.1:{port}", scoring=NOWHERE
        )
        door = await open_door(stack, settings)
        scripted.sessions = SessionStore(door.redis)
        performing = asyncio.create_task(perform(door))
        stack.push_async_callback(stopped, performing)
        await scenario("told", door.server.address, node, chromium)


async def perform(door: Door) -> None:
    """Somebody moves before two cameras, with much to be told; once the session has an end, they should rest."""
    sessions = SessionStore(door.redis)
    for number in range(1, 10_000):
        for camera in ("front", "side"):
            await door.register(camera)
        await door.emit(a_set(number, a_frame("front", number), a_frame("side", number)))
        update = an_update(number, cue="squat.knees.in.out")
        update.cosine, update.silhouette_overlap = 0.981, 0.87
        update.advice.tip_ko, update.advice.tip_en = (
            "발바닥 전체로 밀어 주세요.",
            "Press through the whole foot.",
        )
        update.advice.phrased = True
        notice = STOP if "target_repetitions" in (await sessions.get("live")).extra else UNLIKE
        update.notice.code, update.notice.text_ko, update.notice.text_en = notice
        await door.score(update)
        await asyncio.sleep(0.2)


async def test_the_page_goes_on_by_itself_when_the_gateway_is_killed_and_started_again_and_misses_no_repetition(
    door: Door, redis_url: str, node: Path, chromium: Path, tmp_path: Path, eventually: Eventually
) -> None:
    """What happens while the gateway is away is written by the test, as scoring would."""
    port = free_port()
    async with AsyncExitStack() as stack:
        async with gateway(port, redis_url, eventually):
            driving = asyncio.create_task(
                scenario("killed", f"127.0.0.1:{port}", node, chromium, steps=tmp_path)
            )
            stack.push_async_callback(stopped, driving)
            await step(tmp_path, "open", driving, eventually)
            done = an_update(1, completes=1)
            done.state = scoring.TRACKING_STATE_READY
            done.ClearField("joint_errors")
            done.completed.faults.append("push_up.hips.sag.any")
            await door.score(done)
            await step(tmp_path, "counted", driving, eventually)
        await step(tmp_path, "away", driving, eventually)
        await door.score(an_update(2, completes=2))
        async with gateway(port, redis_url, eventually):
            await driving


@asynccontextmanager
async def gateway(port: int, redis_url: str, eventually: Eventually) -> AsyncIterator[None]:
    """A gateway of its own process, killed at the end."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.gateway", f"--port={port}", "--redis-url", redis_url,
        f"--pose={NOWHERE}", f"--sync={NOWHERE}", f"--scoring={NOWHERE}",
        cwd=CHECKOUT, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await eventually(lambda: listens(port), within=60, what="the gateway listens")
        yield
    finally:
        program.kill()
        await program.wait()


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def step(folder: Path, name: str, driving: asyncio.Task[str], eventually: Eventually) -> None:
    """Wait until the scenario has come to a point, which it marks with a file."""
    await eventually(lambda: (folder / name).exists() or driving.done(), within=120, what=name)
    if driving.done():
        await driving


async def test_four_cameras_show_without_dropped_animation_frames_and_six_all_move(
    mesh: Door, node: Path, chromium: Path, squats: Path, tmp_path: Path, eventually: Eventually
) -> None:
    """Four 640x480 pictures at 15 frames a second. The same poses are found in every one: no inference takes the CPU."""
    clip = tmp_path / "squats.mp4"
    await asyncio.to_thread(write_clip, squats, clip)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(capture(mesh, cameras_of(clip, "abcd")))
        driving = asyncio.create_task(scenario("many", mesh.server.address, node, chromium, steps=tmp_path))
        stack.push_async_callback(stopped, driving)
        await step(tmp_path, "measured", driving, eventually)
        await stack.enter_async_context(capture(mesh, cameras_of(clip, "ef")))
        print(await driving)


def cameras_of(clip: Path, names: str) -> str:
    return ",".join(f"cam-{name}:{clip}" for name in names)


def write_clip(video: Path, clip: Path) -> None:
    """Four seconds of the video at 640x480 and 15 frames a second."""
    source = cv2.VideoCapture(str(video))
    out = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"mp4v"), 15, (640, 480))
    for _ in range(20):
        there, image = source.read()
        assert there
        for _ in range(3):  # the video has 5 frames a second
            out.write(cv2.resize(image, (640, 480)))
    out.release()
    source.release()
