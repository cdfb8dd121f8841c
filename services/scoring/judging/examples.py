"""Repetitions known to be right or wrong, and the calibration they make together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.scoring.errors import BadCalibration
from services.scoring.judging.calibration import FEWEST, Calibration, from_correct, from_labelled, inputs
from services.scoring.judging.comparison import compare
from services.scoring.judging.deviation import Deviations, deviations
from services.scoring.judging.memory import Clip
from services.scoring.reference.template import Template

MOST: Final = 40
"""Repetitions kept of each kind; the newest stay."""
TOLD_APART: Final = 0.65
"""Balanced accuracy on repetitions left out below which a labelled calibration has learnt nothing."""


@dataclass(frozen=True, slots=True)
class Example:
    """One repetition and what it is known to be."""

    clip: Clip
    """In the reference's axes."""
    correct: bool
    person: str


def kept(examples: Sequence[Example]) -> list[Example]:
    """The newest `MOST` of each kind, in their order."""
    right = [one for one in examples if one.correct][-MOST:]
    wrong = [one for one in examples if not one.correct][-MOST:]
    chosen = {id(one) for one in (*right, *wrong)}
    return [one for one in examples if id(one) in chosen]


def calibrated(examples: Sequence[Example], template: Template) -> Calibration | None:
    """The best calibration these allow; None: they are too few. Raises BadCalibration if they tell nothing apart."""
    comparisons = [compare(one.clip, template) for one in examples]
    correct = [one.correct for one in examples]
    right, wrong = sum(correct), len(correct) - sum(correct)
    if right < FEWEST:
        return None
    if wrong < FEWEST:
        good = [(c, one.person) for c, one in zip(comparisons, examples, strict=True) if one.correct]
        return from_correct([c for c, _ in good], [who for _, who in good], template)
    bones = [deviations(one, template) for one in comparisons]
    if told_apart(bones, correct) < TOLD_APART:
        raise BadCalibration(
            f"the {right} right and {wrong} wrong repetitions do not differ in what is measured: check which videos are "
            f"labelled right, and film from a side that shows what is wrong"
        )
    return from_labelled(bones, correct)


def told_apart(bones: Sequence[Deviations], correct: Sequence[bool]) -> float:
    """Balanced accuracy of a labelled calibration, each repetition judged by one made without it where enough are left."""
    good: dict[bool, list[bool]] = {True: [], False: []}
    for left_out, is_right in enumerate(correct):
        spare = sum(one is is_right for one in correct) > FEWEST
        among = [n for n in range(len(correct)) if n != left_out or not spare]
        fit = from_labelled([bones[n] for n in among], [correct[n] for n in among])
        assert fit.weights is not None
        good[is_right].append((fit.weights.logit(inputs(bones[left_out])) < 0.0) == is_right)
    return sum(sum(kind) / len(kind) for kind in good.values()) / 2
