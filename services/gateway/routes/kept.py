"""The endpoints of the former server, kept exactly: GET /, /cameras, /latest_image, /get-image, WS /ws/monitor."""

import base64
import contextlib
from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.responses import Response
from starlette.websockets import WebSocket

from komi.common.v1 import pose_pb2
from services.gateway import VERSION
from services.gateway.concurrently import until_first
from services.gateway.errors import BadMessage
from services.gateway.fanout.viewer import Viewer
from services.gateway.gateway import Gateway
from services.gateway.outlet import outlet_of
from services.gateway.routes.access import (
    TheGateway,
    error_message,
    gateway_of,
    messages,
    problems,
    websocket_errors,
)
from services.gateway.routes.cameras import image_answer
from services.gateway.routes.conditional import JPEG
from services.gateway.shaping import kept
from services.gateway.shaping.encoding import Document
from services.mesh.errors import KomiError
from services.mesh.redis import UNREACHABLE

router = APIRouter(tags=["kept"])

MOST_MESSAGE = 4096


@router.get("/", summary="Server status")
async def root(gateway: TheGateway) -> dict[str, Any]:
    """Answers whatever the state of the rest."""
    cameras: int | None = None
    with contextlib.suppress(*UNREACHABLE):
        cameras = len(await gateway.cameras.list())
    return {
        "message": "KOMI is here: the page is at /ui/, the API at /docs",
        "status": "ok",
        "version": VERSION,
        "ready": gateway.readiness.ready,
        "waiting_for": gateway.readiness.waiting_for,
        "cameras": cameras,
    }


@router.get("/cameras", summary="Connected cameras", responses=problems(503))
async def list_cameras(gateway: TheGateway) -> dict[str, Any]:
    """Names only; /api/v1/cameras says more."""
    names = [camera.camera_id for camera in await gateway.cameras.list()]
    return {"cameras": names, "count": len(names)}


@router.get("/latest_image/{camera_id:name}", summary="Newest image and pose", responses=problems(404, 503))
async def latest_image(camera_id: str, gateway: TheGateway) -> dict[str, Any]:
    """The image in base64."""
    return await _image_document(gateway, camera_id)


@router.get(
    "/get-image/{camera_id:name}",
    summary="Newest image",
    response_class=Response,
    responses={200: JPEG, **problems(404, 503)},
)
async def get_image(camera_id: str, gateway: TheGateway) -> Response:
    """As JPEG."""
    return image_answer(await gateway.images.newest(camera_id))


async def _image_document(gateway: Gateway, camera_id: str) -> Document:
    image = await gateway.images.newest(camera_id)
    frame = pose_pb2.PoseFrame.FromString(image.pose_frame)
    timestamp = kept.capture_seconds(frame.time) if frame.HasField("time") else image.server_us / 1e6
    return {
        "camera_id": camera_id,
        "image_data": base64.b64encode(image.jpeg).decode(),
        "timestamp": timestamp,
        "pose_data": kept.pose_data(frame, timestamp),
    }


@router.websocket("/ws/monitor")
async def monitor(websocket: WebSocket) -> None:
    """The protocol is in docs/api.md."""
    gateway = gateway_of(websocket)
    async with websocket_errors(websocket):
        cameras = [camera.camera_id for camera in await gateway.cameras.list()]
        await websocket.accept()
        viewer = Viewer(outlet_of(websocket), ("monitor",), tell_skipped=False)
        async with gateway.hub.monitoring(viewer, cameras):
            await until_first(viewer.pump(), _listen(gateway, websocket, viewer))


async def _listen(gateway: Gateway, websocket: WebSocket, viewer: Viewer) -> None:
    async for message in messages(websocket):
        try:
            answer = await _answer(gateway, message)
        except KomiError as error:
            answer = error_message(error.reason, error.message)
        except UNREACHABLE:
            answer = error_message("REDIS_UNREACHABLE", "Redis cannot be reached; try again when it is back")
        viewer.say(answer)


async def _answer(gateway: Gateway, message: str | bytes) -> Document:
    if len(message) > MOST_MESSAGE:
        raise BadMessage(f"the message is longer than {MOST_MESSAGE} characters")
    try:
        asked = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise BadMessage(f"the message is no JSON: {error}") from error
    camera_id = asked.get("camera_id") if isinstance(asked, dict) else None
    if not isinstance(camera_id, str) or asked.get("type") != "request_image":
        raise BadMessage("unknown message: send {'type': 'request_image', 'camera_id': …}")
    return {"type": "image_data", **await _image_document(gateway, camera_id)}
