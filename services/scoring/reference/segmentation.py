"""Finds the repetitions in a whole recording, knowing neither the exercise nor its axis beforehand.

The movement's principal components are tried in turn; on each, alternating extremes (a zigzag with hysteresis) give
candidate repetitions, which must start and end near the resting level. The component whose repetitions are largest and
most alike wins. Where people change sides (lunges, knee raises), rest does not lie at a component's end, and each side is a
repetition of its own: the other side's part is cut off, or repetitions would begin in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from services.scoring.movement.landmarks import Floats
from services.scoring.movement.warping import warping_path

COMPONENTS = 3
"""Principal components tried."""
HYSTERESIS = 0.4
"""A turn counts once the signal has come back by this share of its whole range."""
REST_LEVEL = 0.35
"""A repetition starts and ends below this share of its height."""
ONSET = 0.06
"""Movement begins where the signal has risen by this share of its height."""
RESTED = 0.15
"""Share of the time that must be spent about a resting level that is not at the end, and more than at either end …"""
ABOUT = 0.1
"""… which is within this share of the height."""
SHORTEST_S = 0.4
"""No repetition of a whole-body exercise is shorter."""
LONGEST_S = 20.0
"""Longer segments are pauses with something in between."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One repetition within a recording, as rows."""

    start: int
    peak: int
    end: int
    """Last row, included."""


def principal_axes(rows: Floats, count: int = COMPONENTS) -> tuple[Floats, Floats]:
    """The `count` directions of largest variance (count, f) and the share of variance each holds."""
    centred = rows - np.median(rows, axis=0)
    _, singular, axes = np.linalg.svd(centred - centred.mean(axis=0), full_matrices=False)
    power = singular**2
    return axes[:count], power[:count] / max(power.sum(), 1e-12)


def zigzag(signal: Floats, threshold: float) -> list[int]:
    """Alternating extremes of a signal whose swings exceed `threshold`: rows, low and high in turn."""
    turns: list[int] = []
    low = high = 0
    direction = 0
    for row, value in enumerate(signal):
        if value > signal[high]:
            high = row
        if value < signal[low]:
            low = row
        if direction >= 0 and value < signal[high] - threshold:
            turns.append(high)
            direction, low = -1, row
        elif direction <= 0 and value > signal[low] + threshold:
            turns.append(low)
            direction, high = 1, row
        if direction > 0:
            low = row if value < signal[low] else low
    if direction:
        turns.append(high if direction > 0 else low)
    return turns


def segments_of(signal: Floats, rate_hz: float) -> list[Segment]:
    """Repetitions of a signal that rests low and peaks high."""
    low, high = np.percentile(signal, (3, 97))
    height = high - low
    if height <= 1e-9:
        return []
    turns = zigzag(signal, HYSTERESIS * height)
    found: list[Segment] = []
    for index, row in enumerate(turns):
        is_peak = (index + 1 < len(turns) and signal[row] > signal[turns[index + 1]]) or (
            index > 0 and signal[row] > signal[turns[index - 1]]
        )
        if not is_peak:
            continue
        before = turns[index - 1] if index else _lowest(signal, 0, row)
        after = turns[index + 1] if index + 1 < len(turns) else _lowest(signal, row, len(signal) - 1)
        base = max(signal[before], signal[after])
        if base > low + REST_LEVEL * height or not before < row < after:
            continue
        start = _onset(signal, row, before, -1)
        end = _onset(signal, row, after, 1)
        if SHORTEST_S <= (end - start) / rate_hz <= LONGEST_S:
            found.append(Segment(start, row, end))
    return found


def find_repetitions(rows: Floats, rate_hz: float) -> tuple[list[Segment], Floats]:
    """The repetitions in rows (n, f) already scaled by tolerance, and the signal (n,) they were found on.

    The list is empty if nothing goes out and comes back.
    """
    axes, share = principal_axes(rows)
    best: tuple[float, list[Segment], Floats] = (0.0, [], rows @ axes[0])
    for axis, power in zip(axes, share, strict=True):
        for sign in (1.0, -1.0):
            for signal in _with_one_side(sign * (rows @ axis)):
                found = segments_of(signal, rate_hz)
                if not found:
                    continue
                worth = power / share[0] * _likeness(rows, found) * _rests_low(signal)
                if worth > best[0]:
                    best = (worth, found, signal)
    _, found, signal = best
    return found, signal


def _with_one_side(signal: Floats) -> list[Floats]:
    """The signal and, if it goes to both sides of its rest, what it does above that."""
    low, high = np.percentile(signal, (3, 97))
    level = (signal - low) / max(high - low, 1e-9)
    rest = float(np.median(level[: max(1, len(level) // 20)]))
    there, below, above = (float((np.abs(level - place) < ABOUT).mean()) for place in (rest, 0.0, 1.0))
    two_sided = ONSET < rest < 1.0 - REST_LEVEL and there > max(RESTED, below, above)
    return [signal, np.maximum(signal, low + rest * (high - low))] if two_sided else [signal]


def _lowest(signal: Floats, first: int, last: int) -> int:
    return first + int(np.argmin(signal[first : last + 1]))


def _onset(signal: Floats, peak: int, trough: int, step: int) -> int:
    """Walks from the peak towards the trough until the signal has all but come to rest."""
    level = signal[trough] + ONSET * (signal[peak] - signal[trough])
    row = peak
    while row != trough and signal[row] > level:
        row += step
    return row


def _rests_low(signal: Floats) -> float:
    """0.1 to 1: how much more of its time, and of its first and last moments, a signal spends low than high."""
    low, high = np.percentile(signal, (3, 97))
    level = np.clip((signal - low) / max(high - low, 1e-9), 0.0, 1.0)
    ends = max(1, len(level) // 20)
    # Sample videos begin in the ready pose far more surely than they end in it: the last repetition is often cut off.
    edge = 0.8 * level[:ends].mean() + 0.2 * level[-ends:].mean()
    dwell = (level < 0.2).sum() / max(1, (level < 0.2).sum() + (level > 0.8).sum())
    return float(np.clip(0.6 * (1.0 - edge) + 0.4 * dwell, 0.1, 1.0))


def _likeness(rows: Floats, found: list[Segment]) -> float:
    """How alike the repetitions are: 1 minus the unexplained share of their movement. A single one counts half."""
    if len(found) < 2:
        return 0.5
    parts = [rows[s.start : s.end + 1] for s in found]
    thin = [part[:: max(1, len(part) // 30)] for part in parts]
    alike = []
    for one, other in pairwise(thin):
        a, b, cost = warping_path(one - one[0], other - other[0])
        energy = 0.5 * (np.square(one[a] - one[0]).sum() + np.square(other[b] - other[0]).sum())
        alike.append(1.0 - cost / max(energy, 1e-9))
    return float(np.clip(np.median(alike), 0.05, 1.0)) * min(1.0, 0.6 + 0.2 * len(found))
