"""Banded dynamic time warping of a finished repetition.

Rows are compared already scaled, so that squared differences add up (each feature divided by its tolerance and weighted).
The inner loop is compiled by Numba and releases the GIL.
"""

from __future__ import annotations

import math

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
