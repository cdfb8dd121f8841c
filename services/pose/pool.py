"""The threads that decode and infer: as many as cores, turn by turn between the cameras.

The model and the JPEG decoder release the GIL, so threads of one process use all cores; every camera has a tracker of
its own, since a tracker follows one person from frame to frame.
"""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from services.pose.decode import ImageLimits, decode_jpeg
from services.pose.errors import ModelNotLoaded, NoTracker
from services.pose.lane import Done, Job, Lane, Workshop
from services.pose.tracker import Model, TrackerOptions

Tag = TypeVar("Tag")

MEAN_OVER_NS = 5_000_000_000


class _Turn(NamedTuple):
    """How long one frame kept a worker."""

    ended_ns: int
    infer_ns: int
    turn_ns: int


class InferencePool:
    """Opens a lane for each camera and gives its frames to worker threads."""

    def __init__(
        self,
        model: Model,
        *,
        workers: int,
        max_trackers: int,
        limits: ImageLimits,
        now_ns: Callable[[], int],
    ) -> None:
        self.workers = workers
        self.limits = limits
        self._model = model
        self._max_trackers = max_trackers
        self._now_ns = now_ns
        self._ready: queue.SimpleQueue[Lane[Any] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="pose-loader")
        self._open: set[Lane[Any]] = set()
        self._recent: deque[_Turn] = deque()
        self._infer_ns = 0
        self._turn_ns = 0
        self.loaded = False

    @property
    def streams(self) -> int:
        """Lanes open now."""
        return len(self._open)

    @property
    def waiting(self) -> int:
        """Frames that no worker has taken up."""
        return sum(lane.waiting for lane in self._open)

    async def start(self) -> None:
        """Load the model and run it once, then take work. Raises ModelNotLoaded."""
        await self._prepare(TrackerOptions())
        for number in range(self.workers):
            thread = threading.Thread(target=self._work, name=f"pose-worker-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)
        self.loaded = True

    async def open(
        self,
        options: TrackerOptions,
        *,
        newest_wins: bool,
        capacity: int,
        on_done: Callable[[Done[Tag]], None],
    ) -> Lane[Tag]:
        """A lane with a tracker of its own; `on_done` runs in the event loop, in order.

        Raises NoTracker when all are taken, ModelNotLoaded before `start` is through.
        """
        if not self.loaded:
            raise ModelNotLoaded("the pose model is still loading; try again in a second", retry_after_s=1.0)
        if len(self._open) >= self._max_trackers:
            raise NoTracker(
                f"all {self._max_trackers} trackers of this replica are taken: close a camera, add a pose replica, "
                "or raise max_trackers",
                retry_after_s=5.0,
            )
        workshop = Workshop(
            loop=asyncio.get_running_loop(),
            enqueue=self._ready.put,
            decode=lambda jpeg: decode_jpeg(jpeg, self.limits),
            now_ns=self._now_ns,
        )

        def count_and_answer(done: Done[Tag]) -> None:
            self._note(done)
            on_done(done)

        lane: Lane[Tag] = Lane(
            workshop,
            self._model.tracker(),
            options,
            newest_wins=newest_wins,
            capacity=capacity,
            on_done=count_and_answer,
        )
        self._open.add(lane)
        return lane

    async def refit(self, lane: Lane[Any], options: TrackerOptions) -> None:
        """Have an open lane go on with other options, from the first frame after what they need is loaded.

        Raises ModelNotLoaded, and the lane goes on as it was.
        """
        await self._prepare(options)
        lane.options = options

    async def close_lane(self, lane: Lane[Any]) -> list[Job[Any]]:
        """Give up what waits (returned, to be counted), let a running frame end, free its place."""
        left = lane.give_up()
        await lane.idle()
        self._open.discard(lane)
        return left

    def mean_inference_ms(self) -> float:
        """Mean time from decoded to inferred over the last seconds, milliseconds; 0: none yet."""
        self._forget_old()
        return self._infer_ns / len(self._recent) / 1e6 if self._recent else 0.0

    def max_fps(self) -> float:
        """Frames a second that each open lane may hope for; 0: not known yet."""
        self._forget_old()
        if not self._recent:
            return 0.0
        # A lane has one worker at a time, however many are idle.
        return min(1.0, self.workers / max(self.streams, 1)) * 1e9 * len(self._recent) / self._turn_ns

    async def close(self) -> None:
        """Stop the workers after their present frame."""
        for lane in list(self._open):
            await self.close_lane(lane)
        for _ in self._threads:
            self._ready.put(None)
        await asyncio.to_thread(self._join)
        self.loaded = False

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()
        self._loader.shutdown()

    def _work(self) -> None:
        while (lane := self._ready.get()) is not None:
            lane.work()

    async def _prepare(self, options: TrackerOptions) -> None:
        await asyncio.get_running_loop().run_in_executor(self._loader, self._model.prepare, options)

    def _note(self, done: Done[Any]) -> None:
        if done.found is not None:
            turn = _Turn(
                done.inferred_ns, done.inferred_ns - done.decoded_ns, done.inferred_ns - done.dequeued_ns
            )
            self._recent.append(turn)
            self._infer_ns += turn.infer_ns
            self._turn_ns += turn.turn_ns
            self._forget_old()

    def _forget_old(self) -> None:
        oldest_ns = self._now_ns() - MEAN_OVER_NS
        while self._recent and self._recent[0].ended_ns < oldest_ns:
            turn = self._recent.popleft()
            self._infer_ns -= turn.infer_ns
            self._turn_ns -= turn.turn_ns
