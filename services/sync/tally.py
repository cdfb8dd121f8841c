"""What became of the poses of one ingest stream."""

import asyncio
from dataclasses import dataclass, field
from typing import TypeAlias

from komi.common.v1 import stream_pb2

Reason: TypeAlias = "stream_pb2.DropReason.ValueType"


@dataclass
class Tally:
    """Counts of one stream."""

    stored: int = 0
    dropped: dict[Reason, int] = field(default_factory=dict)
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while nothing waits to be stored."""
    _pending: int = 0

    def take(self, count: int) -> None:
        """So many poses more wait."""
        self._pending += count
        self.settled.clear()

    def done(self) -> None:
        """One waits no longer."""
        self._pending -= 1
        if not self._pending:
            self.settled.set()

    def drop(self, reason: Reason) -> None:
        """One was given up."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
