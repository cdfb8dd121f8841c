"""From an uploaded video, or a file exported before, to a stored reference."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from komi.pose.v1 import pose_service_pb2_grpc
from services.mesh.errors import InvalidInput
from services.scoring.config import ScoringSettings
from services.scoring.errors import BadCalibration, CutOff, DifferentExercise, TooLarge
from services.scoring.library.detection import detect
from services.scoring.library.interchange import from_file
from services.scoring.library.store import ReferenceStore
from services.scoring.library.stored import Learnt, Stored
from services.scoring.library.strip import make_strip
from services.scoring.library.video import SampleVideo
from services.scoring.movement.landmarks import Recording
from services.scoring.reference.building import build_template
from services.scoring.reference.refinement import refined
from services.scoring.reference.template import Template

MEGABYTE = 1 << 20
MOST_VIDEOS = 6
"""Videos a reference is made from at most."""
ENVELOPE_BYTES = 256 << 10
"""The size told beforehand may be that of the form the file came in, which is larger than the file by less than this."""
PROGRESS_S = 0.3
"""How often progress is told."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be built."""

    name: str
    exercise: str
    reference_id: str
    """Empty: a new one."""
    file_name: str
    size_bytes: int = 0
    """As told beforehand. 0: unknown."""
    silhouettes: bool = False
    """Keep outlines of the person, too."""


@dataclass(frozen=True, slots=True)
class Detecting:
    """So many frames have been looked at."""

    done: int
    total: int
    """0: unknown."""


@dataclass(frozen=True, slots=True)
class Analysing:
    """All frames have been looked at."""

    frames: int


class ReferenceBuilder:
    """Builds references; stores nothing unless all went well."""

    def __init__(
        self,
        settings: ScoringSettings,
        pose: pose_service_pb2_grpc.PoseServiceAsyncStub,
        store: ReferenceStore,
        now_us: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._pose = pose
        self._store = store
        self._now_us = now_us

    async def receive(
        self, chunks: AsyncIterator[bytes], folder: Path, size_bytes: int = 0, label: str = ""
    ) -> Path:
        """The uploaded file, written into `folder`.

        `size_bytes` as told beforehand, 0 unknown. Raises TooLarge, InvalidInput if it is empty, CutOff if much is missing.
        """
        path = folder / "video"
        size = 0
        with path.open("wb") as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > self._settings.max_video_mb * MEGABYTE:
                    raise TooLarge(
                        f"the video is larger than {self._settings.max_video_mb} MB: cut it to a few repetitions"
                    )
                await asyncio.to_thread(file.write, chunk)
        if not size:
            raise InvalidInput(
                "the video is empty: send its bytes in chunks after the config", reason="VIDEO_EMPTY"
            )
        if size + ENVELOPE_BYTES < size_bytes:
            raise CutOff(f"{label or 'the video'} ended after {size} of {size_bytes} bytes; send it again")
        return path

    async def build(self, order: Order, path: Path) -> AsyncIterator[Detecting | Analysing | Stored]:
        """Progress, last the stored reference. Raises what `detect`, `build_template` and `refined` raise."""
        base = await self._base(order)
        # The first video stays the time base, and outlines are those of its time and its side.
        silhouettes = order.silhouettes and base is None
        async for step in self.look_at(path, order.file_name or "the file", silhouettes=silhouettes):
            if not isinstance(step, Recording):
                yield step
                continue
            template = await asyncio.to_thread(build_template, step, order.exercise)
            learnt: Learnt | None = None
            if base is None:
                strip = await asyncio.to_thread(make_strip, path, step, template)
            else:
                # The first video stays the time base, so its pictures stay too.
                template = await asyncio.to_thread(refined, base.template, template)
                strip = await self._store.strip(base)
                learnt = await self._relearnt(base, template)
            yield await self._store.add(
                template,
                order.name,
                self._now_us(),
                order.reference_id,
                videos=1 if base is None else base.videos + 1,
                strip=strip,
                learnt=learnt,
            )

    async def look_at(
        self, path: Path, label: str, *, silhouettes: bool = False
    ) -> AsyncIterator[Detecting | Analysing | Recording]:
        """Progress, last the landmarks of the video, with masks if `silhouettes`; `label` names it in messages. Raises what `detect` raises."""
        video = await asyncio.to_thread(
            SampleVideo,
            path,
            label=label,
            longest_s=self._settings.max_video_s,
            most_fps=self._settings.analysis_fps,
        )
        try:
            latest = Detecting(0, video.frames)

            def progress(done: int, total: int) -> None:
                nonlocal latest
                latest = Detecting(done, total)

            work = asyncio.create_task(detect(self._pose, video, progress, silhouettes=silhouettes))
            try:
                while not work.done():
                    yield latest
                    await asyncio.wait((work,), timeout=PROGRESS_S)
                recording = work.result()
            finally:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
        finally:
            await asyncio.to_thread(video.close)
        yield Analysing(len(recording.times_s))
        yield recording

    async def take_in(self, data: bytes) -> Stored:
        """Stores an exported file as a new reference. Raises what `interchange.from_file` raises, and TooLarge."""
        carried = await asyncio.to_thread(from_file, data)
        if carried.template.duration_s > self._settings.max_video_s:
            raise TooLarge(
                f"the reference lasts {carried.template.duration_s:.0f} s; "
                f"at most {self._settings.max_video_s:.0f} s are taken"
            )
        return await self._store.add(
            carried.template,
            carried.name,
            self._now_us(),
            videos=carried.videos,
            strip=carried.strip,
            learnt=Learnt(carried.calibration, (), carried.labels),
        )

    async def _relearnt(self, base: Stored, template: Template) -> Learnt | None:
        """What the labelled repetitions of `base` make of its next template; None: nothing any more."""
        examples = await self._store.examples(base)
        with suppress(BadCalibration):
            return await asyncio.to_thread(Learnt.of, examples, template) if examples else None
        return None

    async def _base(self, order: Order) -> Stored | None:
        """What the video is to refine. Raises NotFound, and InvalidInput before anyone waits for the video."""
        if not order.reference_id:
            return None
        base = await self._store.get(order.reference_id)
        if base.videos >= MOST_VIDEOS:
            raise InvalidInput(
                f"reference {base.reference_id!r} is made from {base.videos} videos already: build a new one",
                reason="REFERENCE_REFINED_ENOUGH",
            )
        if order.exercise and base.template.exercise and order.exercise != base.template.exercise:
            raise DifferentExercise(
                f"reference {base.reference_id!r} shows {base.template.exercise}, not {order.exercise}"
            )
        return base


def workspace() -> tempfile.TemporaryDirectory[str]:
    """A folder for an upload, gone when it is closed: videos of people are not kept."""
    return tempfile.TemporaryDirectory(prefix="komi-reference-")
