"""Cameras by WebSocket: `/ws/camera` for former clients, `/ws/v1/cameras/{id}` for browsers."""

import math
import secrets
from collections.abc import Callable

from fastapi import APIRouter
from starlette.websockets import WebSocket

from komi.pose.v1 import pose_service_pb2 as pose
from services.gateway import metrics
from services.gateway.capturing.browser import BrowserCamera
from services.gateway.capturing.camera import instance_id
from services.gateway.capturing.former import FormerCamera
from services.gateway.concurrently import until_first
from services.gateway.fanout.viewer import Viewer
from services.gateway.gateway import Gateway
from services.gateway.outlet import outlet_of
from services.gateway.routes.access import gateway_of, messages, websocket_errors
from services.gateway.upstream import Upstream
from services.mesh import keys
from services.mesh.errors import AlreadyExists, InvalidInput
from services.mesh.server_clock import ServerClock
from services.mesh.sessions import check_name

router = APIRouter()

MOST_FPS = 240.0
Camera = FormerCamera | BrowserCamera
MakeCamera = Callable[[Upstream, ServerClock, Viewer, pose.StreamConfig], Camera]


@router.websocket("/ws/camera")
async def former_camera(websocket: WebSocket) -> None:
    """The protocol is in docs/api.md."""
    name = websocket.query_params.get("camera_id") or f"camera_{secrets.token_hex(4)}"
    await _converse(websocket, name, FormerCamera, "former")


@router.websocket("/ws/v1/cameras/{camera_id:name}")
async def browser_camera(websocket: WebSocket, camera_id: str) -> None:
    """The protocol is in docs/api.md."""
    await _converse(websocket, camera_id, BrowserCamera, "browser")


async def _converse(websocket: WebSocket, camera_id: str, make: MakeCamera, protocol: str) -> None:
    gateway = gateway_of(websocket)
    async with websocket_errors(websocket):
        config = _config(websocket, camera_id)
        await _check_free(gateway, config)
        gateway.clock.now_us()  # raises before the handshake where the clock is not there yet
        await websocket.accept()
        viewer = Viewer(outlet_of(websocket), ("pose",), tell_skipped=False)
        camera = make(gateway.upstream, gateway.clock, viewer, config)
        metrics.BROWSER_CAMERAS.labels(protocol).inc()
        try:
            await until_first(camera.run(), _listen(websocket, camera))
        finally:
            metrics.BROWSER_CAMERAS.labels(protocol).dec()


async def _listen(websocket: WebSocket, camera: Camera) -> None:
    async for message in messages(websocket):
        camera.take(message)


def _config(websocket: WebSocket, camera_id: str) -> pose.StreamConfig:
    query = websocket.query_params
    session_id = query.get("session", "")
    instance = query.get("instance")
    if instance is not None:
        check_name(instance, "the instance")
    return pose.StreamConfig(
        camera_id=check_name(camera_id, "the camera"),
        session_id=check_name(session_id, "the session") if session_id else "",
        mode=pose.STREAM_MODE_LIVE,
        return_poses=True,
        instance_id=instance_id(instance),
        fps=_fps(query.get("fps", "0")),
    )


def _fps(text: str) -> float:
    try:
        fps = float(text)
    except ValueError:
        fps = math.nan
    if not 0 <= fps <= MOST_FPS:
        raise InvalidInput(f"'fps' must be a number from 0 to {MOST_FPS:g}")
    return fps


async def _check_free(gateway: Gateway, config: pose.StreamConfig) -> None:
    """Pose has the last word; this is to refuse before the handshake what it would refuse after it."""
    owner = await gateway.redis.get(keys.camera_owner(config.camera_id))
    if owner is not None and owner.decode() != config.instance_id:
        raise AlreadyExists(
            f"camera {config.camera_id!r} is already streaming from another place: choose another name, or stop that "
            "one",
            reason="CAMERA_NAME_TAKEN",
        )
