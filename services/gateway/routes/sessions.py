"""Sessions: create, look, change, end."""

import secrets
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from komi.scoring.v1 import scoring_service_pb2 as scoring
from services.gateway.documents.scores import Summary
from services.gateway.documents.sessions import Session, SessionCreate, SessionPatch, Sessions
from services.gateway.documents.status import SessionSync, Status
from services.gateway.gateway import Gateway
from services.gateway.names import NameConvertor
from services.gateway.routes.access import TheGateway, problems
from services.gateway.sessions import settings
from services.gateway.shaping import records, reports
from services.mesh import keys
from services.mesh.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound
from services.mesh.sessions import Mode, SessionConfig, SessionState

router = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])


@router.get("", summary="Sessions, newest first", responses=problems(400, 422, 503))
async def list_sessions(
    gateway: TheGateway,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Sessions:
    """`cursor` is `next_cursor` of the page before."""
    found = await gateway.sessions.list()
    if cursor is not None:
        after = _position(cursor)
        found = [config for config in found if (-config.created_us, config.session_id) > after]
    page = found[:limit]
    more = len(found) > limit
    return Sessions(
        sessions=[records.session(config) for config in page],
        next_cursor=f"{page[-1].created_us}:{page[-1].session_id}" if more else None,
    )


def _position(cursor: str) -> tuple[int, str]:
    created, colon, session_id = cursor.partition(":")
    if not colon or not created.isdecimal() or not created.isascii():
        raise InvalidInput("'cursor' must be the next_cursor of the page before", reason="BAD_CURSOR")
    return -int(created), session_id


@router.post(
    "",
    summary="Start a session",
    status_code=201,
    response_model=Session,
    responses=problems(400, 404, 409, 422, 503),
)
async def create_session(wanted: SessionCreate, gateway: TheGateway) -> Response:
    """Takes over the cameras it names. 409: the name is taken; 404: no such reference."""
    session_id = wanted.session_id or f"s-{secrets.token_hex(4)}"
    if wanted.session_id is not None and await _exists(gateway, session_id):
        raise AlreadyExists(
            f"session {session_id!r} exists: choose another name, or change it with PATCH",
            reason="SESSION_EXISTS",
        )
    config = SessionConfig(session_id, created_us=gateway.clock.now_us())
    config = await _changed(gateway, config, wanted.model_dump(exclude_unset=True, exclude={"session_id"}))
    await gateway.sessions.put(config)
    address = f"{router.prefix}/{NameConvertor().to_string(session_id)}"
    body = records.session(config).model_dump(mode="json")
    return JSONResponse(body, HTTPStatus.CREATED, headers={"location": address})


@router.get("/{session_id:name}", summary="A session's settings", responses=problems(404, 503))
async def get_session(session_id: str, gateway: TheGateway) -> Session:
    """404 when there is none."""
    return records.session(await gateway.sessions.get(session_id))


@router.patch("/{session_id:name}", summary="Change a session", responses=problems(400, 404, 409, 422, 503))
async def change_session(session_id: str, wanted: SessionPatch, gateway: TheGateway) -> Session:
    """What is not named stays; it takes effect within half a second. 409: the session has ended."""
    config = await gateway.sessions.get(session_id)
    if config.state is SessionState.ENDED:
        raise FailedPrecondition(f"session {session_id!r} has ended; start another", reason="SESSION_ENDED")
    config = await _changed(gateway, config, wanted.model_dump(exclude_unset=True))
    await gateway.sessions.put(config)
    return records.session(config)


@router.post("/{session_id:name}/end", summary="End a session", responses=problems(404, 409, 503))
async def end_session(session_id: str, gateway: TheGateway) -> Session:
    """Its cameras go back to where they were; its report stays. Ending it twice is no error."""
    config = await gateway.sessions.get(session_id)
    _not_live(session_id)
    if config.state is SessionState.OPEN:
        config = replace(config, state=SessionState.ENDED, ended_us=gateway.clock.now_us())
        await gateway.sessions.put(config)
    return records.session(config)


@router.delete(
    "/{session_id:name}",
    summary="End and forget a session",
    status_code=204,
    responses=problems(404, 409, 503),
)
async def delete_session(session_id: str, gateway: TheGateway) -> None:
    """404 when there is none."""
    await gateway.sessions.get(session_id)
    _not_live(session_id)
    await gateway.sessions.delete(session_id)


@router.get("/{session_id:name}/status", summary="What a session is doing now", responses=problems(404, 503))
async def session_status(session_id: str, gateway: TheGateway) -> Status:
    """Its cameras, their clocks, lateness, completeness: the `status` message of its WebSocket."""
    return await gateway.status.of(session_id, gateway.hub.viewers(session_id))


@router.get(
    "/{session_id:name}/sync", summary="How well its cameras agree in time", responses=problems(404, 503)
)
async def session_sync(session_id: str, gateway: TheGateway) -> SessionSync:
    """Clocks, delays, and the cameras whose pictures come late or early though their clocks agree."""
    told = await gateway.status.of(session_id, 0)
    return SessionSync(
        session_id=session_id,
        cameras=told.cameras,
        sync=told.sync,
        alarms=told.alarms,
        server_us=told.server_us,
    )


@router.get("/{session_id:name}/summary", summary="Repetitions and mean score", responses=problems(404, 503))
async def session_summary(session_id: str, gateway: TheGateway) -> Summary:
    """What scoring counted so far; nothing yet for a session without poses."""
    config = await gateway.sessions.get(session_id)
    try:
        told = await gateway.upstream.ask(
            "scoring",
            gateway.upstream.scoring.GetSessionSummary,
            scoring.GetSessionSummaryRequest(session_id=session_id),
        )
    except NotFound:
        told = scoring.GetSessionSummaryResponse(session_id=session_id, reference_id=config.reference_id)
    return reports.summary(told)


async def _exists(gateway: Gateway, session_id: str) -> bool:
    try:
        await gateway.sessions.get(session_id)
    except NotFound:
        return False
    return True


async def _changed(gateway: Gateway, config: SessionConfig, wanted: dict[str, Any]) -> SessionConfig:
    """`config` with what is wanted; null takes the default. Raises NotFound for an unknown reference."""
    defaults: dict[str, Any] = {
        "cameras": (), "reference_id": "", "reference_version": 0, "mode": Mode.USER, "resample": None
    }  # fmt: skip
    changes = {
        name: defaults[name] if value is None else value for name, value in wanted.items() if name in defaults
    }
    if "cameras" in changes:
        changes["cameras"] = tuple(dict.fromkeys(changes["cameras"]))
    changed = settings.with_extra(
        replace(config, **changes), {name: value for name, value in wanted.items() if name in settings.EXTRA}
    )
    chosen = (changed.reference_id, changed.reference_version)
    if changed.reference_id and chosen != (config.reference_id, config.reference_version):
        await gateway.upstream.ask(
            "scoring",
            gateway.upstream.scoring.GetReference,
            scoring.GetReferenceRequest(reference_id=chosen[0], version=chosen[1]),
        )
    return changed


def _not_live(session_id: str) -> None:
    if session_id == keys.LIVE_SESSION:
        raise FailedPrecondition(
            f"session {session_id!r} is always there: end one that was created", reason="SESSION_PERMANENT"
        )
