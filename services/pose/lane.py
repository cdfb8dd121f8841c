"""One camera's way through the pool: its waiting frames, its tracker, its order."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.pose.decode import Image
from services.pose.errors import FrameError, InferenceFailed
from services.pose.tracker import Found, Tracker, TrackerOptions

Tag = TypeVar("Tag")


@dataclass(frozen=True, slots=True)
class Job(Generic[Tag]):
    """One frame to look at. `tag` is the caller's own and comes back with the answer."""

    tag: Tag
    jpeg: bytes
    time_us: int
    """Capture time, any clock; drives the tracker's smoothing."""


@dataclass(frozen=True, slots=True)
class Done(Generic[Tag]):
    """What became of a job: `found` or `error`. Stamps are those of the clock the pool was given."""

    job: Job[Tag]
    found: Found | None
    error: FrameError | None
    dequeued_ns: int
    decoded_ns: int
    inferred_ns: int


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a lane needs of its pool."""

    loop: asyncio.AbstractEventLoop
    enqueue: Callable[["Lane[object]"], None]
    """Ask for a worker's turn, from any thread."""
    decode: Callable[[bytes], Image]
    now_ns: Callable[[], int]


class Lane(Generic[Tag]):
    """Frames of one camera, worked off in order, one at a time.

    Live (`capacity` 1, `newest_wins`): a frame that waits gives way to the next. Lossless: at most `capacity` wait.
    Methods belong to the event loop's thread, but for `work`, which belongs to the pool's workers.
    """

    def __init__(
        self,
        workshop: Workshop,
        tracker: Tracker,
        options: TrackerOptions,
        *,
        newest_wins: bool,
        capacity: int,
        on_done: Callable[[Done[Tag]], None],
    ) -> None:
        self._workshop = workshop
        self._tracker = tracker
        self.options = options
        """What the frames from the next one on are looked at for."""
        self._newest_wins = newest_wins
        self._capacity = capacity
        self._on_done = on_done
        self._lock = threading.Lock()
        self._waiting: deque[Job[Tag]] = deque()
        self._has_turn = False
        self._newest_us = 0
        self._open_jobs = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def has_room(self) -> bool:
        """Whether `submit` would take a frame without displacing one."""
        return len(self._waiting) < self._capacity

    @property
    def waiting(self) -> int:
        """Frames that no worker has taken up."""
        return len(self._waiting)

    @property
    def in_hand_us(self) -> int | None:
        """Time of the newest frame that is not answered yet; None: all are."""
        return self._newest_us if self._open_jobs else None

    def submit(self, job: Job[Tag]) -> Job[Tag] | None:
        """Queue a frame; returns the one it displaced, to be counted. Lossless: call only while `has_room`."""
        displaced = None
        with self._lock:
            if len(self._waiting) >= self._capacity:
                if not self._newest_wins:
                    raise OverflowError("a lossless lane was given more than it can hold")
                displaced = self._waiting.popleft()
            self._waiting.append(job)
            ask = not self._has_turn
            self._has_turn = True
        self._newest_us = job.time_us
        if displaced is None:
            self._open_jobs += 1
            self._idle.clear()
        if ask:
            self._workshop.enqueue(self)  # type: ignore[arg-type]  # the pool never looks at tags
        return displaced

    def give_up(self) -> list[Job[Tag]]:
        """Empty the queue; returns what waited."""
        with self._lock:
            left = list(self._waiting)
            self._waiting.clear()
        self._settle(len(left))
        return left

    async def idle(self) -> None:
        """Wait until every frame has been answered."""
        await self._idle.wait()

    def work(self) -> None:
        """Take one turn: the oldest waiting frame, from decoding to landmarks."""
        with self._lock:
            if not self._waiting:
                self._has_turn = False
                return
            job = self._waiting.popleft()
        dequeued_ns = self._workshop.now_ns()
        done = self._look(job, dequeued_ns)
        with self._lock:
            self._has_turn = bool(self._waiting)
            again = self._has_turn
        if again:
            # Behind the others: cameras take turns.
            self._workshop.enqueue(self)  # type: ignore[arg-type]
        self._workshop.loop.call_soon_threadsafe(self._answer, done)

    def _look(self, job: Job[Tag], dequeued_ns: int) -> Done[Tag]:
        now_ns = self._workshop.now_ns
        found, error, decoded_ns = None, None, 0
        try:
            image = self._workshop.decode(job.jpeg)
            decoded_ns = now_ns()
            found = self._tracker.track(image, job.time_us, self.options)
        except FrameError as failure:
            error = failure
        except Exception as failure:  # noqa: BLE001 - a worker thread outlives whatever one frame does to it
            error = InferenceFailed(f"{type(failure).__name__} while looking at a frame: {failure}")
            error.__cause__ = failure
        return Done(job, found, error, dequeued_ns, decoded_ns, now_ns())

    def _answer(self, done: Done[Tag]) -> None:
        try:
            self._on_done(done)
        finally:
            self._settle(1)

    def _settle(self, jobs: int) -> None:
        self._open_jobs -= jobs
        if not self._open_jobs:
            self._idle.set()
