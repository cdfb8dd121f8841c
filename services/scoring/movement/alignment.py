"""Two clocks of one movement: banded dynamic time warping of a finished repetition, and online time warping of a live one.

Both compare rows already scaled so that squared differences add up (each feature divided by its tolerance and weighted).
The inner loops are compiled by Numba and release the GIL.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

from services.scoring.movement.landmarks import Floats

Indices = NDArray[np.int64]


def warping_path(user: Floats, template: Floats, band: float = 0.35) -> tuple[Indices, Indices, float]:
    """Cheapest warping path between rows (n, f) and (m, f), ends pinned, steps (1,1), (1,0), (0,1).

    `band` is the Sakoe-Chiba half-width as a share of the longer side. Returns the row numbers of both along the path and
    the path's total cost, the sum of squared distances.
    """
    n, m = len(user), len(template)
    if not n or not m:
        raise ValueError("cannot align an empty sequence")
    half = max(band * max(n, m), 2.0, 1.5 * max(n, m) / max(1, min(n, m)))
    rows, columns, length, cost = _banded_dtw(
        np.ascontiguousarray(user), np.ascontiguousarray(template), half
    )
    return rows[:length][::-1].copy(), columns[:length][::-1].copy(), float(cost)


@numba.njit(cache=True, nogil=True, fastmath=False)
def _banded_dtw(user: Floats, template: Floats, half: float) -> tuple[Indices, Indices, int, float]:
    n, m = user.shape[0], template.shape[0]
    slope = (m - 1) / max(1, n - 1)
    half_columns = half * max(1.0, m / n) if m < n else half
    total = np.full((n, m), np.inf)
    came = np.zeros((n, m), dtype=np.int8)
    for i in range(n):
        centre = i * slope
        first = max(0, math.ceil(centre - half_columns))
        last = min(m - 1, math.floor(centre + half_columns))
        for j in range(first, last + 1):
            cost = 0.0
            for k in range(user.shape[1]):
                gap = user[i, k] - template[j, k]
                cost += gap * gap
            if i == 0 and j == 0:
                total[i, j] = cost
                continue
            best, step = np.inf, 0
            if i > 0 and j > 0 and total[i - 1, j - 1] < best:
                best, step = total[i - 1, j - 1], 0
            if i > 0 and total[i - 1, j] < best:
                best, step = total[i - 1, j], 1
            if j > 0 and total[i, j - 1] < best:
                best, step = total[i, j - 1], 2
            total[i, j] = best + cost
            came[i, j] = step
    rows = np.empty(n + m, dtype=np.int64)
    columns = np.empty(n + m, dtype=np.int64)
    i, j, length = n - 1, m - 1, 0
    while True:
        rows[length], columns[length] = i, j
        length += 1
        if i == 0 and j == 0:
            break
        step = came[i, j]
        if step == 0:
            i, j = i - 1, j - 1
        elif step == 1:
            i -= 1
        else:
            j -= 1
    return rows, columns, length, total[n - 1, m - 1]


def onto_template(user: Floats, rows: Indices, columns: Indices, length: int) -> Floats:
    """User rows (n, f) averaged onto the `length` rows of the template along a warping path."""
    sums = np.zeros((length, user.shape[1]))
    np.add.at(sums, columns, user[rows])
    counts = np.bincount(columns, minlength=length)[:, None]
    out: Floats = sums / counts
    return out


EVIDENCE: Final = 8.0
"""Weight of a frame's mean squared distance: the features move together, as if there were this many."""
SLOWEST: Final = 0.4
FASTEST: Final = 2.5
"""Multiples of the template's tempo a performance may have."""
STAY_TOLL: Final = 0.05
"""Cost of going slower than that: people pause."""
BACK_TOLL: Final = 1.0
"""Cost of a step back, which only noise takes."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the template the person is."""

    row: float
    """Row of the template, fractional."""
    cost: float
    """Mean squared distance there, in units of tolerance: about 1 where all is well."""
    confidence: float
    """0 to 1: how much better this place explains the last second than any place away from it."""


class OnlineWarping:
    """Follows a live performance through a template, one row at a time.

    A column of accumulated costs over the template's rows is carried from frame to frame: staying costs little (people
    pause), moving on at 0.4 to 2.5 times the template's tempo costs nothing, more is not possible. Old evidence fades, so
    that one column serves an endless stream. Only a window round the last position is computed; `relocate` opens it to
    the whole template, which is how a lost performance is found again.
    """

    def __init__(
        self, template: Floats, rate_hz: float, *, cyclic: bool, memory_s: float = 0.6, window: int = 90
    ):
        self._template = np.ascontiguousarray(template)
        self._rate = rate_hz
        self._cyclic = cyclic
        self._memory = memory_s
        self._window = window
        self._column = np.full(len(template), np.inf)
        self._centre = 0
        self._full = True

    def begin(self, row: int = 0) -> None:
        """The performance is at this row."""
        self._column[:] = np.inf
        self._column[row] = 0.0
        self._centre = row
        self._full = False

    def relocate(self) -> None:
        """The next frames may be anywhere."""
        self._column[:] = 0.0
        self._full = True

    def advance(self, row: Floats, weight: Floats, dt_s: float) -> Position:
        """Takes one frame: its features (f,), their weights (f,; 0 is unknown) and the time since the one before."""
        length = len(self._template)
        if self._full or 2 * self._window >= length:
            first, count = 0, length
        else:
            first, count = self._centre - self._window, 2 * self._window + 1
            if not self._cyclic:
                last = min(length, first + count)
                first = max(0, first)
                count = last - first
        expected = max(dt_s * self._rate, 1e-3)
        longest = max(1, math.ceil(FASTEST * expected))
        fade = math.exp(-dt_s / self._memory)
        column, best, cost, rival = _advance(
            self._template, self._column, row, weight, first, count, expected, longest, fade, self._cyclic
        )
        self._column = column
        self._centre = best
        self._full = False
        floor = column[best]
        confidence = 1.0 if not math.isfinite(rival) else 1.0 - math.exp(-(rival - floor) / EVIDENCE)
        return Position(self._between(best), cost, confidence * math.exp(-max(0.0, cost - 2.0) / 6.0))

    def _between(self, best: int) -> float:
        """Vertex of the parabola through the best row and its neighbours."""
        length = len(self._column)
        if not self._cyclic and best in (0, length - 1):
            return float(best)
        before, here, after = (self._column[(best + k) % length] for k in (-1, 0, 1))
        bend = before - 2 * here + after
        if not math.isfinite(bend) or bend <= 1e-12:
            return float(best)
        return float((best + min(max(0.5 * (before - after) / bend, -0.5), 0.5)) % length)


@numba.njit(cache=True, nogil=True)
def _advance(  # noqa: C901 - one loop, for Numba  # noqa: C901 - Numba inlines nothing across functions as well as one loop
    template: Floats,
    column: Floats,
    row: Floats,
    weight: Floats,
    first: int,
    count: int,
    expected: float,
    longest: int,
    fade: float,
    cyclic: bool,
) -> tuple[Floats, int, float, float]:
    """One step of the column; returns it, the best row, its local cost, and the best total far from it."""
    length = template.shape[0]
    out = np.full(length, np.inf)
    total_weight = 1e-9
    for k in range(row.shape[0]):
        total_weight += weight[k]
    best, best_total, best_cost = 0, np.inf, 0.0
    for offset in range(count):
        j = (first + offset) % length
        cheapest = np.inf
        for step in range(-1, longest + 1):
            i = j - step
            if cyclic:
                i %= length
            elif i < 0 or i >= length:
                continue
            if not np.isfinite(column[i]):
                continue
            ratio = step / expected
            toll = 0.0 if ratio >= SLOWEST else STAY_TOLL
            if step < 0:
                toll += BACK_TOLL
            cheapest = min(cheapest, column[i] + toll)
        if not np.isfinite(cheapest):
            continue
        cost = 0.0
        for k in range(row.shape[0]):
            gap = row[k] - template[j, k]
            cost += weight[k] * gap * gap
        cost /= total_weight
        out[j] = fade * cheapest + EVIDENCE * cost
        if out[j] < best_total:
            best, best_total, best_cost = j, out[j], cost
    rival = np.inf
    apart = max(4, length // 8)
    for offset in range(count):
        j = (first + offset) % length
        gap = abs(j - best)
        if cyclic:
            gap = min(gap, length - gap)
        if gap > apart and out[j] < rival:
            rival = out[j]
    for j in range(length):
        out[j] -= best_total
    if np.isfinite(rival):
        rival -= best_total
    return out, best, best_cost, rival
