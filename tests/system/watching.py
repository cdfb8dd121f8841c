"""What a viewer of a running mesh sees through its WebSockets."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import connect

Message = dict[str, Any]


async def until(address: str, enough: Callable[[Message], bool], *, within: float) -> list[Message]:
    """Messages of a WebSocket up to the one with which it is `enough`. AssertionError: it never was."""
    seen: list[Message] = []
    try:
        async with (
            asyncio.timeout(within),
            connect(address, max_size=1 << 24, open_timeout=None, ping_timeout=None) as socket,
        ):
            async for text in socket:
                seen.append(json.loads(text))
                if enough(seen[-1]):
                    return seen
    except TimeoutError:
        pass
    newest = {message["type"]: message for message in seen}
    raise AssertionError(
        f"{address}: not within {within:g} s; {len(seen)} messages, newest: {str(newest)[:2000]}"
    )


async def poses_of_cameras(gateway: str, cameras: int, *, within: float) -> set[str]:
    """Names of at least so many cameras of which `/ws/monitor` carries a pose of 33 keypoints."""
    found: set[str] = set()

    def enough(message: Message) -> bool:
        if message["type"] == "status_update" and message["pose_data"]["pose"]:
            assert len(message["pose_data"]["pose"][0]["keypoints"]) == 33
            found.add(message["camera_id"])
        return len(found) >= cameras

    await until(f"ws{gateway.removeprefix('http')}/ws/monitor", enough, within=within)
    return found


async def scores(gateway: str, *, within: float, session: str = "live") -> Message:
    """The first `score` message of a session that has a score."""

    def enough(message: Message) -> bool:
        return bool(message["type"] == "score" and message["score"] is not None)

    address = f"ws{gateway.removeprefix('http')}/ws/v1/sessions/{session}?topics=score"
    return (await until(address, enough, within=within))[-1]
