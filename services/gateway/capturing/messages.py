"""What cameras send over WebSocket, taken apart. Pure."""

import base64
import binascii
import math
import struct
from dataclasses import dataclass

import orjson

from services.gateway.errors import BadMessage
from services.mesh.errors import InvalidInput

JPEG_START = b"\xff\xd8"
HEADER = struct.Struct("<BBHId")
"""Version, 0, epoch, sequence, capture time: docs/api.md, a browser camera."""
HEADER_VERSION = 1
FARTHEST_S = 1e11
"""Timestamps beyond the year 5000 are none."""


@dataclass(frozen=True)
class KeptFrame:
    """A frame of a former client."""

    jpeg: bytes
    timestamp: int | float | None
    """Seconds of its own clock, as it was sent; None: it sent none."""


@dataclass(frozen=True)
class BrowserFrame:
    """A frame of a browser camera."""

    jpeg: bytes
    epoch: int
    sequence: int
    client_ms: float | None
    """Capture time on the page's monotonic clock; None: unknown."""


@dataclass(frozen=True)
class ProbeReply:
    """A browser's answer to a clock probe."""

    probe_id: int
    client_ms: float


def kept_frame(text: str | bytes) -> KeptFrame:
    """A `frame` message of `/ws/camera`. Raises BadMessage, InvalidInput (IMAGE_BROKEN)."""
    message = _object(text)
    if message.get("type") != "frame":
        raise BadMessage(f"unknown message type {str(message.get('type'))[:40]!r}: send 'frame'")
    image = message.get("image_data")
    if not isinstance(image, str):
        raise BadMessage("a frame needs 'image_data': the JPEG in base64")
    timestamp = message.get("timestamp")
    if timestamp is not None and (
        isinstance(timestamp, bool)
        or not isinstance(timestamp, int | float)
        or not math.isfinite(timestamp)
        or not 0 <= timestamp < FARTHEST_S
    ):
        raise BadMessage("'timestamp' must be a number: seconds since the epoch", reason="BAD_TIME")
    if image.startswith("data:"):
        image = image.partition(",")[2]
    try:
        jpeg = base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"'image_data' is no base64: {error}", reason="IMAGE_BROKEN") from error
    return KeptFrame(check_jpeg(jpeg), timestamp)


def browser_frame(data: bytes) -> BrowserFrame:
    """A binary message of a browser camera. Raises BadMessage, InvalidInput (IMAGE_BROKEN)."""
    if len(data) < HEADER.size:
        raise BadMessage(f"a frame begins with a header of {HEADER.size} bytes; this has {len(data)} in all")
    version, _, epoch, sequence, client_ms = HEADER.unpack_from(data)
    if version != HEADER_VERSION:
        raise BadMessage(f"the frame's header has version {version}; this gateway knows {HEADER_VERSION}")
    known = client_ms if math.isfinite(client_ms) and 0 <= client_ms < FARTHEST_S * 1000 else None
    return BrowserFrame(check_jpeg(data[HEADER.size :]), epoch, sequence, known)


def probe_reply(text: str | bytes) -> ProbeReply:
    """A text message of a browser camera. Raises BadMessage."""
    message = _object(text)
    probe_id, client_ms = message.get("id"), message.get("client_ms")
    if message.get("type") != "probe_reply" or not isinstance(probe_id, int):
        raise BadMessage(
            "unknown message: text messages of a camera are 'probe_reply', with the probe's 'id'"
        )
    if (
        isinstance(client_ms, bool)
        or not isinstance(client_ms, int | float)
        or not 0 <= client_ms < FARTHEST_S * 1000
    ):
        raise BadMessage("'client_ms' must be performance.now(), milliseconds", reason="BAD_TIME")
    return ProbeReply(probe_id, float(client_ms))


def check_jpeg(jpeg: bytes) -> bytes:
    """`jpeg` if it begins as one; pose finds out the rest. Raises InvalidInput (IMAGE_BROKEN)."""
    if not jpeg.startswith(JPEG_START):
        raise InvalidInput("the image is no JPEG", reason="IMAGE_BROKEN")
    return jpeg


def _object(text: str | bytes) -> dict[str, object]:
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadMessage(f"the message is no JSON: {error}") from error
    if not isinstance(message, dict):
        raise BadMessage("the message is no JSON object")
    return message
