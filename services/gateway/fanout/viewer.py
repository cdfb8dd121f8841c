"""One WebSocket viewer: written to directly while it keeps up, through its mailbox when it does not."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from services.gateway.fanout.mailbox import Mailbox
from services.gateway.shaping.encoding import Document
from services.gateway.shaping.formats import JSON, Format


class Outlet(Protocol):
    """Where a viewer's frames go; services.gateway.outlet has the real one."""

    def try_write(self, frame: bytes) -> bool:
        """Write whole and at once, or not at all: False while the peer does not take what it already has."""

    async def wait_writable(self) -> bool:
        """Return once a write would be taken. False: the connection is over."""


class Viewer:
    """What feeds push to. All methods but `pump` return at once."""

    def __init__(
        self, outlet: Outlet, topics: Iterable[str], format_: Format = JSON, *, tell_skipped: bool = True
    ) -> None:
        self.format = format_
        self.topics = frozenset(topics)
        self.lost_event = False
        """An event did not fit: the viewer must connect again and resume."""
        self._outlet = outlet
        self._mailbox = Mailbox(format_, tell_skipped=tell_skipped)
        self._wake = asyncio.Event()
        self._held: list[tuple[int, str, bytes]] | None = None
        self._held_states: dict[tuple[str, str], bytes] = {}

    def push_state(self, topic: str, key: str, frame: bytes) -> bool:
        """Push the newest state of `topic` and `key`. False: an unread one was overtaken."""
        if topic not in self.topics or self.lost_event:
            return True
        if self._held is not None:
            overtaken = self._held_states.pop((topic, key), None) is not None
            self._held_states[topic, key] = frame
            return not overtaken
        if not self._mailbox and self._outlet.try_write(frame):
            return True
        overtaken = self._mailbox.put_state(topic, key, frame)
        self._wake.set()
        return not overtaken

    def push_event(self, topic: str, seq: int, frame: bytes) -> None:
        """Push an event of set `seq`; it is delivered, or `lost_event` is set."""
        if topic not in self.topics or self.lost_event:
            return
        if self._held is not None:
            self._held.append((seq, topic, frame))
            return
        self._push(frame)

    def say(self, document: Document) -> None:
        """Push a message that belongs to no topic: an answer, a greeting."""
        self._push(self.format.document(document))

    def _push(self, frame: bytes) -> None:
        if not self._mailbox and self._outlet.try_write(frame):
            return
        if not self._mailbox.put_event(frame):
            self.lost_event = True
        self._wake.set()

    def hold(self) -> None:
        """Keep events and the newest states back until `release`, while it is found out what goes before them."""
        self._held = []

    def release(self, replayed: Iterable[Document], through_seq: int) -> None:
        """Push `replayed`, the live events after `through_seq`, and the states; hold nothing back any more."""
        held, self._held = self._held or [], None
        states, self._held_states = self._held_states, {}
        for document in replayed:
            self.say(document)
        for seq, topic, frame in held:
            if seq > through_seq:
                self.push_event(topic, seq, frame)
        for (topic, key), frame in states.items():
            self.push_state(topic, key, frame)

    async def pump(self) -> None:
        """Write what waits until the connection is over, or an event was lost."""
        while not self.lost_event:
            await self._wake.wait()
            self._wake.clear()
            while self._mailbox and not self.lost_event:
                if not await self._outlet.wait_writable():
                    return
                frame = self._mailbox.take()
                if frame is not None and not self._outlet.try_write(frame):
                    return
