"""The pool keeps order within a camera, takes turns between cameras, and never holds more than it may."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.mesh.stages import monotonic_ns
from services.pose.cores import usable_cores
from services.pose.decode import Image, ImageLimits
from services.pose.errors import ModelNotLoaded, NoTracker
from services.pose.lane import Done, Job, Lane
from services.pose.pool import DEFAULT_OPTIONS, InferencePool
from services.pose.tracker import Found, TrackerOptions


class SteppedTracker:
    """A tracker that looks at a frame only when a test lets it: what MediaPipe cannot be told."""

    def __init__(self, gate: threading.Semaphore, log: list[int]) -> None:
        self._gate = gate
        self._log = log
        self.closed = False
        self.broken = False

    def track(self, image: Image, time_us: int, /) -> Found:
        assert self._gate.acquire(timeout=10)
        assert not self.closed
        if time_us < 0:
            self.broken = True
            raise ZeroDivisionError("a frame that hurts")
        self._log.append(time_us)
        return Found(image.shape[1], image.shape[0], persons=0, person=None)

    def close(self) -> None:
        self.closed = True
        if self.broken:
            raise RuntimeError("the graph failed")


class Bench:
    """A pool of stepped trackers and what it answered."""

    def __init__(self, jpeg: bytes, **options: int) -> None:
        self.jpeg = jpeg
        self.gate = threading.Semaphore(0)
        self.looked_at: list[int] = []
        self.made: list[SteppedTracker] = []
        self.options: list[TrackerOptions] = []
        self.done: list[Done[int]] = []
        self.pool = InferencePool(
            self._make,
            **{"workers": 1, "max_trackers": 4, **options},
            limits=ImageLimits(1 << 20, 1 << 20),
            now_ns=monotonic_ns,
        )

    def _make(self, options: TrackerOptions) -> SteppedTracker:
        if options == DEFAULT_OPTIONS:
            self.gate.release()  # a spare is warmed up by one frame
        self.options.append(options)
        self.made.append(SteppedTracker(self.gate, self.looked_at))
        return self.made[-1]

    async def lane(self, *, newest_wins: bool = True, capacity: int = 1) -> Lane[int]:
        # Other options than the default: no spare, so that no warm-up takes from the gate.
        return await self.pool.open(
            TrackerOptions(max_persons=2),
            newest_wins=newest_wins,
            capacity=capacity,
            on_done=self.done.append,
        )

    def job(self, number: int) -> Job[int]:
        return Job(number, self.jpeg, number)

    def let(self, frames: int) -> None:
        self.gate.release(frames)


@asynccontextmanager
async def bench(jpeg: bytes, **options: int) -> AsyncIterator[Bench]:
    made = Bench(jpeg, **options)
    await made.pool.start()
    made.looked_at.clear()
    try:
        yield made
    finally:
        made.let(1000)
        await made.pool.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the other side is a thread
            await asyncio.sleep(0.002)


async def test_a_live_lane_keeps_the_newest_frame_and_hands_back_the_one_it_displaced(
    landscape: bytes,
) -> None:
    async with bench(landscape) as it:
        lane = await it.lane()
        assert lane.submit(it.job(0)) is None
        await until(lambda: not lane.waiting)
        assert lane.submit(it.job(1)) is None
        displaced = lane.submit(it.job(2))
        assert displaced is not None
        assert displaced.tag == 1
        it.let(10)
        await lane.idle()
        assert [done.job.tag for done in it.done] == [0, 2]


async def test_a_lossless_lane_keeps_every_frame_and_refuses_more_than_it_may_hold(landscape: bytes) -> None:
    async with bench(landscape) as it:
        lane = await it.lane(newest_wins=False, capacity=3)
        lane.submit(it.job(0))
        await until(lambda: not lane.waiting)
        for number in (1, 2, 3):
            assert lane.has_room
            assert lane.submit(it.job(number)) is None
        assert not lane.has_room
        with pytest.raises(OverflowError):
            lane.submit(it.job(4))
        it.let(10)
        await lane.idle()
        assert [done.job.tag for done in it.done] == [0, 1, 2, 3]


async def test_cameras_take_turns(landscape: bytes) -> None:
    """A lossless lane with a long queue once could have kept every worker from a live camera."""
    async with bench(landscape) as it:
        busy, live = await it.lane(newest_wins=False, capacity=8), await it.lane()
        for number in range(8):
            busy.submit(it.job(number))
        live.submit(it.job(100))
        it.let(100)
        await busy.idle()
        await live.idle()
        assert it.looked_at.index(100) <= 2
        assert [tag for tag in it.looked_at if tag < 100] == list(range(8))


async def test_one_lane_is_never_looked_at_by_two_workers(landscape: bytes) -> None:
    async with bench(landscape, workers=3) as it:
        lane = await it.lane(newest_wins=False, capacity=50)
        it.let(100)
        for number in range(50):
            lane.submit(it.job(number))
        await lane.idle()
        assert it.looked_at == list(range(50))
        stamps = [(done.dequeued_ns, done.inferred_ns) for done in it.done]
        assert all(earlier[1] <= later[0] for earlier, later in pairwise(stamps))


async def test_a_tracker_that_fails_is_replaced_and_the_lane_goes_on(landscape: bytes) -> None:
    """Closing a failed graph raises again, which would have ended the worker's thread."""
    async with bench(landscape) as it:
        lane = await it.lane(newest_wins=False, capacity=3)
        made = len(it.made)
        it.let(10)
        for number in (-1, 5, 6):
            lane.submit(it.job(number))
        await lane.idle()
        first, *others = it.done
        assert first.error is not None
        assert first.error.reason == "INFERENCE_FAILED"
        assert "a frame that hurts" in first.error.message
        assert [done.error for done in others] == [None, None]
        assert len(it.made) == made + 1
        assert it.made[made - 1].closed


async def test_a_lane_goes_on_with_other_options_between_two_frames(landscape: bytes) -> None:
    async with bench(landscape) as it:
        lane = await it.lane(newest_wins=False, capacity=3)
        first = it.made[-1]
        lane.submit(it.job(0))
        await until(lambda: not lane.waiting)
        it.let(3)  # two warm themselves up; the frame in hand ends with the tracker it began with
        await it.pool.refit(lane, TrackerOptions(segmentation=True))
        await it.pool.refit(lane, TrackerOptions(segmentation=True, max_persons=3))
        lane.submit(it.job(1))
        it.let(1)
        await lane.idle()
        assert [done.error for done in it.done] == [None, None]
        *others, last = it.made[it.made.index(first) :]
        await until(lambda: all(tracker.closed for tracker in others))
        assert not last.closed
        made = len(it.made)
        lane.submit(it.job(-1))
        it.let(1)
        await until(lambda: last.closed)
        lane.submit(it.job(5))
        it.let(1)
        await lane.idle()
        assert len(it.made) == made + 1
        assert it.options[-1] == TrackerOptions(segmentation=True, max_persons=3), "it begins anew as it was"


async def test_giving_up_empties_the_queue_but_lets_the_frame_in_hand_end(landscape: bytes) -> None:
    async with bench(landscape) as it:
        lane = await it.lane(newest_wins=False, capacity=3)
        for number in range(3):
            lane.submit(it.job(number))
        await until(lambda: lane.waiting == 2)
        assert [job.tag for job in lane.give_up()] == [1, 2]
        closing = asyncio.create_task(it.pool.close_lane(lane))
        it.let(1)
        assert await closing == []
        assert [done.job.tag for done in it.done] == [0]
        assert it.made[-1].closed


async def test_trackers_are_limited_and_come_free_again(landscape: bytes) -> None:
    async with bench(landscape, max_trackers=2) as it:
        first, _ = await it.lane(), await it.lane()
        with pytest.raises(NoTracker, match="all 2 trackers"):
            await it.lane()
        await it.pool.close_lane(first)
        await it.lane()
        assert it.pool.streams == 2


async def test_nothing_opens_before_the_model_is_there(landscape: bytes) -> None:
    it = Bench(landscape)
    with pytest.raises(ModelNotLoaded):
        await it.lane()
    await it.pool.close()


async def test_the_load_is_measured(landscape: bytes) -> None:
    async with bench(landscape, workers=2) as it:
        assert (it.pool.mean_inference_ms(), it.pool.max_fps()) == (0, 0)
        lane = await it.lane(newest_wins=False, capacity=4)
        it.let(4)
        for number in range(4):
            lane.submit(it.job(number))
        await lane.idle()
        assert it.pool.mean_inference_ms() > 0
        turn_s = sum(done.inferred_ns - done.dequeued_ns for done in it.done) / 4 / 1e9
        assert it.pool.max_fps() == pytest.approx(1 / turn_s), "one lane has one worker at a time"
        for _ in range(3):
            await it.lane()
        assert it.pool.max_fps() == pytest.approx(2 / 4 / turn_s)


@settings(max_examples=30)
@given(
    bursts=st.lists(st.integers(1, 6), min_size=1, max_size=12),
    workers=st.integers(1, 3),
    lanes=st.integers(1, 3),
)
def test_every_frame_is_answered_or_handed_back_whatever_the_bursts(
    bursts: list[int], workers: int, lanes: int
) -> None:
    async def run() -> None:
        async with bench(_TINY, workers=workers) as it:
            it.let(10_000)
            opened = [await it.lane() for _ in range(lanes)]
            given_back: list[int] = []
            number = 0
            for burst in bursts:
                for _ in range(burst):
                    displaced = opened[number % lanes].submit(it.job(number))
                    if displaced is not None:
                        given_back.append(displaced.tag)
                    number += 1
                await asyncio.sleep(0)
            for lane in opened:
                await lane.idle()
            answered = [done.job.tag for done in it.done]
            assert sorted(answered + given_back) == list(range(number))
            for at in range(lanes):
                mine = [tag for tag in answered if tag % lanes == at]
                assert mine == sorted(mine)

    asyncio.run(run())


def _tiny() -> bytes:
    import simplejpeg

    jpeg: bytes = simplejpeg.encode_jpeg(np.zeros((8, 8, 3), dtype=np.uint8))
    return jpeg


_TINY = _tiny()


@pytest.mark.parametrize(
    ("limit", "most"),
    [("max 100000", 10_000), ("150000 100000", 2), ("50000 100000", 1), ("nonsense", 10_000)],
)
def test_a_containers_cpu_limit_bounds_the_workers(limit: str, most: int, tmp_path: Path) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(limit + "\n")
    assert 1 <= usable_cores(file) <= most
    assert usable_cores(tmp_path / "absent") >= 1
