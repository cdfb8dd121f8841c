"""The clock estimate holds what it promises: offset, drift, steps and an honest uncertainty."""

import itertools
import random

import pytest

from services.mesh.clock import (
    BURST_PERIOD_S,
    BURST_PROBES,
    ArrivalFallback,
    ClockEstimator,
    StampSmoother,
    probe_delays,
)
from services.mesh.redis import connect
from services.mesh.server_clock import ServerClock
from services.mesh.tasks import Tasks
from tests.support.waiting import Eventually

START_NS = 5_000_000_000
UNIX_NS = 1_700_000_000_000_000_000


class Link:
    """A local clock that drifts against the server's, and a network between them."""

    def __init__(
        self, seed: int, *, drift: float = 0.0, base_ms: float = 0.1, jitter_ms: float = 0.02
    ) -> None:
        self.random = random.Random(seed)
        self.drift, self.base_ms, self.jitter_ms = drift, base_ms, jitter_ms
        self.step_ns = 0

    def local_ns(self, true_s: float) -> int:
        """The local clock when `true_s` seconds have passed on the server's."""
        return START_NS + round(true_s * 1e9 * (1 + self.drift)) + self.step_ns

    def delay_s(self) -> float:
        return (self.base_ms + self.random.expovariate(1 / self.jitter_ms)) / 1e3

    def probe(self, estimator: ClockEstimator, true_s: float) -> bool:
        arrive_s = true_s + self.delay_s()
        leave_s = arrive_s + 20e-6
        back_s = leave_s + self.delay_s()
        t1, t2 = (UNIX_NS + round(s * 1e9) for s in (arrive_s, leave_s))
        return estimator.add(self.local_ns(true_s), t1, t2, self.local_ns(back_s))

    def error_us(self, estimator: ClockEstimator, true_s: float) -> tuple[float, int]:
        mapped_us, uncertainty_us = estimator.map(self.local_ns(true_s))
        return mapped_us - (UNIX_NS / 1000 + true_s * 1e6), uncertainty_us


def probe_times(until_s: float) -> list[float]:
    return list(itertools.takewhile(lambda t: t < until_s, itertools.accumulate(probe_delays())))


def test_probes_come_in_bursts_of_eight_every_two_seconds() -> None:
    times = probe_times(4.2)
    assert times[:BURST_PROBES] == pytest.approx([0.064 * n for n in range(BURST_PROBES)])
    assert times[BURST_PROBES] == pytest.approx(BURST_PERIOD_S)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("link", "bar_us"),
    [
        ({"base_ms": 0.1, "jitter_ms": 0.05}, 200),
        ({"base_ms": 2.0, "jitter_ms": 3.0}, 500),
        ({"base_ms": 8.0, "jitter_ms": 15.0}, 2000),
    ],
    ids=["wired", "wifi", "bad-wifi"],
)
def test_the_offset_is_found_and_its_uncertainty_is_honest(
    seed: int, link: dict[str, float], bar_us: float
) -> None:
    rng = random.Random(1000 + seed)
    rig = Link(seed, drift=rng.uniform(-100e-6, 100e-6), **link)
    estimator = ClockEstimator()
    early: list[float] = []
    late: list[float] = []
    covered: list[bool] = []
    for t in probe_times(180):
        rig.probe(estimator, t)
        if t > 1:
            error, uncertainty = rig.error_us(estimator, t + 0.05)
            covered.append(abs(error) <= uncertainty)
            (late if t > 60 else early).append(abs(error))
    assert estimator.epoch == 0
    assert sorted(late)[int(0.99 * len(late))] <= bar_us
    assert max(early[30:]) <= 5000
    assert sum(covered) / len(covered) >= 0.99


def test_a_calm_clock_is_probed_a_quarter_as_often_and_stays_as_honest() -> None:
    rig, estimator = Link(5, drift=60e-6, base_ms=0.05, jitter_ms=0.05), ClockEstimator()
    delays, t, probes = probe_delays(lambda: estimator.calm), 0.0, 0
    covered: list[bool] = []
    while (t := t + next(delays)) < 300:
        rig.probe(estimator, t)
        if t > 100:
            probes += 1
            for later_s in (0.05, 1.9):
                error, uncertainty = rig.error_us(estimator, t + later_s)
                assert abs(error) < 100
                covered.append(abs(error) <= uncertainty)
    assert probes < 200 * BURST_PROBES / BURST_PERIOD_S / 3
    assert sum(covered) / len(covered) >= 0.99


def test_the_first_probe_that_contradicts_a_calm_clock_is_followed_by_a_whole_burst() -> None:
    rig, estimator = Link(6), ClockEstimator()
    delays, t = probe_delays(lambda: estimator.calm), 0.0
    while (t := t + next(delays)) < 60:
        rig.probe(estimator, t)
    assert estimator.calm
    rig.step_ns = 500_000_000
    stepped_s = t
    while not rig.probe(estimator, t):
        t += next(delays)
    assert estimator.epoch == 1
    assert t - stepped_s < 1.1 * BURST_PERIOD_S
    assert not estimator.calm


def test_a_step_opens_a_new_epoch_within_one_burst_and_is_measured_anew() -> None:
    rig, estimator = Link(1, base_ms=2, jitter_ms=2), ClockEstimator()
    for t in probe_times(30):
        rig.probe(estimator, t)
    rig.step_ns = 500_000_000
    found = next(t for t in probe_times(60) if t > 30 and rig.probe(estimator, t))
    assert found - 30 < 4
    assert estimator.epoch == 1
    for t in probe_times(60):
        if t > found:
            rig.probe(estimator, t)
    assert abs(rig.error_us(estimator, 60)[0]) < 500
    assert estimator.epoch == 1


def test_a_single_probe_that_lies_changes_nothing() -> None:
    rig, estimator = Link(2), ClockEstimator()
    for t in probe_times(20):
        rig.probe(estimator, t)
    local = rig.local_ns(20.01)
    assert not estimator.add(local, UNIX_NS, UNIX_NS, local + 200_000)
    assert not estimator.add(local, UNIX_NS + 5, UNIX_NS, local - 1)
    assert abs(rig.error_us(estimator, 20.02)[0]) < 200


def test_the_drift_is_found() -> None:
    rig, estimator = Link(3, drift=80e-6), ClockEstimator()
    for t in probe_times(70):
        rig.probe(estimator, t)
    reading = estimator.reading(rig.local_ns(70), UNIX_NS + 70_000_000_000, jitter_us=7)
    assert reading.drift_ppm == pytest.approx(-80, abs=5)
    assert abs(reading.offset_us) <= reading.uncertainty_us
    assert reading.to_proto().jitter_us == 7


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("jitter_ms", [3, 6, 10])
def test_the_smoother_takes_most_of_the_jitter_away(seed: int, jitter_ms: float) -> None:
    rng, smoother = random.Random(seed), StampSmoother()
    errors = []
    for n in range(900):
        if rng.random() < 0.02:
            continue
        true_ns = START_NS + round(n * 1e9 / 29.97)
        stamp = smoother.add(n, true_ns + round(rng.gauss(0, jitter_ms * 1e6)))
        if n > 100:
            errors.append(abs(stamp - true_ns) / 1e6)
    assert sum(errors) / len(errors) < jitter_ms / 5
    assert smoother.jitter_us == pytest.approx(jitter_ms * 1000, rel=0.3)


def test_the_smoother_follows_a_new_frame_rate_at_once() -> None:
    smoother, true_ns = StampSmoother(), START_NS
    for n in range(400):
        true_ns += 33_333_333 if n < 200 else 66_666_667
        stamp = smoother.add(n, true_ns + (n % 3 - 1) * 200_000)
        if n >= 200:
            assert abs(stamp - true_ns) <= 1_000_000


def test_the_smoother_never_runs_backwards() -> None:
    rng, smoother = random.Random(0), StampSmoother()
    stamps = [smoother.add(n, START_NS + round(rng.uniform(0, 1e9))) for n in range(300)]
    assert all(b > a for a, b in itertools.pairwise(stamps))


def test_client_timestamps_are_mapped_by_their_shortest_delay() -> None:
    rng, fallback = random.Random(4), ArrivalFallback()
    mapped = true_us = 0
    for n in range(600):
        true_us = 1_000_000_000 + n * 33_333
        client_us = true_us - 7_000_000
        mapped, uncertainty = fallback.map(client_us, true_us + 3000 + round(rng.expovariate(1 / 8000)))
        if n > 100:
            assert abs(mapped - true_us) <= uncertainty
    assert abs(mapped - true_us - 3000) < 1000
    assert fallback.epoch == 0


def test_client_timestamps_that_jump_open_a_new_epoch() -> None:
    fallback, mapped = ArrivalFallback(), 0
    for n in range(100):
        fallback.map(n * 33_333, 5_000_000 + n * 33_333)
    for n in range(100, 110):
        mapped, _ = fallback.map(n * 33_333 - 60_000_000, 5_000_000 + n * 33_333)
    assert fallback.epoch == 1
    assert mapped == 5_000_000 + 109 * 33_333


async def test_the_server_clock_agrees_with_redis(redis_url: str, eventually: Eventually) -> None:
    redis, tasks = connect(redis_url), Tasks()
    clock = ServerClock(redis)
    assert await clock.check() is not None
    tasks.start("server-clock", clock.run)
    try:
        await eventually(lambda: clock.ready, what="the first burst")
        # Each with its own uncertainty: a probe between them may narrow it.
        earliest = clock.now_us() - clock.uncertainty_us
        seconds, micros = await redis.time()
        latest = clock.now_us() + clock.uncertainty_us
        assert earliest <= seconds * 1_000_000 + micros <= latest
        assert await clock.check() is None
    finally:
        await tasks.close()
        await redis.aclose()
