"""Calibrations fitted on the people of one file and applied to those of another."""

from __future__ import annotations

import numpy as np

from bench.eval.data import Floats, Performance
from bench.eval.protocol import (
    Judged,
    Scale,
    Templates,
    by,
    judge_against,
    judge_all,
)
from services.scoring.errors import BadCalibration
from services.scoring.judging.calibration import Calibration, from_correct, from_labelled
from services.scoring.movement.landmarks import Bools


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
    off, wrong = _nothing(len(judged))
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
    off, wrong = _nothing(len(judged))
    for rows in by(judged, lambda one: one.performance.movement):
        movement = judged[rows[0]].performance.movement
        known = [one for one in fitting if one.performance.movement == movement]
        try:
            fit = from_labelled([one.bones for one in known], [one.performance.correct for one in known])
        except BadCalibration:
            continue
        for row in rows:
            one = judged[row]
            off[row], _ = fit.deviation(one.comparison, templates[movement, one.reference])
            wrong[row] = off[row] > fit.d70
    return Scale("full", off, wrong)


def _nothing(length: int) -> tuple[Floats, Bools]:
    return np.full(length, np.nan), np.zeros(length, dtype=bool)
