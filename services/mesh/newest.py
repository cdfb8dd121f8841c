"""A slot for one item: the newest wins, the one it displaces is handed back to be counted."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class NewestSlot(Generic[T]):
    """Between one producer and one consumer of the same event loop."""

    def __init__(self) -> None:
        self._item: T | None = None
        self._filled = asyncio.Event()
        self._closed = False

    def put(self, item: T) -> T | None:
        """Lay `item` in the slot; returns the unread item it displaced, if any."""
        displaced, self._item = self._item, item
        self._filled.set()
        return displaced

    def take(self) -> T | None:
        """The item, or None when the slot is empty."""
        item, self._item = self._item, None
        if not self._closed:
            self._filled.clear()
        return item

    @property
    def filled(self) -> bool:
        """Whether an item waits."""
        return self._item is not None

    async def get(self) -> T | None:
        """Wait for an item. None: the slot was closed and is empty."""
        while True:
            await self._filled.wait()
            item = self.take()
            if item is not None or self._closed:
                return item

    def close(self) -> None:
        """Let the consumer take what is there, then end."""
        self._closed = True
        self._filled.set()
