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
from services.pose.pool import InferencePool
from services.pose.tracker import DEFAULT_OPTIONS, Found, TrackerOptions


class SteppedModel:
    """Its trackers look at a frame only when a test lets them: what a real model cannot be told."""

    def __init__(self) -> None:
        self.gate = threading.Semaphore(0)
        self.looked_at: list[int] = []
        self.looked_for: list[TrackerOptions] = []
        self.prepared: list[TrackerOptions] = []

    def prepare(self, options: TrackerOptions = DEFAULT_OPTIONS, /) -> None:
        self.prepared.append(options)

    def tracker(self) -> "SteppedModel":
        return self

    def track(self, image: Image, time_us: int, options: TrackerOptions = DEFAULT_OPTIONS, /) -> Found:
        assert self.gate.acquire(timeout=30)
        if time_us < 0:
            raise ZeroDivisionError("a frame that hurts")
        self.looked_at.append(time_us)
        self.looked_for.append(options)
        return Found(image.shape[1], image.shape[0], persons=0, person=None)


class Bench:
    """A pool of stepped trackers and what it answered."""

    def __init__(self, jpeg: bytes, **options: int) -> None:
        self.jpeg = jpeg
        self.model = SteppedModel()
        self.gate = self.model.gate
        self.looked_at = self.model.looked_at
        self.done: list[Done[int]] = []
        self.pool = InferencePool(
            self.model,
            **{"workers": 1, "max_trackers": 4, **options},
            limits=ImageLimits(1 << 20, 1 << 20),
            now_ns=monotonic_ns,
        )

    async def lane(self, *, newest_wins: bool = True, capacity: int = 1) -> Lane[int]:
        return await self.pool.open(
            DEFAULT_OPTIONS,
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


async def test_a_frame_that_fails_is_answered_so_and_the_lane_goes_on(landscape: bytes) -> None:
    async with bench(landscape) as it:
        lane = await it.lane(newest_wins=False, capacity=3)
        it.let(10)
        for number in (-1, 5, 6):
            lane.submit(it.job(number))
        await lane.idle()
        first, *others = it.done
        assert first.error is not None
        assert first.error.reason == "INFERENCE_FAILED"
        assert "a frame that hurts" in first.error.message
        assert [done.error for done in others] == [None, None]


async def test_a_lane_goes_on_with_other_options_between_two_frames(landscape: bytes) -> None:
    silhouettes = TrackerOptions(segmentation=True)
    async with bench(landscape) as it:
        lane = await it.lane(newest_wins=False, capacity=3)
        lane.submit(it.job(0))
        await until(lambda: not lane.waiting)
        await it.pool.refit(lane, silhouettes)
        lane.submit(it.job(1))
        it.let(2)
        await lane.idle()
        assert [done.error for done in it.done] == [None, None]
        assert it.model.prepared == [DEFAULT_OPTIONS, silhouettes], (
            "what a frame needs is loaded before it comes"
        )
        assert it.model.looked_for == [DEFAULT_OPTIONS, silhouettes]


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
