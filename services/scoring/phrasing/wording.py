"""One session's cue in a model's words: asked beside the session, the newest cue wins, nothing ever waits for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from services.scoring import metrics
from services.scoring.advice.knowledge import Text
from services.scoring.live.outcome import Advice
from services.scoring.phrasing.model import LanguageModel
from services.scoring.phrasing.record import Record, record_of

REMEMBERED: Final = 64
"""Records whose words are kept: the same fault as large again is told in the same words at once."""


@dataclass(frozen=True, slots=True)
class Worded:
    """A cue's words by the model."""

    cue: Advice
    text: Text


class Wording:
    """Not for several threads at once, but for `worded`, which any may read."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._cue: Advice | None = None
        self._task: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._known: dict[Record, Text] = {}
        self.worded: Worded | None = None
        """The words for one cue; it may have been followed by another."""

    def offer(self, exercise: str, cue: Advice | None) -> None:
        """The cue that stands now: asks for its words if it is another than the one before."""
        if cue == self._cue:
            return
        self._cue = cue
        self._give_up()
        if cue is None:
            return
        record = record_of(exercise, cue)
        known = self._known.get(record)
        if known is not None:
            self.worded = Worded(cue, known)
        else:
            self._task = asyncio.create_task(self._ask(cue, record), name=f"word {cue.code}")
            self._tasks.add(self._task)
            self._task.add_done_callback(self._tasks.discard)

    async def _ask(self, cue: Advice, record: Record) -> None:
        text = await self._model.word(record)
        if text is None:
            return
        if len(self._known) >= REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[record] = text
        self.worded = Worded(cue, text)

    def _give_up(self) -> None:
        if self._task is not None and not self._task.done():
            metrics.PHRASINGS.labels("superseded").inc()
            self._task.cancel()
        self._task = None

    async def aclose(self) -> None:
        """Ask no more."""
        self._give_up()
        if self._tasks:
            await asyncio.wait(self._tasks)
