"""Scenarios 1 and 2: clocks that are wrong, drift and step. Virtual time: the estimator is pure, an hour is a second."""

import random
from dataclasses import dataclass, field

from bench.sync_scenarios.driver import Driver
from bench.sync_scenarios.report import Row
from bench.sync_scenarios.scoring import quantile, score
from bench.sync_scenarios.traces import Shot, in_order
from services.mesh.clock import ClockEstimator, probe_delays

UNIX_NS = 1_700_000_000_000_000_000
LINKS = {"wired": (0.15, 0.05), "Wi-Fi": (2.0, 3.0), "bad Wi-Fi": (8.0, 15.0)}
"""Shortest delay and mean of its exponential tail, milliseconds, each way."""
BARS_MS = {"wired": 0.2, "Wi-Fi": 0.5, "bad Wi-Fi": 2.0}


@dataclass
class Host:
    """A camera's computer: a clock that is off, drifts and may step, at the end of a link."""

    rng: random.Random
    base_ms: float
    tail_ms: float
    skew_s: float
    drift: float
    estimator: ClockEstimator = field(default_factory=ClockEstimator)
    steps: list[tuple[float, float]] = field(default_factory=list)
    burst: list[tuple[int, int]] = field(default_factory=list)
    lsl_offset_ns: int = 0

    def local_ns(self, true_s: float) -> int:
        """Its clock at a true instant."""
        stepped = sum(by for at, by in self.steps if at <= true_s)
        return round((1000 + self.skew_s + true_s * (1 + self.drift) + stepped) * 1e9)

    def probe(self, true_s: float) -> bool:
        """One probe; True when it revealed a step."""
        arrive_s = true_s + self._delay_s()
        leave_s = arrive_s + 30e-6
        t0, t3 = self.local_ns(true_s), self.local_ns(leave_s + self._delay_s())
        t1, t2 = (UNIX_NS + round(s * 1e9) for s in (arrive_s, leave_s))
        self.burst.append((t3 - t0, ((t1 - t0) + (t2 - t3)) // 2))
        if len(self.burst) == 8:
            self.lsl_offset_ns = min(self.burst)[1]
            self.burst.clear()
        return self.estimator.add(t0, t1, t2, t3)

    def error_ms(self, true_s: float) -> tuple[float, float]:
        """How far the mapped time is off, and what the estimate says it may be, milliseconds."""
        mapped_us, uncertainty_us = self.estimator.map(self.local_ns(true_s))
        return (mapped_us - UNIX_NS / 1000 - true_s * 1e6) / 1000, uncertainty_us / 1000

    def lsl_error_ms(self, true_s: float) -> float:
        """The same for the offset of the quickest of the last eight probes, as LSL uses it."""
        return (self.local_ns(true_s) + self.lsl_offset_ns - UNIX_NS - true_s * 1e9) / 1e6

    def _delay_s(self) -> float:
        return (self.base_ms + self.rng.expovariate(1 / self.tail_ms)) / 1000


async def skew(seeds: list[int]) -> list[Row]:
    """1: clock skew of ±5 s over three kinds of link."""
    name, rows = "clock skew ±5 s", []
    for link, (base_ms, tail_ms) in LINKS.items():
        late: list[float] = []
        early: list[float] = []
        lsl: list[float] = []
        shares: list[float] = []
        for seed in seeds:
            rng = random.Random(f"{seed}{link}")
            host = Host(rng, base_ms, tail_ms, rng.uniform(-5, 5), rng.uniform(-50e-6, 50e-6))
            mine: list[float] = []
            theirs: list[float] = []
            first: list[float] = []
            covered: list[bool] = []
            true_s = 0.0
            for pause_s in probe_delays():
                true_s += pause_s
                if true_s > 180:
                    break
                host.probe(true_s)
                error, stated = host.error_ms(true_s + 0.03)
                if true_s > 1:
                    covered.append(abs(error) <= stated)
                if 5 < true_s <= 60:
                    first.append(abs(error))
                elif true_s > 60:
                    mine.append(abs(error))
                    theirs.append(abs(host.lsl_error_ms(true_s + 0.03)))
            late.append(quantile(mine, 0.99))
            early.append(quantile(first, 0.99))
            lsl.append(quantile(theirs, 0.99))
            shares.append(sum(covered) / len(covered))
        rows += [
            Row("1", name, f"{link}: offset error p99, ms", max(late), BARS_MS[link], at_least=False,
                baselines={"quickest of 8 (LSL)": max(lsl)}),
            Row("1", name, f"{link}: offset error p99 from 5 s on, ms", max(early), 5.0, at_least=False),
            Row("1", name, f"{link}: stated uncertainty covers", min(shares), 0.99),
        ]  # fmt: skip
    return rows


async def drift(driver: Driver, seeds: list[int]) -> list[Row]:
    """2: ±100 ppm for half an hour and a step of half a second; the moments around the step go through the service."""
    name = "drift ±100 ppm for 30 min, step of 500 ms"
    p99: list[float] = []
    found: list[float] = []
    wrong: list[float] = []
    recall: list[float] = []
    for seed in seeds:
        rng = random.Random(seed)
        step_at = 1500.0 + rng.uniform(0, 2)
        hosts = [
            Host(rng, *LINKS["Wi-Fi"], rng.uniform(-5, 5), drift)
            for drift in (100e-6, -100e-6, rng.uniform(-100e-6, 100e-6))
        ]
        hosts[0].steps.append((step_at, rng.choice((-0.5, 0.5))))
        errors, detected, shots = _half_hour(hosts, step_at)
        p99.append(quantile(errors, 0.99))
        found.append(detected - step_at)
        played = await driver.play(f"drift-{seed}", in_order(shots))
        window_us = round((detected - step_at + WINDOW_BEFORE_S + 0.5) * 1e6)
        judged = score(played.groups, played.shots, 3, after_us=window_us)
        wrong.append(judged.wrong)
        recall.append(judged.full)
    return [
        Row("2", name, "offset error p99, ms", max(p99), 1.0, at_least=False),
        Row("2", name, "step found after, s", max(found), 4.0, at_least=False),
        Row("2", name, "wrong groups after the step was found", max(wrong), 0.0, at_least=False),
        Row("2", name, "recall of whole ticks after it was found", min(recall), 0.99),
    ]


WINDOW_BEFORE_S, WINDOW_AFTER_S = 4.0, 10.0


def _half_hour(hosts: list[Host], step_at: float) -> tuple[list[float], float, list[Shot]]:
    """Errors outside the time between step and detection, when it was found, and the frames around it."""
    errors: list[float] = []
    shots: list[Shot] = []
    detected = 0.0
    numbers = {0: 0, 1: 0, 2: 0}
    next_frame_s = step_at - WINDOW_BEFORE_S
    start_s, tick, true_s = next_frame_s, 0, 0.0
    for pause_s in probe_delays():
        true_s += pause_s
        if true_s > 1800:
            return errors, detected, shots
        while next_frame_s <= true_s and next_frame_s < step_at + WINDOW_AFTER_S:
            for n, host in enumerate(hosts):
                error_ms, _ = host.error_ms(next_frame_s)
                at_us = round((next_frame_s - start_s) * 1e6)
                stamp_us = at_us + round(error_ms * 1000)
                shots.append(
                    Shot(
                        f"cam{n}",
                        host.estimator.epoch,
                        numbers[n],
                        tick,
                        at_us,
                        stamp_us,
                        at_us + 35_000 + 4000 * n,
                    )
                )
                numbers[n] += 1
            tick += 1
            next_frame_s += 1 / 30
        for n, host in enumerate(hosts):
            if host.probe(true_s + 0.003 * n):
                detected = detected or true_s
                numbers[n] = 0
            if true_s > 60 and not step_at <= true_s <= (detected or true_s) + 0.5:
                errors.append(abs(host.error_ms(true_s + 0.03)[0]))
    return errors, detected, shots
