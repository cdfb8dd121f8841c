"""The verdict on a repetition: its score and its parts. 70 is the boundary between right and wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from services.scoring.judging import knees
from services.scoring.judging.calibration import Calibration
from services.scoring.judging.comparison import Comparison, cosine, pace, phase_times
from services.scoring.judging.deviation import Deviations
from services.scoring.movement.joints import PAIRED_ANGLES
from services.scoring.reference.template import Template


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

    @property
    def state(self) -> dict[str, float]:
        """Its parts by name."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @classmethod
    def of(cls, state: object) -> Self | None:
        """From `state`, in which JSON makes NaN null; None if it is none: the next repetition brings one."""
        try:
            parts = {part.name: state[part.name] for part in fields(cls)}  # type: ignore[index]
            return cls(**{name: math.nan if value is None else float(value) for name, value in parts.items()})
        except (KeyError, TypeError, ValueError):
            return None


def judge(
    comparison: Comparison,
    template: Template,
    calibration: Calibration,
    *,
    timed: bool = False,
    fault: float = 0.0,
) -> Verdict:
    """The score of a repetition and its parts.

    `timed`: the tempo enters the score (the video leads). `fault`: deviation of the clearest fault with a name, the
    boundary's being 1 (`technique.deviation`).
    """
    off, bones = calibration.deviation(comparison, template)
    off += knees.penalty(knees.inwards(comparison, template))
    off = max(off, calibration.d70 * fault)  # a NaN stays: too little was seen
    out_s, turn_s, back_s = phase_times(comparison, template)
    ratio = max(pace(comparison, template), 0.05)
    tempo = 100.0 * math.exp(-0.5 * (math.log(ratio) / math.log(1.8)) ** 2)
    score = calibration.score(off)
    return Verdict(
        score=min(score, 0.5 * (score + tempo)) if timed else score,
        deviation=off,
        form=_part(calibration, bones.mean(bones.form), bones),
        range=_part(calibration, bones.mean(bones.range), bones),
        tempo=tempo,
        symmetry=_symmetry(comparison),
        stability=_stability(comparison),
        cosine=cosine(comparison.user, template.features, comparison.known),
        range_of_motion=comparison.height,
        out_s=out_s,
        turn_s=turn_s,
        back_s=back_s,
    )


def _part(calibration: Calibration, part: float, bones: Deviations) -> float:
    """Score of one kind of deviation, on the scale of them all together where no labels have bent that scale."""
    total = bones.total()
    if calibration.weights is None or not total:
        return calibration.score(part)
    return calibration.score(calibration.d70 * part / max(total, 1e-6))


def _symmetry(comparison: Comparison) -> float:
    """How alike left and right deviate: what is one-sided in the reference is no fault."""
    left, right = PAIRED_ANGLES[:, 0], PAIRED_ANGLES[:, 1]
    both = comparison.known[left] & comparison.known[right]
    if not both.any():
        return math.nan
    gap = np.abs(comparison.relative[:, left] - comparison.relative[:, right]).mean(axis=0)
    worst = float((gap / comparison.limits.relative[left])[both].max())
    return 100.0 * math.exp(-0.3567 * (worst / 1.5) ** 2)


def _stability(comparison: Comparison) -> float:
    """Freedom from shaking: what is left of the difference after a slow trend is taken away, 3 degrees scoring 70."""
    rows = comparison.relative[:, comparison.known]
    if len(rows) < 8 or not rows.shape[1]:
        return math.nan
    shake = rows[2:] - 2 * rows[1:-1] + rows[:-2]
    amount = math.degrees(float(np.sqrt(np.square(shake).mean())))
    return 100.0 * math.exp(-0.3567 * (amount / 3.0) ** 2)
