"""Lays a finished repetition onto the template and takes the differences."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np

from services.scoring.judging.memory import Clip
from services.scoring.movement.features import BONE_COUNT
from services.scoring.movement.landmarks import Bools, Floats
from services.scoring.movement.pictures import Picture
from services.scoring.movement.warping import onto_template, warping_path
from services.scoring.reference.template import RATE_HZ, Phase, Template
from services.scoring.reference.tolerance import Tolerances, tolerances

READY_ROWS = 4
"""Rows at the start of a repetition that are its ready pose."""
HALF_WAY = 0.5
"""Share of the way from which on a repetition is timed: it is fastest there, so that when is known best. It begins and ends so
gently that when is a guess of half a second, most of all after lying down."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A repetition laid onto the template's rows."""

    relative: Floats
    """(rows, 60) user minus template, ready poses subtracted, radians; 0 where unknown."""
    absolute: Floats
    """(rows, 60) user minus template, radians; 0 where unknown."""
    user: Floats
    """(rows, 60) the user's features on the template's rows."""
    known: Bools
    """(60,) features seen in both."""
    explained: float
    """Share of the template's movement the user's explains, at most 1; negative if it moves otherwise."""
    user_rows: Floats
    """(rows,) row of the user's repetition (30 a second) at each template row."""
    height: float
    """Range along the template's axis, the template's being 1."""
    limits: Tolerances
    """What passes, given how well the user's views see."""
    jitter: Floats
    """(60,) variance of the noise in `user`, frame by frame."""
    pictures: tuple[Picture, ...] = ()
    """The user in each camera's picture, on the template's rows."""


def compare(clip: Clip, template: Template) -> Comparison:
    """Aligns a repetition with the template and takes the differences; its first moments are its ready pose."""
    limits = tolerances(template, clip.variance)
    both = clip.known & template.known
    scale = np.where(both, limits.scale, 0.0)
    user = clip.features
    ready = user[: max(1, min(READY_ROWS, len(user) // 8))].mean(axis=0)
    reference = template.relative()
    rows, columns, _ = warping_path((user - ready) * scale, reference * scale)
    length = len(reference)
    laid = onto_template(user, rows, columns, length)
    at = onto_template(rows[:, None].astype(np.float64), np.arange(len(rows)), columns, length)[:, 0]
    relative = np.where(both, laid - ready - reference, 0.0)
    energy = np.square(reference * scale).sum()
    explained = 1.0 - float(np.square(relative * scale).sum() / max(energy, 1e-9))
    absolute = np.where(both, laid - template.features, 0.0)
    height = _height(laid - ready, reference, template.axis * both)
    pictures = tuple(one.at(at) for one in clip.pictures)
    return Comparison(relative, absolute, laid, both, explained, at, height, limits, clip.jitter, pictures)


def _height(moved: Floats, reference: Floats, axis: Floats) -> float:
    """How far rows go along an axis from their start, as a share of how far the template goes."""
    whole = float((reference @ axis).max())
    return float((moved @ axis).max()) / whole if whole > 1e-6 else 1.0


def cosine(user: Floats, reference: Floats, known: Bools) -> float:
    """Mean cosine between bones of aligned rows; NaN if none is known."""
    return float(_cosine(user, reference, known, BONE_COUNT))


# A loop, since it is asked of every frame.
@numba.njit(cache=True, nogil=True)
def _cosine(user: Floats, reference: Floats, known: Bools, bones: int) -> float:
    total, count = 0.0, 0
    for b in range(0, 3 * bones, 3):
        if known[b] and known[b + 1] and known[b + 2]:
            for row in range(len(user)):
                dot = 0.0
                for k in range(b, b + 3):
                    dot += user[row, k] * reference[row, k]
                total += min(max(dot, -1.0), 1.0)
                count += 1
    return total / count if count else math.nan


def pace(comparison: Comparison, template: Template) -> float:
    """The user's time as a share of the template's, in which each is more than half of their own way out."""
    axis = template.axis * comparison.known
    ready = comparison.user[:READY_ROWS].mean(axis=0)
    shown_at = np.arange(len(template.features), dtype=np.float64)
    shown = _time_beyond(template.relative() @ axis, shown_at)
    done = _time_beyond((comparison.user - ready) @ axis, comparison.user_rows)
    return done / shown if shown > 0.0 else 1.0


def _time_beyond(way: Floats, at: Floats) -> float:
    """From when `way` (rows,) first reaches half of its height to when it last does, in the unit of its times `at` (rows,)."""
    half = HALF_WAY * float(way.max())
    rows = np.flatnonzero(way >= half)
    if half <= 0.0:
        return float(at[-1] - at[0])
    first, last = int(rows[0]), int(rows[-1])
    return _crossed(way, at, half, last, last + 1) - _crossed(way, at, half, first, first - 1)


def _crossed(way: Floats, at: Floats, half: float, inside: int, outside: int) -> float:
    """When `way` is at half between a row that is beyond it and one that is not."""
    if not 0 <= outside < len(way):
        return float(at[inside])
    share = (way[inside] - half) / (way[inside] - way[outside])
    return float(at[inside] + share * (at[outside] - at[inside]))


def phase_times(comparison: Comparison, template: Template) -> tuple[float, float, float]:
    """Seconds the user spent going out, at the far end and coming back."""
    out = []
    for phase in (Phase.OUT, Phase.TURN, Phase.BACK):
        rows = np.flatnonzero(template.phases == phase)
        if not len(rows):
            out.append(0.0)
            continue
        until = comparison.user_rows[min(rows[-1] + 1, len(template.features) - 1)]
        out.append(max(0.0, float(until - comparison.user_rows[rows[0]])) / RATE_HZ)
    return out[0], out[1], out[2]
