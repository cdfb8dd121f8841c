"""Where a session's cameras stand: the calibration with which its 3D is triangulated."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.gateway.documents.sessions import Calibration
from services.gateway.errors import BadCalibration, CalibrationNotFound
from services.gateway.gateway import Gateway
from services.gateway.routes.access import TheGateway, problems
from services.gateway.sessions.calibration import MOST_BYTES, camera_names, unmatched
from services.mesh.errors import FailedPrecondition, TooLarge
from services.mesh.sessions import SessionConfig, SessionState

router = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])

TOML = {"application/toml": {"schema": {"type": "string"}}}
BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.put(
    "/{session_id:name}/calibration",
    summary="Calibrate a session's cameras",
    openapi_extra=BODY,
    responses=problems(400, 404, 409, 413, 503),
)
async def put_calibration(session_id: str, request: Request, gateway: TheGateway) -> Calibration:
    """The body, of whatever type, is a TOML file of Pose2Sim, Caliscope or aniposelib. From the next sets on, `fused` is triangulated."""
    config = await _open(gateway, session_id)
    toml = await _text(request.stream())
    cameras = camera_names(toml)
    await gateway.sessions.put(replace(config, calibration_toml=toml))
    return Calibration(session_id=session_id, cameras=list(cameras), unmatched=unmatched(config, cameras))


@router.get(
    "/{session_id:name}/calibration",
    summary="A session's calibration",
    response_class=Response,
    responses={200: {"content": TOML}, **problems(404, 503)},
)
async def get_calibration(session_id: str, gateway: TheGateway) -> Response:
    """The file as it was put."""
    config = await gateway.sessions.get(session_id)
    if not config.calibration_toml:
        raise CalibrationNotFound(session_id)
    return Response(config.calibration_toml, media_type="application/toml")


@router.delete(
    "/{session_id:name}/calibration",
    summary="Forget a session's calibration",
    status_code=204,
    responses=problems(404, 409, 503),
)
async def delete_calibration(session_id: str, gateway: TheGateway) -> None:
    """`fused` is the mean of the views again. 404: there is none."""
    config = await _open(gateway, session_id)
    if not config.calibration_toml:
        raise CalibrationNotFound(session_id)
    await gateway.sessions.put(replace(config, calibration_toml=""))


async def _open(gateway: Gateway, session_id: str) -> SessionConfig:
    config = await gateway.sessions.get(session_id)
    if config.state is SessionState.ENDED:
        raise FailedPrecondition(f"session {session_id!r} has ended; start another", reason="SESSION_ENDED")
    return config


async def _text(body: AsyncIterator[bytes]) -> str:
    content = bytearray()
    async for chunk in body:
        content += chunk
        if len(content) > MOST_BYTES:
            raise TooLarge(f"a calibration has at most {MOST_BYTES} bytes; this is more")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BadCalibration("the calibration is no UTF-8 text") from error
