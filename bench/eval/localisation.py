"""Is the right body part named, and the right phase? 20 degrees in one limb and phase, by what is known beforehand.

Five cases, each for itself: they are different questions, and their mean is none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from bench.eval.data import NOISES, Floats, Performance, disturbed
from bench.eval.inject import LIMBS, bent, correct_ones, phases_of, window
from bench.eval.protocol import clip_of, features_of, sample_template
from services.scoring.judging.comparison import compare
from services.scoring.judging.localisation import (
    PERSON,
    PHASES,
    REPETITION,
    Residuals,
    Usual,
    evidence,
    most_suspicious,
    residuals,
)
from services.scoring.movement.joints import JOINTS
from services.scoring.reference.template import Phase, Template

INJECTED_DEG: Final = 20.0
LEFT_OUT: Final = 2
"""Repetitions of each person and movement that are bent, one after the other. All errors in one repetition share its
oddities, so the standard error goes by repetitions, not by cases."""
KNOWN: Final = 3
"""Earlier repetitions of the user, where another is the reference."""
SAME_PERSON: Final = REPETITION / 9.0
"""How a mean of nine of one's own repetitions differs from what is usual for oneself."""
CASES: Final = {
    "own_reference_usual_known": "own template, what is usual known from the same repetitions, known to be one's own",
    "own_reference": "own template, known to be one's own, nothing else known",
    "own_reference_as_anybodys": "own template, treated as anybody's, as a first repetition in the product is",
    "others_reference_three_known": f"another's template after {KNOWN} correct repetitions, whatever they score",
    "others_reference_first": "another's template, the first repetition, as the product is",
}
_PARTS: Final = [joint.part for joint in JOINTS]
Named = tuple[str, Phase]


@dataclass(frozen=True)
class Injected:
    """A repetition with one error, the template of the same person's others, and these."""

    movement: int
    subject: int
    repetition: int
    part: str
    phase: Phase
    features: Floats
    own: Template
    earlier: list[Floats]


def injected(performances: list[Performance], noise: str) -> Iterator[Injected]:
    """Some correct repetitions of each person and movement, each left out of its template, with each error in turn."""
    for (movement, subject), own in correct_ones(performances).items():
        rng = np.random.default_rng([movement, subject, 20])
        for chosen in rng.choice(len(own), min(LEFT_OUT, len(own)), replace=False).tolist():
            rest = [
                features_of(disturbed(p.world_m, NOISES[noise], rng))
                for i, p in enumerate(own)
                if i != chosen
            ]
            template = sample_template(rest)
            world = own[chosen].world_m
            at = phases_of(world, template)
            for part, phase in product(LIMBS, PHASES):
                wrong = bent(world, part, INJECTED_DEG * window(at, phase), rng)
                features = features_of(disturbed(wrong, NOISES[noise], rng))
                yield Injected(movement, subject, chosen, part, phase, features, template, rest)


def localisation(performances: list[Performance], noise: str) -> dict[str, dict[str, float]]:
    """Shares of right parts and right phases, by case."""
    templates = {
        key: sample_template(
            [
                features_of(disturbed(p.world_m, NOISES[noise], np.random.default_rng([*key, number])))
                for number, p in enumerate(own)
            ]
        )
        for key, own in correct_ones(performances).items()
    }
    right: dict[str, dict[tuple[int, int, int], list[tuple[bool, bool]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    usual: dict[tuple[int, int, int, int], Usual] = {}
    for one in injected(performances, noise):
        for case, (part, phase) in _answers(one, templates, usual):
            right[case][one.movement, one.subject, one.repetition].append(
                (part == one.part, phase == one.phase)
            )
    return {case: _figures(list(found.values())) for case, found in right.items()}


def _figures(by_repetition: list[list[tuple[bool, bool]]]) -> dict[str, float]:
    """Shares over all cases, and the standard error of the part's from repetition to repetition."""
    part, phase = np.array([right for found in by_repetition for right in found]).mean(axis=0)
    each = np.array([np.mean([right for right, _ in found]) for found in by_repetition])
    return {
        "part": float(part),
        "phase": float(phase),
        "part_standard_error": float(each.std() / np.sqrt(len(each))),
        "repetitions": float(len(each)),
        "cases": float(sum(len(found) for found in by_repetition)),
    }


def _answers(
    one: Injected, templates: dict[tuple[int, int], Template], usual: dict[tuple[int, int, int, int], Usual]
) -> Iterator[tuple[str, Named]]:
    """What is named in each case; `usual` keeps what is known of a person against a reference."""
    seen = _left(one.features, one.own)
    key = (one.movement, one.subject, one.repetition, one.subject)
    if key not in usual:
        usual[key] = _usual(one.earlier, one.own)
    yield "own_reference_usual_known", _named(seen, usual[key], SAME_PERSON)
    yield "own_reference", _named(seen, Usual(), SAME_PERSON)
    yield "own_reference_as_anybodys", _named(seen, Usual(), PERSON)
    for (movement, reference), template in templates.items():
        if movement != one.movement or reference == one.subject:
            continue
        seen = _left(one.features, template)
        key = (movement, one.subject, one.repetition, reference)
        if key not in usual:
            usual[key] = _usual(one.earlier[:KNOWN], template)
        yield "others_reference_three_known", _named(seen, usual[key], PERSON)
        yield "others_reference_first", _named(seen, Usual(), PERSON)


def _left(features: Floats, template: Template) -> Residuals:
    return residuals(compare(clip_of(features, template), template), template)


def _usual(earlier: list[Floats], template: Template) -> Usual:
    known = Usual()
    for one in earlier:
        known = known.after(_left(one, template))
    return known


def _named(seen: Residuals, usual: Usual, person: Floats) -> Named:
    joint, phase = most_suspicious(evidence(seen, usual, person))[0]
    return _PARTS[joint], PHASES[phase]
