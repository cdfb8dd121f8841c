"""From videos of right and of wrong repetitions to a reference that knows where right ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from services.mesh.errors import FailedPrecondition
from services.scoring.errors import NoRepetition
from services.scoring.judging.examples import Example, kept
from services.scoring.library.builder import Analysing, Detecting, ReferenceBuilder
from services.scoring.library.store import ReferenceStore
from services.scoring.library.stored import Learnt, Stored
from services.scoring.live.recorded import examples_in
from services.scoring.movement.landmarks import Recording
from services.scoring.reference.preparation import check
from services.scoring.reference.template import Kind


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a video teaches."""

    reference_id: str
    version: int
    """0: the active one."""
    correct: bool
    person: str
    file_name: str


class Calibrator:
    """Adds labelled repetitions to references; stores nothing unless all went well."""

    def __init__(self, builder: ReferenceBuilder, store: ReferenceStore, now_us: Callable[[], int]) -> None:
        self._builder = builder
        self._store = store
        self._now_us = now_us

    async def pupil(self, lesson: Lesson) -> Stored:
        """Who is to learn. Raises NotFound, and FailedPrecondition for what cannot, before anyone waits for the video."""
        stored = await self._store.get(lesson.reference_id, lesson.version)
        if stored.template.kind is Kind.HOLD:
            raise FailedPrecondition(
                f"reference {stored.reference_id!r} is a held pose, which has no repetitions to calibrate on",
                reason="CALIBRATION_OF_HOLD",
            )
        return stored

    async def learn(self, lesson: Lesson, path: Path) -> AsyncIterator[Detecting | Analysing | Stored]:
        """Progress, last the next version. Raises what looking at a video raises, NoRepetition and BadCalibration."""
        label = lesson.file_name or "the file"
        async for step in self._builder.look_at(path, label):
            if not isinstance(step, Recording):
                yield step
                continue
            # Only now: another video may have taught it while this one was looked at.
            base = await self.pupil(lesson)
            earlier = await self._store.examples(base)
            learnt = await asyncio.to_thread(_learnt, step, base, earlier, lesson, label)
            yield await self._store.add(
                base.template,
                base.name,
                self._now_us(),
                base.reference_id,
                videos=base.videos,
                strip=await self._store.strip(base),
                learnt=learnt,
            )


def _learnt(recording: Recording, base: Stored, earlier: list[Example], lesson: Lesson, label: str) -> Learnt:
    check(recording)
    found = examples_in(recording, base.template, lesson.person, correct=lesson.correct)
    if not found:
        raise NoRepetition(
            f"{label} shows no repetition of {base.name!r} that ends as it begins, the same way round as the reference's"
        )
    examples = kept([*earlier, *found])
    return Learnt.of(examples, base.template)
