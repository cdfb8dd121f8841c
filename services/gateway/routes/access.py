"""What routes get from the application, and how a WebSocket is refused."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import structlog
from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from services.gateway.documents.base import Problem
from services.gateway.gateway import Gateway
from services.gateway.outlet import outlet_of
from services.gateway.problems import MEDIA_TYPE, answer_of, as_komi_error
from services.gateway.shaping.encoding import Document, text_frame, to_json

log = structlog.get_logger()

FAILED = 1011


def gateway_of(connection: HTTPConnection) -> Gateway:
    """The gateway behind a request or WebSocket."""
    gateway: Gateway = connection.app.state.gateway
    return gateway


TheGateway = Annotated[Gateway, Depends(gateway_of)]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI of the problems a route may answer with."""
    return {
        status: {
            "model": Problem,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


@asynccontextmanager
async def websocket_errors(websocket: WebSocket) -> AsyncIterator[None]:
    """Refuse with a problem what fails before the handshake; afterwards say what failed and close."""
    try:
        yield
    except WebSocketDisconnect:
        pass
    except Exception as error:
        known = as_komi_error(error)
        if known is None:
            log.exception("a WebSocket failed unexpectedly", path=websocket.url.path)
        if websocket.application_state is WebSocketState.CONNECTING:
            if known is None:
                raise
            await websocket.send_denial_response(answer_of(known))
        elif websocket.application_state is WebSocketState.CONNECTED:
            if known is not None:
                outlet_of(websocket).try_write(json_frame(error_message(known.reason, known.message)))
            await websocket.close(FAILED, known.reason if known is not None else "INTERNAL")


def error_message(reason: str, message: str) -> Document:
    """The `error` message of every WebSocket."""
    return {"type": "error", "reason": reason, "message": message}


def json_frame(document: Document) -> bytes:
    """A document as one WebSocket frame."""
    return text_frame(to_json(document))


async def messages(websocket: WebSocket) -> AsyncIterator[str | bytes]:
    """What the peer sends, text as str; ends when it is gone."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        yield text if text is not None else message.get("bytes") or b""
