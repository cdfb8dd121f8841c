"""Where on the scale of deviations right ends and wrong begins: by default, from correct repetitions, or from both.

score = 100 exp(-(d / lambda)^k), through 90 at d90 (a typical correct repetition) and through 70 at d70 (the boundary).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from services.scoring.errors import BadCalibration
from services.scoring.judging.comparison import Comparison
from services.scoring.judging.deviation import FULL_RANGE, Deviations, deviations, extent
from services.scoring.movement.features import BONE_COUNT
from services.scoring.movement.landmarks import Floats
from services.scoring.reference.template import Kind, Template
from services.scoring.reference.tolerance import tolerances

BASE: Final = 0.13
SLOPE: Final = 0.66
"""Default boundary: BASE + SLOPE x the share of the body that moves. People differ where they move. From UI-PRMD m01-m05."""
HOLD_BOUNDARY: Final = 0.25
"""Default boundary of a held pose, in which nothing moves and people differ as they are built: a quarter more than one
person of the virtual gym is off from another in a good plank, and little more than a raised arm 30 degrees too low."""
TYPICAL: Final = 0.75
"""Default deviation of a typical correct repetition, as a share of the boundary's."""
SHRINK: Final = 0.75
"""How far correct repetitions of others pull the reference towards their mean."""
PASSES: Final = 0.94
"""Share of correct repetitions by people not seen before that pass."""
PRIOR_PEOPLE: Final = 3.0
"""So many people's repetitions say as much of the boundary as the default does: few people make a poor quantile."""
SHARED_BOUNDARY: Final = 0.95
"""The default boundary where a reference has moved towards what people share, as a share of where it has not."""
RIDGE: Final = 40.0
"""Strength of the penalty on the weights of the labelled calibration."""
DEEP: Final = {"squat": 0.8}
"""Exercises in which depth is what matters, and the share of the sample's range below which one is too shallow."""
INPUTS: Final = 6 * BONE_COUNT
"""Numbers of a repetition that a labelled calibration weighs, see `inputs`."""
FEWEST: Final = 5
"""Repetitions of a kind that a calibration needs."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic regression on bone deviations: below 0 is right."""

    mean: Floats
    scale: Floats
    weight: Floats
    bias: float

    def logit(self, values: Floats) -> float:
        """Of one repetition's `inputs`."""
        return float((values - self.mean) / self.scale @ self.weight + self.bias)


@dataclass(frozen=True)
class Calibration:
    """Maps a repetition to a deviation, and that to a score."""

    d90: float
    d70: float
    source: str = "defaults"
    """defaults, correct or labelled."""
    shift: Floats | None = field(default=None, repr=False)
    """(rows, 60) mean difference of others' correct repetitions from the template, taken off before judging."""
    weights: Weights | None = field(default=None, repr=False)
    full_range: float = FULL_RANGE
    """Movements of less than this share of the reference's range are cut short."""

    def __post_init__(self) -> None:
        if not 0.0 < self.d90 < self.d70 < math.inf:
            raise BadCalibration(
                f"a calibration needs 0 < d90 < d70, not d90 = {self.d90:g} and d70 = {self.d70:g}: "
                f"its repetitions do not tell right from wrong"
            )

    def score(self, deviation: float) -> float:
        """0 to 100; NaN for NaN."""
        if not math.isfinite(deviation):
            return math.nan
        k = 1.2195 / math.log(self.d70 / self.d90)
        scale = self.d70 / 0.3567 ** (1.0 / k)
        return 100.0 * math.exp(-((max(deviation, 0.0) / scale) ** k))

    def fitted(self, comparison: Comparison) -> Comparison:
        """The comparison with what others' correct repetitions have in common taken off."""
        if self.shift is None:
            return comparison
        if self.shift.shape != comparison.relative.shape:
            raise BadCalibration(
                f"this calibration is for a template of {len(self.shift)} rows, not {len(comparison.relative)}: "
                f"make it again for this version of the reference"
            )
        known = comparison.known
        return replace(
            comparison,
            relative=np.where(known, comparison.relative - self.shift, 0.0),
            absolute=np.where(known, comparison.absolute - self.shift, 0.0),
            user=comparison.user - self.shift,
        )

    def deviation(self, comparison: Comparison, template: Template) -> tuple[float, Deviations]:
        """How far off a repetition is on this calibration's scale, and bone by bone."""
        bones = deviations(self.fitted(comparison), template)
        total = bones.total(self.full_range)
        if self.weights is None or not math.isfinite(total):
            return total, bones
        # A softplus of the logit: positive, straight past the boundary, and falling to 0 for what is surely right.
        return math.log1p(math.exp(min(self.weights.logit(inputs(bones)), 30.0))), bones


def inputs(bones: Deviations) -> Floats:
    """(84,) what a labelled calibration weighs; 0 for what was not seen."""
    known = bones.known
    each = np.repeat(known, 3)
    return np.concatenate(
        (
            bones.form * known,
            bones.range * known,
            bones.pose * known,
            np.tanh(bones.signed_range / 0.3) * each,
        )
    )


def defaults(template: Template) -> Calibration:
    """For a reference of which nothing more is known."""
    boundary = BASE + SLOPE * extent(template, tolerances(template))
    if template.kind is Kind.HOLD:
        boundary = HOLD_BOUNDARY
    full_range = DEEP.get(template.exercise, FULL_RANGE)
    return Calibration(d90=TYPICAL * boundary, d70=boundary, full_range=full_range)


def from_correct(comparisons: list[Comparison], people: list[str], template: Template) -> Calibration:
    """From correct repetitions of several people: the reference moves towards what they share, and the boundary towards
    where the others' repetitions pass when each person in turn is left out, the further the more people there are.

    One person says nothing of how people differ: their repetitions can only widen what passes by default.
    """
    if len(comparisons) < FEWEST:
        raise BadCalibration(
            f"{len(comparisons)} correct repetitions are too few for a calibration; {FEWEST} are needed"
        )
    reach = min(FULL_RANGE, float(np.quantile([c.height for c in comparisons], 0.05)) - 0.05)
    names = sorted(set(people))
    if len(names) == 1:
        usual = replace(defaults(template), full_range=reach)
        own = boundary_from([usual.deviation(one, template)[0] for one in comparisons])
        wider = own if own.d70 > usual.d70 else usual
        return replace(wider, source="correct", full_range=reach)
    held_out: list[float] = []
    for name in names:
        others = [c for c, who in zip(comparisons, people, strict=True) if who != name]
        shifted = Calibration(0.1, 0.2, shift=_shared(others), full_range=reach)
        held_out += [
            shifted.deviation(c, template)[0]
            for c, who in zip(comparisons, people, strict=True)
            if who == name
        ]
    found = boundary_from(held_out)
    share = len(names) / (len(names) + PRIOR_PEOPLE)
    d70 = found.d70**share * (SHARED_BOUNDARY * defaults(template).d70) ** (1.0 - share)
    return replace(
        found, d70=d70, d90=min(found.d90, 0.95 * d70), shift=_shared(comparisons), full_range=reach
    )


def boundary_from(held_out: list[float]) -> Calibration:
    """A calibration whose boundary lets PASSES of these deviations of correct repetitions pass."""
    good = np.array([value for value in held_out if math.isfinite(value)])
    if len(good) < FEWEST:
        raise BadCalibration(
            "too little of the body was seen in the correct repetitions to calibrate on them"
        )
    d70 = float(np.quantile(good, PASSES))
    return Calibration(d90=min(float(np.median(good)), 0.95 * d70), d70=d70, source="correct")


def _shared(comparisons: list[Comparison]) -> Floats:
    """What correct repetitions differ from the template in, all together."""
    mean: Floats = SHRINK * np.mean([c.relative for c in comparisons], axis=0)
    return mean


def from_labelled(bones: list[Deviations], correct: list[bool], shift: Floats | None = None) -> Calibration:
    """From right and wrong repetitions, by logistic regression with a ridge penalty (Newton's method)."""
    truth = np.array(correct, dtype=bool)
    if min(truth.sum(), (~truth).sum()) < FEWEST:
        raise BadCalibration(
            f"a labelled calibration needs {FEWEST} right and {FEWEST} wrong repetitions at least"
        )
    values = np.stack([inputs(one) for one in bones])
    mean, scale = values.mean(axis=0), values.std(axis=0) + 1e-6
    design = np.column_stack(((values - mean) / scale, np.ones(len(values))))
    wrong = (~truth).astype(np.float64)
    penalty = np.diag(np.append(np.full(values.shape[1], RIDGE), 1e-6))
    weight = np.zeros(design.shape[1])
    for _ in range(25):
        likely = 1.0 / (1.0 + np.exp(-np.clip(design @ weight, -30.0, 30.0)))
        slope = design.T @ (likely - wrong) + penalty @ weight
        curve = (design * (likely * (1.0 - likely))[:, None]).T @ design + penalty
        step = np.linalg.solve(curve, slope)
        weight -= step
        if np.abs(step).max() < 1e-8:
            break
    weights = Weights(mean, scale, weight[:-1], float(weight[-1]))
    right = np.median([weights.logit(v) for v, good in zip(values, truth, strict=True) if good])
    boundary = math.log(2.0)
    typical = math.log1p(math.exp(min(float(right), -0.05)))
    return Calibration(
        d90=min(typical, 0.95 * boundary), d70=boundary, source="labelled", shift=shift, weights=weights
    )
