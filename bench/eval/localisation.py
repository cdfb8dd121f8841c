"""Is the right body part named, and the right phase? 20 degrees in one limb and phase, by what is known beforehand.

Each case is a question of its own. Each is asked twice: with what ships of how people differ, and with that fitted anew
to the file's people but for the user and the reference's person (`left_out`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np

from bench.eval.data import DESIGN, NOISES, Floats, Performance, disturbed
from bench.eval.inject import LIMBS, bent, correct_ones, phases_of, window
from bench.eval.protocol import clip_of, features_of, sample_template, way_round
from bench.eval.variation import Series, fitted
from services.scoring.judging.localisation import (
    PHASES,
    Residuals,
    Usual,
    evidence,
    most_suspicious,
    residuals,
)
from services.scoring.judging.variation import PERSON, REPETITION, Variation
from services.scoring.movement.joints import JOINTS
from services.scoring.reference.mirror import mirror_image, one_sided
from services.scoring.reference.template import Phase

INJECTED_DEG: Final = 20.0
LEFT_OUT: Final = 2
"""Repetitions of each person and movement that are bent, one after the other. All errors in one repetition share its
oddities, so the standard error goes by repetitions, not by cases."""
OTHERS: Final = {
    "others_reference_first": 0,
    "others_reference_one_known": 1,
    "others_reference_two_known": 2,
    "others_reference_three_known": 3,
    "others_reference_five_known": 5,
}
OWN: Final = {"own_reference_first": 0, "own_reference_five_known": 5}
"""Correct repetitions of the user that are known beforehand, where another is the reference and where they are themselves.
The repetition in question is never part of the reference."""
CASES: Final = {**OTHERS, **OWN}
CASE: Final = "others_reference_three_known"
"""The main one: what a session says of a user who follows somebody else's video and has done it right a few times."""
MEANING: Final = {
    "case": "which case `part` and `phase` are those of; shares of errors whose limb and whose phase is named first",
    "others_reference_*": "another person's reference; so many correct repetitions of the user's known, whatever they score",
    "own_reference_*": "the user's own reference, of which the repetition in question is no part",
    "left_out": "the same with how people differ fitted to the file without the user and the reference's person",
}
Variations = tuple[Variation, Variation]
"""Between people, and between repetitions of one."""
Answer = tuple[bool, bool]
"""Whether the part is right, and the phase."""
SHIPPED: Final[Variations] = (PERSON, REPETITION)


@dataclass(frozen=True)
class Trial:
    """A correct repetition with each error in turn, and the same person's others."""

    movement: int
    subject: int
    earlier: list[Floats]
    """Features of the others."""
    wrong: list[tuple[str, Phase, Floats]]
    """Part, phase and features with the error."""


def trials(performances: list[Performance], noise: str) -> Iterator[Trial]:
    """Some correct repetitions of each person and movement, one after the other."""
    for (movement, subject), own in correct_ones(performances).items():
        rng = np.random.default_rng([movement, subject, 20])
        for chosen in rng.choice(len(own), min(LEFT_OUT, len(own)), replace=False).tolist():
            rest = [
                features_of(disturbed(p.world_m, NOISES[noise], rng))
                for i, p in enumerate(own)
                if i != chosen
            ]
            world = own[chosen].world_m
            at = phases_of(world, sample_template(rest))
            wrong = []
            for part, phase in product(LIMBS, PHASES):
                bad = bent(world, part, INJECTED_DEG * window(at, phase), rng)
                wrong.append((part, phase, features_of(disturbed(bad, NOISES[noise], rng))))
            yield Trial(movement, subject, rest, wrong)


class Reference:
    """A template, either way round where its mirror image is another movement."""

    def __init__(self, parts: list[Floats]) -> None:
        self._template = sample_template(parts)
        self._ways = [self._template]
        if one_sided(self._template):
            self._ways.append(mirror_image(self._template))

    def left(self, features: Floats) -> tuple[int, Residuals]:
        """Which way round a repetition is, as a session decides it, and what is left of it to explain."""
        clip = clip_of(features, self._template)
        way, comparison = way_round(self._ways, clip)
        return int(way is not self._template), residuals(clip, comparison, way)


def localisation(performances: list[Performance], noise: str) -> dict[str, Any]:
    """Shares of right parts and right phases, by case; `left_out` is null where the file has too few people."""
    references = _references(performances, noise)
    series = _series(performances)
    refitted: dict[frozenset[int], Variations | None] = {}
    right: dict[tuple[str, str], list[tuple[int, list[Answer]]]] = defaultdict(list)
    for trial in trials(performances, noise):
        found: dict[tuple[str, str], list[Answer]] = defaultdict(list)
        for (movement, subject), shared in references.items():
            if movement != trial.movement:
                continue
            people = frozenset((subject, trial.subject))
            if people not in refitted:
                refitted[people] = fitted(series, people)
            own = subject == trial.subject
            reference = Reference(trial.earlier) if own else shared
            cases = OWN if own else OTHERS
            earlier = [reference.left(features) for features in trial.earlier[: max(cases.values())]]
            wrong = [(part, phase, reference.left(features)) for part, phase, features in trial.wrong]
            for kind, variations in (("shipped", SHIPPED), ("left_out", refitted[people])):
                if variations is None:
                    continue
                for case, known in cases.items():
                    found[kind, case] += _right(wrong, earlier[:known], *variations)
        for key, answers in found.items():
            right[key].append((trial.movement, answers))
    shipped, left_out = (
        {case: _figures(right[kind, case]) for case in CASES if right[kind, case]}
        for kind in ("shipped", "left_out")
    )
    return {**shipped, "left_out": left_out or None}


def _right(
    wrong: list[tuple[str, Phase, tuple[int, Residuals]]],
    earlier: list[tuple[int, Residuals]],
    person: Variation,
    repetition: Variation,
) -> Iterator[Answer]:
    """Whether part and phase are named, of each error, after earlier repetitions that went the same way round."""
    usual: dict[int, Usual] = defaultdict(Usual)
    for way, left in earlier:
        usual[way] = usual[way].after(left, repetition)
    for part, phase, (way, left) in wrong:
        joint, named = most_suspicious(evidence(left, usual[way], person, repetition))[0]
        yield JOINTS[joint].part == part, PHASES[named] == phase


def _references(performances: list[Performance], noise: str) -> dict[tuple[int, int], Reference]:
    """Of each person's correct repetitions of each movement."""
    return {
        key: Reference(
            [
                features_of(disturbed(p.world_m, NOISES[noise], np.random.default_rng([*key, number])))
                for number, p in enumerate(own)
            ]
        )
        for key, own in correct_ones(performances).items()
    }


def _series(performances: list[Performance]) -> list[Series]:
    """Everybody's correct repetitions against everybody's references, without a camera's errors; of those that went one way
    round and those that went the other the more.
    """
    references = _references(performances, "clean")
    features = {key: [features_of(p.world_m) for p in own] for key, own in correct_ones(performances).items()}
    found = []
    for (movement, person), reference in references.items():
        for (other, subject), own in features.items():
            if other != movement:
                continue
            by_way: dict[int, list[Residuals]] = defaultdict(list)
            for one in own:
                way, left = reference.left(one)
                by_way[way].append(left)
            found.append(Series.of((movement, subject, person), max(by_way.values(), key=len)))
    return found


def _figures(answers: list[tuple[int, list[Answer]]]) -> dict[str, Any]:
    """Shares over all cases, the standard error of the part's from repetition to repetition, and shares by movements, from
    (movement, answers) of each repetition.
    """
    each = np.array([np.mean([right for right, _ in found]) for _, found in answers])
    design = [one for one in answers if one[0] in DESIGN]
    other = [one for one in answers if one[0] not in DESIGN]
    return {
        **_shares(answers),
        "part_standard_error": float(each.std() / np.sqrt(len(each))),
        "repetitions": len(each),
        "cases": sum(len(found) for _, found in answers),
        "design_movements": _shares(design),
        "other_movements": _shares(other),
    }


def _shares(answers: list[tuple[int, list[Answer]]]) -> dict[str, float]:
    """Of right parts and right phases; NaN of nothing."""
    right = np.array([one for _, found in answers for one in found])
    part, phase = right.mean(axis=0) if len(right) else (np.nan, np.nan)
    return {"part": float(part), "phase": float(phase)}
