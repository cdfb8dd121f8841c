"""`WS /ws/v1/sessions/{id}`: what the mesh finds, as it finds it."""

from collections.abc import Iterable

import orjson
from fastapi import APIRouter
from starlette.websockets import WebSocket

from services.gateway.concurrently import until_first
from services.gateway.errors import BadMessage
from services.gateway.fanout.feed import TOPICS
from services.gateway.fanout.replay import Missed, missed_events
from services.gateway.fanout.viewer import Viewer
from services.gateway.gateway import Gateway
from services.gateway.outlet import outlet_of
from services.gateway.routes.access import error_message, gateway_of, messages, websocket_errors
from services.gateway.shaping.encoding import Document
from services.gateway.shaping.formats import JSON, SUBPROTOCOLS, Format
from services.mesh.errors import Exhausted, InvalidInput

router = APIRouter()

PROTOCOL = 1
TOO_FAR_BEHIND = 1013
MOST_CLIENT_MESSAGE = 4096


@router.websocket("/ws/v1/sessions/{session_id:name}")
async def watch_session(websocket: WebSocket, session_id: str) -> None:
    """The protocol is in docs/api.md."""
    gateway = gateway_of(websocket)
    async with websocket_errors(websocket):
        topics = _topics(websocket.query_params.get("topics"))
        after = _after(websocket.query_params.get("after"))
        await gateway.sessions.get(session_id)
        if gateway.viewers >= gateway.settings.max_viewers:
            raise Exhausted(
                f"{gateway.viewers} viewers are connected, the most allowed here; try again later",
                reason="TOO_MANY_VIEWERS",
                retry_after_s=5.0,
            )
        gateway.viewers += 1
        try:
            subprotocol = _subprotocol(websocket)
            await websocket.accept(subprotocol)
            await _serve(
                gateway, websocket, session_id, topics, after, SUBPROTOCOLS.get(subprotocol or "", JSON)
            )
        finally:
            gateway.viewers -= 1


async def _serve(
    gateway: Gateway,
    websocket: WebSocket,
    session_id: str,
    topics: tuple[str, ...],
    after: int | None,
    format_: Format,
) -> None:
    viewer = Viewer(outlet_of(websocket), topics, format_)
    viewer.hold()
    async with gateway.hub.viewing(session_id, viewer):
        # Greeted only now: who reads `hello` misses nothing that comes after it.
        missed = Missed((), -1, gap=False)
        if after is not None:
            missed = await missed_events(gateway.redis, session_id, after)
        hello: Document = {
            "type": "hello",
            "protocol": PROTOCOL,
            "session_id": session_id,
            "topics": topics,
            "server_us": gateway.clock.now_us() if gateway.clock.ready else None,
            "resumed_after": after,
            "gap": missed.gap,
        }
        replayed = [document for topic, document in missed.events if topic in viewer.topics]
        viewer.release([hello, *replayed], missed.through_seq)
        await until_first(viewer.pump(), _listen(gateway, websocket, viewer))
    if viewer.lost_event:
        await websocket.close(TOO_FAR_BEHIND, "too far behind: connect again and resume")


async def _listen(gateway: Gateway, websocket: WebSocket, viewer: Viewer) -> None:
    async for message in messages(websocket):
        try:
            answer = _answer(gateway, viewer, message)
        except InvalidInput as error:
            answer = error_message(error.reason, error.message)
        viewer.say(answer)


def _answer(gateway: Gateway, viewer: Viewer, message: str | bytes) -> Document:
    if isinstance(message, bytes):
        raise BadMessage("binary messages mean nothing here; send JSON text")
    if len(message) > MOST_CLIENT_MESSAGE:
        raise BadMessage(f"the message is longer than {MOST_CLIENT_MESSAGE} characters")
    try:
        asked = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise BadMessage(f"the message is no JSON: {error}") from error
    kind = asked.get("type") if isinstance(asked, dict) else None
    if kind == "ping":
        token = asked.get("id")
        if isinstance(token, dict | list):
            raise BadMessage("'id' of a ping must be a JSON scalar")
        return {
            "type": "pong",
            "id": token,
            "server_us": gateway.clock.now_us() if gateway.clock.ready else None,
        }
    if kind == "subscribe":
        wanted = asked.get("topics")
        if not isinstance(wanted, list) or not all(isinstance(topic, str) for topic in wanted):
            raise BadMessage("'topics' must be a list of names")
        viewer.topics = frozenset(_known(wanted))
        return {"type": "subscribed", "topics": _known(wanted)}
    raise BadMessage(f"unknown message type {str(kind)[:40]!r}: send 'subscribe' or 'ping'")


def _subprotocol(websocket: WebSocket) -> str | None:
    """The first of those asked for that is known; None: none is, and JSON it will be."""
    asked = websocket.scope.get("subprotocols", [])
    return next((name for name in asked if name in SUBPROTOCOLS), None)


def _topics(wanted: str | None) -> tuple[str, ...]:
    if wanted is None:
        return TOPICS
    return _known(part.strip() for part in wanted.split(","))


def _known(wanted: Iterable[str]) -> tuple[str, ...]:
    chosen = set(wanted)
    if not chosen or not chosen <= set(TOPICS):
        unknown = ", ".join(sorted(repr(topic[:40]) for topic in chosen - set(TOPICS))) or "none"
        raise BadMessage(f"unknown topic: {unknown}; there are {', '.join(TOPICS)}", reason="UNKNOWN_TOPIC")
    return tuple(topic for topic in TOPICS if topic in chosen)


def _after(wanted: str | None) -> int | None:
    if wanted is None:
        return None
    if not (wanted.isascii() and wanted.isdecimal() and len(wanted) <= 18):
        raise InvalidInput("'after' must be the seq of the last message seen", reason="BAD_POSITION")
    return int(wanted)
