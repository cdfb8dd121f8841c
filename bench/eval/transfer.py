"""Calibrations fitted on the people of one file and applied to those of another."""

from __future__ import annotations

import numpy as np

from bench.eval.data import Performance
from bench.eval.protocol import (
    Judged,
    Scale,
    Templates,
    by,
    judge_against,
    judge_all,
    labelled,
    nothing,
)
from services.scoring.errors import BadCalibration
from services.scoring.judging.calibration import Calibration, from_correct


def transferred(
    judged: list[Judged], templates: Templates, others: list[Performance], noise: str
) -> list[Scale]:
    """The calibrated scales of `judged`, of which nothing was used to fit them.

    From correct repetitions: those of all the other file's people, laid onto this file's references; one boundary for a
    movement, the mean over its references. From labelled ones: the other file's people against one another. Movements that
    the other file does not hold have no figures.
    """
    mine = {movement for movement, _ in templates}
    others = [one for one in others if one.movement in mine]
    return [
        _correct_only(judged, templates, judge_against(others, templates, noise)),
        _full(judged, templates, judge_all(others, noise)[0]),
    ]


def _correct_only(judged: list[Judged], templates: Templates, fitting: list[Judged]) -> Scale:
    fits: dict[tuple[int, int], Calibration] = {}
    for (movement, reference), template in templates.items():
        good = [
            one
            for one in fitting
            if (one.performance.movement, one.reference) == (movement, reference) and one.performance.correct
        ]
        try:
            comparisons, people = [one.comparison for one in good], [str(one.subject) for one in good]
            fits[movement, reference] = from_correct(comparisons, people, template)
        except BadCalibration:
            continue
    off, wrong = nothing(len(judged))
    for rows in by(judged, lambda one: one.performance.movement):
        movement = judged[rows[0]].performance.movement
        limits = [fit.d70 for (of, _), fit in fits.items() if of == movement]
        for row in rows if limits else []:
            key = movement, judged[row].reference
            if key in fits:
                off[row], _ = fits[key].deviation(judged[row].comparison, templates[key])
                wrong[row] = off[row] > float(np.mean(limits))
    return Scale("correct_only", off, wrong)


def _full(judged: list[Judged], templates: Templates, fitting: list[Judged]) -> Scale:
    def of_the_same_movement(judgement: Judged) -> list[Judged]:
        return [one for one in fitting if one.performance.movement == judgement.performance.movement]

    return labelled(judged, templates, lambda j: j.performance.movement, of_the_same_movement)
