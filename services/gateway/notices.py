"""What Redis publishes, over one connection: each channel's news to whoever asked for it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from services.mesh.redis import UNREACHABLE, RedisClient

log = structlog.get_logger()

RETRY_S = 0.2
Listener = Callable[[], None]


class Notices:
    """Calls listeners when their channel has news, and after an outage, when news may have been missed."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._pubsub = redis.pubsub()
        self._listeners: dict[str, set[Listener]] = defaultdict(set)
        self._subscribed: set[str] = set()
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def listening(self, channel: str, listener: Listener) -> AsyncIterator[None]:
        """Call `listener` at every notice on `channel`; it must not block."""
        self._listeners[channel].add(listener)
        self._changed.set()
        try:
            yield
        finally:
            self._listeners[channel].discard(listener)
            if not self._listeners[channel]:
                del self._listeners[channel]
                self._changed.set()

    async def run(self) -> None:
        """Listen until cancelled."""
        try:
            while True:
                try:
                    await self._listen()
                except UNREACHABLE as error:
                    log.warning("Redis cannot be listened to", error=type(error).__name__)
                    await asyncio.sleep(RETRY_S)
                    await self._start_again()
        finally:
            await self._pubsub.aclose()

    async def _start_again(self) -> None:
        await self._pubsub.aclose()
        self._pubsub = self._redis.pubsub()
        self._subscribed.clear()
        self._changed.set()

    async def _listen(self) -> None:
        changing = asyncio.ensure_future(self._changed.wait())
        reading: asyncio.Task[None] | None = None
        try:
            while True:
                if self._changed.is_set():
                    self._changed.clear()
                    await self._subscribe()
                if changing.done():
                    changing = asyncio.ensure_future(self._changed.wait())
                if reading is None and self._subscribed:
                    reading = asyncio.create_task(self._next(), name="notices")
                waiting = {changing} | ({reading} if reading is not None else set())
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if reading is not None and reading.done():
                    reading.result()
                    reading = None
        finally:
            left = [task for task in (changing, reading) if task is not None]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _subscribe(self) -> None:
        wanted = set(self._listeners)
        if new := wanted - self._subscribed:
            await self._pubsub.subscribe(*new)
        if old := self._subscribed - wanted:
            await self._pubsub.unsubscribe(*old)
        self._subscribed = wanted

    async def _next(self) -> None:
        message = await self._pubsub.get_message(timeout=5.0)
        # The answer to a subscription counts as news too: what was published before it may have been missed.
        if message is not None and message["type"] in ("message", "subscribe"):
            for listener in tuple(self._listeners.get(message["channel"].decode(), ())):
                listener()
