"""Cameras and their images."""

from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from services.gateway import metrics
from services.gateway.documents.cameras import Camera, Cameras
from services.gateway.errors import CameraNotFound
from services.gateway.gateway import Gateway
from services.gateway.routes.access import TheGateway, problems
from services.gateway.routes.conditional import JPEG, NOT_MODIFIED, IfNoneMatch, unless_known
from services.gateway.shaping import records
from services.mesh.images import CameraImage

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])

BOUNDARY = "komi-frame"
MJPEG = {"content": {"multipart/x-mixed-replace": {"schema": {"type": "string", "format": "binary"}}}}


@router.get("", summary="Connected cameras", responses=problems(503))
async def list_cameras(gateway: TheGateway) -> Cameras:
    """By name."""
    return Cameras(cameras=[records.camera(camera) for camera in await gateway.cameras.list()])


@router.get("/{camera_id:name}", summary="One camera", responses=problems(404, 503))
async def get_camera(camera_id: str, gateway: TheGateway) -> Camera:
    """404 when it is not connected."""
    camera = await gateway.cameras.get(camera_id)
    if camera is None:
        raise CameraNotFound(camera_id)
    return records.camera(camera)


@router.get(
    "/{camera_id:name}/frame.jpg",
    summary="Newest image",
    response_class=Response,
    responses={200: JPEG, **NOT_MODIFIED, **problems(404, 503)},
)
async def frame(camera_id: str, gateway: TheGateway, if_none_match: IfNoneMatch = None) -> Response:
    """The newest image, with an ETag; pose writes images only while somebody looks, so the first may take half a second."""
    return image_answer(await gateway.images.newest(camera_id), if_none_match)


def image_answer(image: CameraImage, if_none_match: str | None = None) -> Response:
    """An image with its ETag, or 304."""
    return unless_known(
        if_none_match,
        image.jpeg,
        "image/jpeg",
        etag=f'"{image.server_us:x}-{image.sequence:x}"',
        headers={"x-capture-time-us": str(image.server_us)},
    )


@router.get(
    "/{camera_id:name}/stream.mjpg",
    summary="Images as they come",
    response_class=StreamingResponse,
    responses={200: MJPEG, **problems(404, 503)},
)
async def stream(camera_id: str, gateway: TheGateway) -> StreamingResponse:
    """Motion-JPEG for an `<img>`; a slow reader gets the newest image, never a backlog."""
    if await gateway.cameras.get(camera_id) is None:
        raise CameraNotFound(camera_id)
    return StreamingResponse(
        _parts(gateway, camera_id),
        media_type=f"multipart/x-mixed-replace; boundary={BOUNDARY}",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _parts(gateway: Gateway, camera_id: str) -> AsyncIterator[bytes]:
    metrics.IMAGE_VIEWERS.inc()
    try:
        async with gateway.images.watching(camera_id) as images:
            # The opening boundary goes out at once, so that the reader knows the stream is there.
            yield f"--{BOUNDARY}\r\n".encode()
            async for image in images:
                yield (
                    (
                        f"Content-Type: image/jpeg\r\nContent-Length: {len(image.jpeg)}\r\n"
                        f"X-Capture-Time-Us: {image.server_us}\r\n\r\n"
                    ).encode()
                    + image.jpeg
                    + f"\r\n--{BOUNDARY}\r\n".encode()
                )
    finally:
        metrics.IMAGE_VIEWERS.dec()
