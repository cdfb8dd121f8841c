"""What other replicas store in sessions that this one holds: one subscription for all of them."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from services.mesh.redis import UNREACHABLE, RedisClient, RedisError

log = structlog.get_logger()

RETRY_S = 0.1

Listener = Callable[[bytes | None], None]
"""Takes a message; None: messages may have been lost, since the connection broke."""


class Feed:
    """Dispatches messages of Redis channels to listeners. Start `run` with the service's Tasks."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._pubsub = redis.pubsub(ignore_subscribe_messages=True)
        self._listeners: dict[str, Listener] = {}
        self._wanted = asyncio.Event()
        self._closed = False
        self._changing = asyncio.Lock()
        """Two that subscribe at once while there is no connection would make two, and one of them be heard by nobody."""

    async def listen(self, channel: str, listener: Listener) -> None:
        """Hand every message on `channel` to `listener` from now on. Raises UNREACHABLE."""
        async with self._changing:
            await self._pubsub.subscribe(channel)
            self._listeners[channel] = listener
        self._wanted.set()

    async def leave(self, channel: str) -> None:
        """No longer listen."""
        if self._listeners.pop(channel, None) is not None and not self._closed:
            with contextlib.suppress(*UNREACHABLE, RedisError):
                async with self._changing:
                    await self._pubsub.unsubscribe(channel)

    async def run(self) -> None:
        """Read until cancelled; after a broken connection subscribe again and tell every listener."""
        try:
            while True:
                await self._wanted.wait()
                try:
                    await self._read()
                except (*UNREACHABLE, RedisError) as error:
                    log.warning("subscription broke; it starts again", error=type(error).__name__)
                    await self._start_again()
        finally:
            self._closed = True
            await self._pubsub.aclose()

    async def _read(self) -> None:
        while self._listeners:
            message = await self._pubsub.get_message(timeout=5.0)
            if message is None or message["type"] != "message":
                continue
            listener = self._listeners.get(message["channel"].decode())
            if listener is not None:
                listener(message["data"])
        self._wanted.clear()

    async def _start_again(self) -> None:
        while True:
            await asyncio.sleep(RETRY_S)
            with contextlib.suppress(*UNREACHABLE, RedisError):
                await self._subscribe_anew()
                return

    async def _subscribe_anew(self) -> None:
        async with self._changing:
            await self._pubsub.aclose()
            self._pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
            if self._listeners:
                await self._pubsub.subscribe(*self._listeners)
            for listener in self._listeners.values():
                listener(None)
