"""Scenarios 3 to 7 and 9: jitter, loss, doubles, stalls, overtaking and unequal rates."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from bench.sync_scenarios.baselines import BASELINES
from bench.sync_scenarios.driver import Driver, Played
from bench.sync_scenarios.report import Row
from bench.sync_scenarios.scoring import key, score
from bench.sync_scenarios.traces import Shot, bursty_loss, in_order, shoot, spiky
from services.mesh import keys
from services.sync.frames import Frame
from services.sync.groups import MatchRules
from services.sync.matcher import SessionMatcher
from services.sync.resample import LANDMARKS, VALUES, Sample
from services.sync.ticks import TickMatcher

HALF_FRAME_US = 16_667
SECONDS = 20.0
WARM_US = 2_000_000
"""A stream's first two seconds, while its clock and jitter are being learned, do not count."""


async def play_all(driver: Driver, name: str, traces: Sequence[Sequence[Shot]]) -> list[Played]:
    """All seeds at once, a session each."""
    return list(await asyncio.gather(*(driver.play(f"{name}-{n}", trace) for n, trace in enumerate(traces))))


def names(shots: Sequence[Shot]) -> list[str]:
    return sorted({shot.camera_id for shot in shots})


def baselines(traces: Sequence[Sequence[Shot]], what: str) -> dict[str, float]:
    """The worst over the seeds of each baseline's figure (`full`, `any` or `wrong`)."""
    found = {}
    for title, baseline in BASELINES.items():
        figures = [
            getattr(score(baseline(t, names(t), HALF_FRAME_US), t, len(names(t)), after_us=WARM_US), what)
            for t in traces
        ]
        found[title] = max(figures) if what == "wrong" else min(figures)
    return found


async def jitter(driver: Driver, seeds: list[int]) -> list[Row]:
    """3: stamp jitter, eight cameras."""
    rows = []
    for sigma_ms, full_bar, wrong_bar in ((3, 0.995, 0.001), (6, 0.985, 0.002), (10, 0.98, 0.01)):
        traces = []
        for seed in seeds:
            rng = random.Random(seed * 100 + sigma_ms)
            shots = [
                shot
                for n in range(8)
                for shot in shoot(rng, f"cam{n}", seconds=SECONDS, jitter_ms=sigma_ms, smooth=True)
            ]
            traces.append(in_order(shots))
        played = await play_all(driver, f"jitter{sigma_ms}", traces)
        scores = [score(p.groups, p.shots, 8, after_us=WARM_US) for p in played]
        name = "stamp jitter, 8 cameras"
        rows += [
            Row("3", name, f"σ {sigma_ms} ms: recall of whole ticks", min(s.full for s in scores), full_bar,
                baselines=baselines(traces, "full")),
            Row("3", name, f"σ {sigma_ms} ms: wrong groups", max(s.wrong for s in scores), wrong_bar,
                at_least=False, baselines=baselines(traces, "wrong")),
        ]  # fmt: skip
    return rows


async def loss(driver: Driver, seeds: list[int]) -> list[Row]:
    """4: 2 % loss and bursts of eight frames, four cameras."""
    traces = []
    for seed in seeds:
        rng = random.Random(seed)
        shots: list[Shot] = []
        for n in range(4):
            lost = bursty_loss(rng, round(SECONDS * 30), 0.02, 8, 2)
            shots += shoot(rng, f"cam{n}", seconds=SECONDS, phase_ms=1.5 * n, lost=lost)
        traces.append(in_order(shots))
    played = await play_all(driver, "loss", traces)
    scores = [score(p.groups, p.shots, 4, after_us=WARM_US) for p in played]
    name = "2 % loss and bursts, 4 cameras"
    return [
        Row("4", name, "recall of ticks with two or more", min(s.any for s in scores), 0.999,
            baselines=baselines(traces, "any")),
        Row("4", name, "recall of whole ticks", min(s.full for s in scores), 0.99, baselines=baselines(traces, "full")),
        Row("4", name, "wrong groups", max(s.wrong for s in scores), 0.0, at_least=False,
            baselines=baselines(traces, "wrong")),
    ]  # fmt: skip


async def doubles(driver: Driver, seeds: list[int]) -> list[Row]:
    """5: every frame twice, equal stamps, and the whole stream once more."""
    name = "duplicates, equal stamps, replay"
    twice, changed, lost = [], [], []
    for seed in seeds:
        rng = random.Random(seed)
        shots = [s for n in range(3) for s in shoot(rng, f"cam{n}", seconds=6, phase_ms=2 * n)]
        # One camera's clock is so coarse that three frames share a stamp.
        coarse = [
            replace(s, stamp_us=s.stamp_us // 100_000 * 100_000) for s in shoot(rng, "coarse", seconds=6)
        ]
        trace = in_order([*shots, *coarse])
        doubled = sorted(
            [*trace, *(replace(s, arrival_us=s.arrival_us + 3000) for s in trace)], key=lambda s: s.arrival_us
        )
        session_id = f"doubles-{seed}"
        played = await driver.play(session_id, doubled)
        state = await _state(driver, session_id)
        again = await driver.play(session_id, doubled, start_us=played.start_us)
        members = [member for group in again.groups for member in group]
        twice.append(len(members) - len(set(members)))
        # Stamps a tenth of a second coarse put frames behind what has left already.
        clean = {key(shot) for shot in trace if shot.camera_id != "coarse"}
        lost.append(1 - len(set(members) & clean) / len(clean))
        changed.append(float(await _state(driver, session_id) != state))
    return [
        Row("5", name, "frames emitted more than once", max(twice), 0, at_least=False),
        Row("5", name, "frames never emitted, share", max(lost), 0.01, at_least=False),
        Row("5", name, "state changed by a replay", max(changed), 0, at_least=False),
    ]


async def _state(driver: Driver, session_id: str) -> list[bytes | None]:
    """The session's store, byte by byte."""
    found = []
    for part in ("waiting", "poses", "meta", "out"):
        dump = await driver.redis.dump(keys.session(session_id, "sync", part))
        found.append(bytes(dump) if dump is not None else None)
    return found


async def stall(driver: Driver, seeds: list[int]) -> list[Row]:
    """6: a camera stalls for 5 s and comes back with its clock rebooted."""
    name = "camera stalls 5 s, rejoins after a reboot"
    traces = []
    for seed in seeds:
        rng = random.Random(seed)
        away = range(240, 390)
        steady_ones = [s for n in range(2) for s in shoot(rng, f"cam{n}", seconds=SECONDS, phase_ms=2 * n)]
        before = shoot(rng, "cam2", seconds=8, phase_ms=5)
        after = shoot(rng, "cam2", seconds=SECONDS, phase_ms=5, first=away.stop, epoch=1)
        traces.append(in_order([*steady_ones, *before, *after]))
    played = await play_all(driver, "stall", traces)
    scores = [score(p.groups, p.shots, 3, after_us=WARM_US) for p in played]
    gaps, back = [], []
    for p in played:
        gaps.append(max(b.position_ms - a.position_ms for a, b in pairwise(p.emitted)))
        rejoined = [
            e
            for e in p.emitted
            if any(m[0] == "cam2" and m[1] == 1 for m in e.members) and len(e.members) == 3
        ]
        back.append((rejoined[0].time_us - 390 * 33_333) / 1e6 if rejoined else 99.0)
    return [
        Row("6", name, "recall of ticks with two or more", min(s.any for s in scores), 0.999,
            baselines=baselines(traces, "any")),
        Row("6", name, "longest gap in the output, ms", max(gaps), 300, at_least=False),
        Row("6", name, "back in whole groups after, s", max(back), 1.0, at_least=False),
    ]  # fmt: skip


async def overtaking(driver: Driver, seeds: list[int]) -> list[Row]:
    """7: frames overtake each other by up to 150 ms, three cameras. Driven against a service with L = 200 ms."""
    name = "frames overtake each other, 3 cameras"
    traces = []
    for seed in seeds:
        rng = random.Random(seed)
        delay = spiky(30, 8, 0.05, 150)
        shots = [s for n in range(3) for s in shoot(rng, f"cam{n}", seconds=40, phase_ms=3 * n, delay=delay)]
        traces.append(sorted(shots, key=lambda s: s.arrival_us))
    played = await play_all(driver, "overtaking", traces)
    scores = [score(p.groups, p.shots, 3, after_us=WARM_US) for p in played]
    disorder = sum(
        b.time_us <= a.time_us or b.sequence != a.sequence + 1 for p in played for a, b in pairwise(p.emitted)
    )
    rows = [
        Row("7", name, "L 200 ms: recall of whole ticks", min(s.full for s in scores), 0.999,
            baselines=baselines(traces, "full")),
        Row("7", name, "sets out of order", disorder, 0, at_least=False),
    ]  # fmt: skip
    for lateness_ms in (50, 100, 150, 200, 300):
        rules = MatchRules(lateness_min_us=lateness_ms * 1000, lateness_max_us=lateness_ms * 1000)
        full = [score(replay(SessionMatcher(rules), t)[0], t, 3, after_us=WARM_US).full for t in traces]
        waits = [w for t in traces for w in replay(SessionMatcher(rules), t)[1]]
        waits.sort()
        rows += [
            Row("7", name, f"curve, L {lateness_ms} ms: recall of whole ticks", min(full), None),
            Row("7", name, f"curve, L {lateness_ms} ms: wait p50, ms", waits[len(waits) // 2], None),
            Row("7", name, f"curve, L {lateness_ms} ms: wait p99, ms", waits[int(0.99 * len(waits))], None),
        ]
    return rows


def replay(
    matcher: SessionMatcher, shots: Sequence[Shot]
) -> tuple[list[list[tuple[str, int, int]]], list[float]]:
    """Groups and waits (ms after the last member's arrival) of a trace in virtual time."""
    groups, waits, now_us = [], [], 0
    ordered = sorted(shots, key=lambda s: s.arrival_us)
    for shot, later in zip(ordered, [*ordered[1:], None], strict=True):
        now_us = shot.arrival_us
        frame = Frame(shot.stamp_us, shot.camera_id, shot.epoch, shot.sequence, shot.arrival_us)
        if not matcher.add(frame):
            matcher.missed(frame)
        until_us = later.arrival_us if later else now_us + 2_000_000
        while True:
            for group in matcher.poll(now_us):
                groups.append([(m.camera_id, m.epoch, m.sequence) for m in group.members])
                waits.append((now_us - max(m.arrival_us for m in group.members)) / 1000)
            wake_us = matcher.next_wake_us(now_us)
            if wake_us is None or wake_us >= until_us:
                break
            now_us = max(now_us + 500, wake_us)
    return groups, waits


async def rates(driver: Driver, seeds: list[int]) -> list[Row]:
    """9: unequal frame rates, 1 % loss; pairs, and landmarks resampled to one instant."""
    name, rows = "unequal frame rates", []
    for fast, slow in ((30.0, 24.0), (30.0, 29.97), (60.0, 30.0)):
        traces = []
        for seed in seeds:
            rng = random.Random(seed)
            shots: list[Shot] = []
            for camera_id, fps in (("fast", fast), ("slow", slow)):
                lost = bursty_loss(rng, round(SECONDS * fps), 0.01, 1, 0)
                shots += shoot(
                    rng, camera_id, seconds=SECONDS, fps=fps, phase_ms=rng.uniform(0, 15), lost=lost
                )
            traces.append(in_order(shots))
        played = await play_all(driver, f"rates{slow:g}", traces)
        shares, widest = [], 0
        for p in played:
            of_slow = [s for s in p.shots if s.camera_id == "slow" and s.true_us >= WARM_US]
            paired = {m for g in p.groups if len(g) == 2 for m in g if m[0] == "slow"}
            shares.append(sum(key(s) in paired for s in of_slow) / len(of_slow))
            widest = max([widest, *(e.raw.spread_us for e in p.emitted if len(e.members) == 2)])
        errors = [_resampled_error_mm(t) for t in traces]
        pair = f"{slow:g} and {fast:g} fps"
        rows += [
            Row("9", name, f"{pair}: paired share of the slower", min(shares), 0.98),
            Row("9", name, f"{pair}: widest pair, ms", widest / 1000, 16.7, at_least=False),
            Row("9", name, f"{pair}: resampled error at 2.2 m/s, mm", max(e[0] for e in errors), 1.0,
                at_least=False, baselines={"nearest frame": max(e[1] for e in errors)}),
        ]  # fmt: skip
    return rows


def _resampled_error_mm(shots: Sequence[Shot]) -> tuple[float, float]:
    """RMS error of a joint that swings at up to 2.2 m/s: resampled, and in the nearest frame. Virtual time."""
    import numpy as np

    rate = 2 * np.pi * 1.1

    def place(at_us: float) -> float:
        return float(2.2 / rate * np.sin(rate * at_us / 1e6))

    def decode(frame: Frame) -> Sample:
        return Sample(
            frame.time_us, np.full((LANDMARKS, VALUES), place(frame.time_us)), np.ones((LANDMARKS, 2))
        )

    matcher, squared, nearest = (
        TickMatcher(MatchRules(), lambda frames: [decode(frame) for frame in frames]),
        [],
        [],
    )
    stamps = {name: [s.true_us for s in shots if s.camera_id == name] for name in names(shots)}
    for shot in sorted(shots, key=lambda s: s.arrival_us):
        matcher.add(Frame(shot.stamp_us, shot.camera_id, shot.epoch, shot.sequence, shot.arrival_us))
        for group in matcher.poll(shot.arrival_us):
            for frame, sample in group.resampled or ():
                if sample is not None and group.time_us > WARM_US:
                    truth = place(group.time_us)
                    squared.append((sample.values[0, 0] - truth) ** 2)
                    near = min(stamps[frame.camera_id], key=lambda at: abs(at - group.time_us))
                    nearest.append((place(near) - truth) ** 2)
    return float(np.sqrt(np.mean(squared))) * 1000, float(np.sqrt(np.mean(nearest))) * 1000
