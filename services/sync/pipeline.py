"""Scripts of all sessions over one connection to Redis.

What several sessions have ready in one turn of the event loop leaves in one write; answers come in the order of the
calls.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from hiredis import pack_command
from redis.exceptions import NoScriptError

from services.mesh.link import Link
from services.mesh.redis import RedisClient

TIMEOUT_S = 10.0
"""A Redis that has not answered a call for so long is taken for away."""


class Script:
    """A script, by the name Redis has for it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode()).hexdigest()  # noqa: S324 - Redis' own name for it


class Pipeline:
    """Runs scripts. The connection is made at the first call, and anew after it broke."""

    def __init__(self, redis: RedisClient, timeout_s: float = TIMEOUT_S) -> None:
        self._redis = redis
        self._timeout_s = timeout_s
        self._link: Link | None = None
        self._connecting = asyncio.Lock()

    async def run(self, script: Script, keys: Sequence[str], arguments: Iterable[Any]) -> Any:
        """The script's answer. Raises UNREACHABLE, then it is not known whether it ran; RedisError: Redis refused it."""
        command = pack_command(("EVALSHA", script.sha, len(keys), *keys, *arguments))
        try:
            return await (await self._connected()).send(command)
        except NoScriptError:
            # A Redis that was started anew does not know it any more.
            await self._redis.script_load(script.text)
            return await (await self._connected()).send(command)

    async def aclose(self) -> None:
        """Let the connection go. Calls that still wait raise UNREACHABLE."""
        if self._link is not None:
            await self._link.aclose()

    async def _connected(self) -> Link:
        if self._link is None or self._link.broken:
            async with self._connecting:
                if self._link is None or self._link.broken:
                    self._link = await Link.connected(self._redis.connection_pool, self._timeout_s)
        return self._link
