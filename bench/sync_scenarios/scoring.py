"""Recall, wrong groups and latency of what came out, against what was sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.sync_scenarios.traces import Shot

Key = tuple[str, int, int]
"""Camera, epoch, sequence."""


@dataclass(frozen=True)
class Score:
    """`full`: recall of ticks whose frames all arrived (Rf). `any`: of ticks with at least two (Ra). `wrong`: share of
    groups of two or more that mix ticks (W).
    """

    full: float
    any: float
    wrong: float
    groups: int


def key(shot: Shot) -> Key:
    return shot.camera_id, shot.epoch, shot.sequence


def score(
    groups: Iterable[Sequence[Key]], shots: Sequence[Shot], cameras: int, *, after_us: int = 0
) -> Score:
    """Judge `groups` by the ticks of `shots`; other ticks, and those captured before
    `after_us`, do not count.
    """
    tick_of = {key(shot): shot.tick for shot in shots}
    delivered: dict[int, set[Key]] = {}
    for shot in shots:
        if shot.true_us >= after_us:
            delivered.setdefault(shot.tick, set()).add(key(shot))
    whole: set[int] = set()
    some: set[int] = set()
    several = wrong = 0
    for group in groups:
        if len(group) < 2 or any(member not in tick_of for member in group):
            continue
        ticks = {tick_of[member] for member in group}
        if not ticks & delivered.keys():
            continue
        several += 1
        if len(ticks) > 1:
            wrong += 1
            continue
        tick = next(iter(ticks))
        some.add(tick)
        if set(group) == delivered.get(tick):
            whole.add(tick)
    full = [tick for tick, found in delivered.items() if len({k[0] for k in found}) == cameras]
    pairs = [tick for tick, found in delivered.items() if len(found) >= 2]
    return Score(
        full=sum(tick in whole for tick in full) / max(1, len(full)),
        any=sum(tick in some for tick in pairs) / max(1, len(pairs)),
        wrong=wrong / max(1, several),
        groups=several,
    )


def quantile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
