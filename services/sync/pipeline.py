"""Scripts of all sessions over one connection to Redis.

What several sessions have ready in one turn of the event loop leaves in one write; answers come in the order of the
calls. A pool gives every call a connection, a task and two timers of its own, which is several times the CPU, and every
set would pay it.
"""

import asyncio
import hashlib
import math
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from services.mesh.redis import UNREACHABLE, RedisClient

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
        self._link: _Link | None = None
        self._connecting = asyncio.Lock()

    async def run(self, script: Script, keys: Sequence[str], arguments: Iterable[Any]) -> Any:
        """The script's answer. Raises UNREACHABLE, then it is not known whether it ran; RedisError: Redis refused it."""
        command = pack_command(("EVALSHA", script.sha, len(keys), *keys, *arguments))
        try:
            return await (await self._connected()).call(command)
        except NoScriptError:
            # A Redis that was started anew does not know it any more.
            await self._redis.script_load(script.text)
            return await (await self._connected()).call(command)

    async def aclose(self) -> None:
        """Let the connection go. Calls that still wait raise UNREACHABLE."""
        if self._link is not None:
            await self._link.aclose()

    async def _connected(self) -> "_Link":
        if self._link is None or self._link.broken:
            async with self._connecting:
                if self._link is None or self._link.broken:
                    self._link = await _connect(self._redis, self._timeout_s)
        return self._link


async def _connect(redis: RedisClient, timeout_s: float) -> "_Link":
    """A connection as the client's pool makes them, but one that waits without a timer for each answer."""
    pool = redis.connection_pool
    connection = pool.connection_class(**{**pool.connection_kwargs, "socket_timeout": None})
    await connection.connect()
    return _Link(connection, timeout_s)


class _Link:
    """One connection, for as long as it holds."""

    def __init__(self, connection: AbstractConnection, timeout_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[asyncio.Future[Any], float]] = deque()
        """Answers to come, and when each call was made."""
        self._watch: asyncio.TimerHandle | None = None
        self.broken = False
        self._reader = asyncio.create_task(self._read(), name="redis-pipeline")

    async def call(self, command: bytes) -> Any:
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((answer, self._loop.time()))
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeout_s, self._look)
        try:
            await self._connection.send_packed_command(command, check_health=False)
        except BaseException:
            # Its answer, if one comes, is nobody's.
            answer.cancel()
            raise
        return await answer

    async def _read(self) -> None:
        try:
            while True:
                try:
                    answer = await self._connection.read_response(timeout=math.inf, disconnect_on_error=False)
                except ResponseError as refusal:
                    answer = refusal
                future, _ = self._waiting.popleft()
                if future.done():
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
        except (*UNREACHABLE, IndexError) as broke:
            self._break(RedisConnectionError(f"the connection to Redis broke: {broke}"))
        finally:
            self._break(RedisConnectionError("the connection to Redis was closed"))
            await self._connection.disconnect()

    def _look(self) -> None:
        """Give up when the oldest call has waited for too long."""
        self._watch = None
        if not self._waiting:
            return
        left_s = self._waiting[0][1] + self._timeout_s - self._loop.time()
        if left_s > 0:
            self._watch = self._loop.call_later(left_s, self._look)
        else:
            self._break(RedisTimeoutError(f"Redis has not answered for {self._timeout_s:.0f} s"))
            self._reader.cancel()

    def _break(self, error: Exception) -> None:
        """Nothing that waits will be answered any more."""
        self.broken = True
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        while self._waiting:
            answer, _ = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(error)

    async def aclose(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
