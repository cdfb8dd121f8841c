"""From differences to a score that means something: 70 is the boundary between right and wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.alignment import onto_template, warping_path
from services.scoring.features import BONE_COUNT, bones_of
from services.scoring.joints import PAIRED_ANGLES
from services.scoring.landmarks import Bools, Floats
from services.scoring.template import RATE_HZ, Phase, Template
from services.scoring.tolerance import Tolerances

CLIP: Final = 4.0
"""A deviation of more than this many tolerances counts as this many: one bad landmark shall not decide a score."""
ABSOLUTE_SHARE: Final = 0.3
"""Weight of the pose itself against that of the movement from the ready pose."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Where on the scale of deviations a performance is very good, and where it stops being right."""

    d90: float = 0.45
    """Deviation of a typical correct repetition: scores 90."""
    d70: float = 0.85
    """Deviation at the boundary of correct and incorrect: scores 70."""
    source: str = "defaults"
    """defaults, correct (repetitions known to be right) or labelled (right and wrong ones)."""

    def score(self, deviation: float) -> float:
        """0 to 100: 100 exp(-(d / lambda)^k), through 90 at d90 and 70 at d70."""
        if not math.isfinite(deviation):
            return math.nan
        k = 1.2195 / math.log(self.d70 / self.d90)
        scale = self.d70 / 0.3567 ** (1.0 / k)
        return 100.0 * math.exp(-((max(deviation, 0.0) / scale) ** k))


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a repetition is worth."""

    score: float
    """0 to 100; NaN if too little was seen."""
    deviation: float
    form: float
    range: float
    tempo: float
    symmetry: float
    stability: float
    cosine: float
    """Mean cosine between the user's bones and the template's, as explanation only."""
    range_of_motion: float
    """Of the reference's."""
    out_s: float
    turn_s: float
    back_s: float


def compare(
    user: Floats, ready: Floats, known: Bools, template: Template, tolerances: Tolerances
) -> Comparison:
    """Aligns a repetition (n, 60; 30 rows a second, smoothed) with the template and takes the differences."""
    both = known & template.known
    scale = np.where(both, tolerances.scale, 0.0)
    reference = template.relative()
    moved = user - ready
    rows, columns, _ = warping_path(moved * scale, reference * scale)
    laid = onto_template(user, rows, columns, len(reference))
    at = onto_template(rows[:, None].astype(np.float64), np.arange(len(rows)), columns, len(reference))[:, 0]
    relative = np.where(both, laid - ready - reference, 0.0)
    energy = np.square(reference * scale).sum()
    explained = 1.0 - float(np.square(relative * scale).sum() / max(energy, 1e-9))
    return Comparison(relative, np.where(both, laid - template.features, 0.0), laid, both, explained, at)


def deviation(comparison: Comparison, tolerances: Tolerances) -> float:
    """How far off a repetition is, in tolerances: NaN if less than half of what counts was seen."""
    weight = np.where(comparison.known, tolerances.weight, 0.0)
    if weight.sum() < 0.5 * tolerances.weight.sum():
        return math.nan
    moved = _rms(comparison.relative / tolerances.relative)
    posed = _rms(comparison.absolute / tolerances.absolute)
    joined = (1.0 - ABSOLUTE_SHARE) * moved + ABSOLUTE_SHARE * posed
    return float((weight * joined).sum() / weight.sum())


def _rms(z: Floats) -> Floats:
    out: Floats = np.sqrt(np.square(np.clip(z, -CLIP, CLIP)).mean(axis=0))
    return out


def judge(
    comparison: Comparison,
    template: Template,
    tolerances: Tolerances,
    calibration: Calibration,
    height: float,
    *,
    timed: bool = False,
) -> Verdict:
    """The score of a repetition and its parts. `timed`: the tempo enters the score (the video leads)."""
    off = deviation(comparison, tolerances)
    out_s, turn_s, back_s = phase_times(comparison, template)
    ratio = max(comparison.user_rows[-1], 1.0) / max(len(template.features) - 1, 1)
    tempo = 100.0 * math.exp(-0.5 * (math.log(max(ratio, 0.05)) / math.log(1.8)) ** 2)
    score = calibration.score(off)
    return Verdict(
        score=min(score, 0.5 * (score + tempo)) if timed else score,
        deviation=off,
        form=calibration.score(off),
        range=100.0 * math.exp(-0.5 * (min(height - 1.0, 0.25) / 0.25) ** 2),
        tempo=tempo,
        symmetry=_symmetry(comparison, tolerances),
        stability=_stability(comparison),
        cosine=cosine(comparison.user, template.features, comparison.known),
        range_of_motion=height,
        out_s=out_s,
        turn_s=turn_s,
        back_s=back_s,
    )


def cosine(user: Floats, reference: Floats, known: Bools) -> float:
    """Mean cosine between bones of aligned rows; NaN if none is known."""
    seen = known[: 3 * BONE_COUNT].reshape(BONE_COUNT, 3).all(axis=1)
    if not seen.any():
        return math.nan
    dots = np.sum(bones_of(user) * bones_of(reference), axis=-1)[:, seen]
    return float(np.clip(dots, -1.0, 1.0).mean())


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


def _symmetry(comparison: Comparison, tolerances: Tolerances) -> float:
    """How alike left and right deviate: what is one-sided in the reference is no fault."""
    left, right = PAIRED_ANGLES[:, 0], PAIRED_ANGLES[:, 1]
    both = comparison.known[left] & comparison.known[right]
    if not both.any():
        return math.nan
    gap = np.abs(comparison.relative[:, left] - comparison.relative[:, right]).mean(axis=0)
    worst = float((gap / tolerances.relative[left])[both].max())
    return 100.0 * math.exp(-0.3567 * (worst / 1.5) ** 2)


def _stability(comparison: Comparison) -> float:
    """Freedom from shaking: what is left of the difference after a slow trend is taken away, 3 degrees scoring 70."""
    rows = comparison.relative[:, comparison.known]
    if len(rows) < 8 or not rows.shape[1]:
        return math.nan
    shake = rows[2:] - 2 * rows[1:-1] + rows[:-2]
    amount = math.degrees(float(np.sqrt(np.square(shake).mean())))
    return 100.0 * math.exp(-0.3567 * (amount / 3.0) ** 2)
