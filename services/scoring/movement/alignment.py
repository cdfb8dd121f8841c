"""Where in a movement somebody is now: online time warping of a live performance onto a template.

Rows are compared already scaled, so that squared differences add up (each feature divided by its tolerance and weighted).
The inner loops are compiled by Numba and release the GIL.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numba
import numpy as np

from services.scoring.movement.landmarks import Floats

EVIDENCE: Final = 6.0
"""A frame's features move together: they weigh as if there were twice this many independent ones."""
CERTAIN: Final = 0.01
"""Mean squared distance, in tolerances, below which one place fits as well as another."""
TEMPOS: Final = (0.0, 0.4, 0.63, 1.0, 1.6, 2.5)
"""Multiples of the template's tempo; the first is a pause."""
TEMPO_CHANGES: Final = 2.0
"""How often a second a performance goes over to the next slower, and to the next faster, tempo …"""
PAUSES: Final = 0.2
"""… how often it pauses …"""
RESUMES: Final = 1.0
"""… and how soon it goes on again: after a second in the mean."""
JUMP: Final = 1e-5
"""Probability, a frame, of being anywhere: people turn back half-way, begin anew, and the tracker loses them."""
WRAP: Final = 0.1
"""Probability that a repetition is followed by the next without the ready pose being held."""
HABIT_S: Final = 1.0
"""Time constant with which a constant difference between user and template is learnt, and taken off."""
HABIT_MOST: Final = 1.0
"""Tolerances a habit may reach; more is another movement."""
_DOUBLINGS: Final = 3
_SUBSTEPS: Final = 2**_DOUBLINGS
_UNSEEN_S: Final = 0.7
"""After a longer gap between frames somebody may be anywhere: what is seen must say."""


def _tempo_rates() -> Floats:
    """(tempos, tempos) rates a second at which each tempo gives way to each other."""
    moving = range(1, len(TEMPOS))
    rates = np.zeros((len(TEMPOS), len(TEMPOS)))
    for one in moving:
        for other in (one - 1, one + 1):
            if other in moving:
                rates[one, other] = TEMPO_CHANGES
        rates[one, 0] = PAUSES
        rates[0, one] = RESUMES / len(moving)
    return rates - np.diag(rates.sum(axis=1))


_RATES: Final = _tempo_rates()
_PACES: Final = np.array(TEMPOS)


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the template the person is."""

    row: float
    """Row of the template, fractional: the median of where they may be."""
    cost: float
    """Mean squared distance there, in units of tolerance: about 1 where all is well."""
    confidence: float
    """0 to 1: probability of being near this place, less where the movement is unlike the template's."""


class OnlineWarping:
    """Follows a live performance through a template: how likely each row is, at each tempo, from frame to frame.

    The forward algorithm of a hidden Markov model (Rabiner 1989) whose states are rows and tempos. What the features say
    of a row is taken with an error of unknown size (Jeffreys' prior): distances count against the least of the frame, so that a
    noisy camera blurs the position and a good one sharpens it. Between frames the probability moves on at its tempo;
    tempos change and pauses come as in `TEMPO_CHANGES` … `RESUMES`. A filter that smooths the landmarks would answer late;
    this one smooths by what a movement can do, and answers now.

    What the user does differently all the time (body, camera, the ready pose's own error) is learnt as a habit and taken off.
    """

    def __init__(self, template: Floats, rate_hz: float, *, cyclic: bool):
        self._template = np.ascontiguousarray(template)
        self._rate = rate_hz
        self._cyclic = cyclic
        self._mass = np.empty((len(template), len(TEMPOS)))
        self._habit = np.zeros(template.shape[1])
        self.relocate()

    def begin(self, row: int = 0) -> None:
        """The performance stands at this row."""
        self._mass[:] = 0.0
        self._mass[row] = 0.5 / (len(TEMPOS) - 1)
        self._mass[row, 0] = 0.5
        self._habit[:] = 0.0

    def relocate(self) -> None:
        """The next frames may be anywhere."""
        self._mass[:] = 1.0 / self._mass.size
        self._habit[:] = 0.0

    def advance(self, row: Floats, weight: Floats, dt_s: float) -> Position:
        """Takes one frame: its features (f,), their weights (f,; 0 is unknown) and the time since the one before."""
        self._mass, place, near, cost = _advance(
            self._template,
            self._mass,
            self._habit,
            np.ascontiguousarray(row),
            np.ascontiguousarray(weight, dtype=np.float64),
            dt_s,
            self._rate,
            self._cyclic,
        )
        return Position(place, cost, near * math.exp(-max(0.0, cost - 2.0) / 6.0))


@numba.njit(cache=True, nogil=True)
def _advance(
    template: Floats,
    mass: Floats,
    habit: Floats,
    row: Floats,
    weight: Floats,
    dt_s: float,
    rate_hz: float,
    cyclic: bool,
) -> tuple[Floats, float, float, float]:
    """One frame: the probability (rows, tempos) after it, the place, the probability of being near, and the cost there.

    `habit` learns in place.
    """
    length, tempos = mass.shape
    if dt_s > _UNSEEN_S:
        mass = np.full((length, tempos), 1.0 / (length * tempos))
        dt_s = _UNSEEN_S
    changes = np.eye(tempos) + _RATES * (dt_s / _SUBSTEPS)
    for _ in range(_DOUBLINGS):
        changes = _product(changes, changes)
    now = row - habit
    mass, likely, costs = _forward(template, mass, now, weight, changes, _PACES * (dt_s * rate_hz), cyclic)
    place, near = _median(likely, cyclic)
    low = int(place)
    high = min(low + 1, length - 1)
    share = 1.0 - math.exp(-dt_s / HABIT_S)
    for k in range(len(habit)):
        if weight[k] > 0:
            at = template[low, k] + (place - low) * (template[high, k] - template[low, k])
            habit[k] = min(max(habit[k] + share * (now[k] - at), -HABIT_MOST), HABIT_MOST)
    return mass, place, near, costs[min(round(place), length - 1)]


@numba.njit(cache=True, nogil=True)
def _product(one: Floats, other: Floats) -> Floats:
    """Of two small matrices; the library's takes longer to be called than to multiply."""
    out = np.zeros_like(one)
    for i in range(one.shape[0]):
        for k in range(one.shape[1]):
            for j in range(one.shape[1]):
                out[i, j] += one[i, k] * other[k, j]
    return out


@numba.njit(cache=True, nogil=True)
def _median(likely: Floats, cyclic: bool) -> tuple[float, float]:
    """Fractional row that halves the probability, counted from half a cycle before the likeliest row if the template is
    cyclic, and the probability of being within an eighth of the template of it.
    """
    length = len(likely)
    first = int(np.argmax(likely)) - length // 2 if cyclic else 0
    before, index = 0.0, 0
    while index < length - 1 and before + likely[(first + index) % length] < 0.5:
        before += likely[(first + index) % length]
        index += 1
    place = index - 0.5 + (0.5 - before) / max(likely[(first + index) % length], 1e-12)
    reach = max(4, length // 8)
    near = 0.0
    for index in range(max(0, math.ceil(place - reach)), min(length - 1, math.floor(place + reach)) + 1):
        near += likely[(first + index) % length]
    if cyclic:
        place = (place + first) % length
    return min(max(place, 0.0), length - 1.0), near


@numba.njit(cache=True, nogil=True)
def _forward(
    template: Floats,
    mass: Floats,
    row: Floats,
    weight: Floats,
    changes: Floats,
    steps: Floats,
    cyclic: bool,
) -> tuple[Floats, Floats, Floats]:
    """One frame: probability moved on, then weighed by the features. Returns it (rows, tempos), by row, and the distances."""
    length, tempos = mass.shape
    out = np.zeros((length, tempos))
    for j in range(length):
        here = 0.0
        for k in range(tempos):
            here += mass[j, k]
        if here < 1e-12:
            continue
        for k in range(tempos):
            moved = 0.0
            for before in range(tempos):
                moved += mass[j, before] * changes[before, k]
            place = j + steps[k]
            low = math.floor(place)
            for side in range(2):
                share = place - low if side else 1.0 - (place - low)
                i = int(low) + side
                if i >= length:
                    if cyclic:
                        i, share = i % length, share * WRAP
                    else:
                        i = length - 1
                out[i, k] += moved * share
    costs = _costs(template, row, weight)
    least = costs.min()
    likely = np.empty(length)
    anywhere = JUMP / (length * tempos)
    total = 0.0
    for j in range(length):
        fits = ((least + CERTAIN) / (costs[j] + CERTAIN)) ** EVIDENCE
        likely[j] = 0.0
        for k in range(tempos):
            out[j, k] = ((1.0 - JUMP) * out[j, k] + anywhere) * fits
            likely[j] += out[j, k]
        total += likely[j]
    out /= total
    likely /= total
    return out, likely, costs


# The order in which distances are added up is left to the compiler, which then takes several at a time.
@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _costs(template: Floats, row: Floats, weight: Floats) -> Floats:
    """(rows,) mean squared distance of a frame from each row of the template."""
    total_weight = 1e-9
    for k in range(len(weight)):
        total_weight += weight[k]
    costs = np.empty(len(template))
    for j in range(len(template)):
        cost = 0.0
        for k in range(len(row)):
            gap = row[k] - template[j, k]
            cost += weight[k] * gap * gap
        costs[j] = cost / total_weight
    return costs
