"""Leave one subject out: who is the reference, who is judged, and on whom a calibration may be fitted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.eval.data import NOISES, Floats, Performance, disturbed, recording
from services.scoring.errors import BadCalibration
from services.scoring.judging.calibration import Calibration, defaults, from_correct, from_labelled
from services.scoring.judging.comparison import Comparison, compare, cosine
from services.scoring.judging.deviation import Deviations, deviations
from services.scoring.judging.memory import Clip
from services.scoring.live.counting import MIRROR_GAIN
from services.scoring.movement.features import FEATURES, bone_vectors, bones_of, feature_vectors
from services.scoring.movement.landmarks import Bools
from services.scoring.movement.smoothing import lowpass, noise_left
from services.scoring.movement.views import heading, mean_heading, turn_between, turned
from services.scoring.reference.building import template_of, typical_of
from services.scoring.reference.mirror import mirror_image, one_sided
from services.scoring.reference.preparation import Prepared, rough_scale
from services.scoring.reference.segmentation import Segment
from services.scoring.reference.template import RATE_HZ, Template
from services.scoring.reference.tolerance import one_view_variance

KNOWN: Final = np.ones(FEATURES, dtype=bool)
NOISELESS: Final = np.zeros(FEATURES)
Templates = dict[tuple[int, int], Template]
"""References by (movement, subject)."""


@dataclass(frozen=True)
class Judged:
    """A repetition of one subject against the reference of another."""

    performance: Performance
    reference: int
    """Subject the reference is of."""
    comparison: Comparison
    bones: Deviations
    cosine: float

    @property
    def subject(self) -> int:
        """Whose repetition it is."""
        return self.performance.subject


def features_of(world_m: Floats) -> Floats:
    """What scoring makes of landmarks (frames, 33, 3): features (frames, 60), smoothed."""
    return feature_vectors(bone_vectors(lowpass(world_m, RATE_HZ)))


def noise_of(world_m: Floats) -> Floats:
    """(60,) variance of the noise that is left in `features_of`, as scoring finds it."""
    return noise_left(feature_vectors(bone_vectors(world_m)), features_of(world_m))


def seen(performance: Performance, noise: str, seed: int) -> Floats:
    """Landmarks of a performance, with a pose model's errors."""
    return disturbed(performance.world_m, NOISES[noise], np.random.default_rng([seed, 2026]))


def seen_features(performance: Performance, noise: str, seed: int) -> Floats:
    """What scoring makes of them."""
    return features_of(seen(performance, noise, seed))


def sample_template(parts: list[Floats]) -> Template:
    """The reference made of one person's correct repetitions, their ends being known."""
    rows = np.concatenate(parts)
    ends = np.cumsum([len(part) for part in parts])
    segments = [
        Segment(int(e) - len(p), int(e) - len(p) // 2, int(e) - 1) for e, p in zip(ends, parts, strict=True)
    ]
    prepared = Prepared(
        features=rows,
        frames=np.arange(len(rows), dtype=np.float64),
        known=KNOWN,
        image=np.zeros((len(rows), 33, 2)),
        heading=mean_heading(heading(bones_of(rows))),
    )
    typical, kept = typical_of(rows / rough_scale(), segments)
    return template_of(recording(np.zeros((len(rows), 33, 3))), prepared, typical, kept, "", [])


def clip_of(features: Floats, template: Template, noise: Floats = NOISELESS) -> Clip:
    """A repetition in the template's axes, as the observer would bring it there; `noise` as `noise_of` says."""
    turn = turn_between(mean_heading(heading(bones_of(features))), template.heading)
    if turn:
        features = feature_vectors(turned(bones_of(features), turn))
    return Clip(features, KNOWN, one_view_variance(), noise, 0.0)


def references(performances: list[Performance], features: list[Floats]) -> Templates:
    """One of every subject's correct repetitions of each movement; a subject who has none is no reference."""
    correct: dict[tuple[int, int], list[Floats]] = defaultdict(list)
    for one, rows in zip(performances, features, strict=True):
        if one.correct:
            correct[one.movement, one.subject].append(rows)
    return {key: sample_template(parts) for key, parts in correct.items()}


def judge_all(performances: list[Performance], noise: str) -> tuple[list[Judged], Templates]:
    """Every repetition against the reference of every other subject, and the references."""
    worlds = [seen(p, noise, seed) for seed, p in enumerate(performances)]
    templates = references(performances, [features_of(world) for world in worlds])
    return _judged(performances, worlds, templates, themselves=False), templates


def judge_against(performances: list[Performance], templates: Templates, noise: str) -> list[Judged]:
    """Every repetition against every reference of other people's: subjects of the same number are not the same."""
    worlds = [seen(p, noise, seed) for seed, p in enumerate(performances)]
    return _judged(performances, worlds, templates, themselves=True)


def _judged(
    performances: list[Performance], worlds: list[Floats], templates: Templates, *, themselves: bool
) -> list[Judged]:
    judged: list[Judged] = []
    observed = [(features_of(world), noise_of(world)) for world in worlds]
    for (movement, reference), template in templates.items():
        ways = [template, mirror_image(template)] if one_sided(template) else [template]
        for performance, (features, noise) in zip(performances, observed, strict=True):
            if performance.movement != movement or (performance.subject == reference and not themselves):
                continue
            way, comparison = way_round(ways, clip_of(features, template, noise))
            alike = cosine(comparison.user, way.features, comparison.known)
            judged.append(Judged(performance, reference, comparison, deviations(comparison, way), alike))
    return judged


def way_round(ways: list[Template], clip: Clip) -> tuple[Template, Comparison]:
    """The template or its mirror image, as a session decides for each repetition: some people change legs."""
    tried = [(way, compare(clip, way)) for way in ways]
    if len(tried) > 1 and tried[1][1].explained - MIRROR_GAIN > tried[0][1].explained:
        return tried[1]
    return tried[0]


# ---------------------------------------------------------------- measures
def auc(correct: Floats, incorrect: Floats) -> float:
    """Probability that an incorrect repetition deviates more than a correct one, ties counting half."""
    order = np.sort(correct)
    below = np.searchsorted(order, incorrect, side="left")
    upto = np.searchsorted(order, incorrect, side="right")
    return float((below + upto).mean() / 2.0 / len(correct))


@dataclass(frozen=True)
class Scale:
    """A deviation for each judged repetition, and whether it was told wrong."""

    name: str
    deviation: Floats
    wrong: Bools


def by(judged: list[Judged], key: Callable[[Judged], object]) -> Iterable[list[int]]:
    """Row numbers grouped by a key, in order of first appearance."""
    groups: dict[object, list[int]] = defaultdict(list)
    for row, one in enumerate(judged):
        groups[key(one)].append(row)
    return groups.values()


def auc_within(judged: list[Judged], deviation: Floats) -> float:
    """Mean over movements, references and subjects."""
    return _mean_auc(judged, deviation, lambda j: (j.performance.movement, j.reference, j.subject))


def auc_pooled(judged: list[Judged], deviation: Floats) -> float:
    """Mean over movements and references, all subjects on one scale."""
    return _mean_auc(judged, deviation, lambda j: (j.performance.movement, j.reference))


def _mean_auc(judged: list[Judged], deviation: Floats, key: Callable[[Judged], tuple[int, ...]]) -> float:
    """Mean over movements of the mean over groups that hold both kinds; what was not judged is left out."""
    correct = np.array([one.performance.correct for one in judged], dtype=bool)
    seen = np.isfinite(deviation)
    per: dict[int, list[float]] = defaultdict(list)
    for rows in by(judged, key):
        chosen = np.array(rows)
        good, bad = (deviation[chosen[(correct[chosen] == kind) & seen[chosen]]] for kind in (True, False))
        if len(good) and len(bad):
            per[judged[rows[0]].performance.movement].append(auc(good, bad))
    return _mean([float(np.mean(values)) for values in per.values()])


def rates(judged: list[Judged], scale: Scale) -> tuple[float, float]:
    """Shares of correct repetitions passed and of incorrect ones caught, mean over movements; NaN where there is none."""
    correct = np.array([one.performance.correct for one in judged], dtype=bool)
    seen = np.isfinite(scale.deviation)
    passed, caught = [], []
    for rows in by(judged, lambda j: j.performance.movement):
        chosen = np.array(rows)
        good, bad = (chosen[(correct[chosen] == kind) & seen[chosen]] for kind in (True, False))
        if len(good):
            passed.append(float((~scale.wrong[good]).mean()))
        if len(bad):
            caught.append(float(scale.wrong[bad].mean()))
    return _mean(passed), _mean(caught)


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


# ---------------------------------------------------------------- scales
def label_free(judged: list[Judged], templates: Templates) -> Scale:
    """Default tolerances, default boundary."""
    off = np.array([one.bones.total() for one in judged])
    limits = {key: defaults(template).d70 for key, template in templates.items()}
    boundary = np.array([limits[one.performance.movement, one.reference] for one in judged])
    return Scale("label_free", off, off > boundary)


def correct_only(judged: list[Judged], templates: Templates) -> Scale:
    """Calibrated on the correct repetitions of the subjects that are neither judged nor the reference.

    Shift from the same reference; the boundary from all references, since few people make a poor quantile. NaN where
    there are too few.
    """
    off, wrong = nothing(len(judged))
    for rows in by(judged, lambda j: (j.performance.movement, j.subject)):
        movement, subject = judged[rows[0]].performance.movement, judged[rows[0]].subject
        fits: dict[int, Calibration] = {}
        for reference in sorted({judged[row].reference for row in rows}):
            good = [
                one
                for one in judged
                if (one.performance.movement, one.reference) == (movement, reference)
                and one.subject != subject
                and one.performance.correct
            ]
            comparisons, people = [one.comparison for one in good], [str(one.subject) for one in good]
            with suppress(BadCalibration):
                fits[reference] = from_correct(comparisons, people, templates[movement, reference])
        for row in rows:
            one = judged[row]
            if one.reference in fits:
                fit = fits[one.reference]
                off[row], _ = fit.deviation(one.comparison, templates[movement, one.reference])
                wrong[row] = off[row] > float(np.mean([other.d70 for other in fits.values()]))
    return Scale("correct_only", off, wrong)


def full(judged: list[Judged], templates: Templates) -> Scale:
    """Calibrated on right and wrong repetitions of the other subjects, against one another; NaN where there are too few."""

    def others(judgement: Judged) -> list[Judged]:
        return [
            one
            for one in judged
            if one.performance.movement == judgement.performance.movement
            and judgement.subject not in (one.subject, one.reference)
        ]

    return labelled(judged, templates, lambda j: (j.performance.movement, j.subject), others)


def labelled(
    judged: list[Judged],
    templates: Templates,
    key: Callable[[Judged], object],
    teachers: Callable[[Judged], list[Judged]],
) -> Scale:
    """Calibrated on what `teachers` says of a judgement, one calibration for all of the same `key`."""
    off, wrong = nothing(len(judged))
    for rows in by(judged, key):
        known = teachers(judged[rows[0]])
        try:
            fit = from_labelled([one.bones for one in known], [one.performance.correct for one in known])
        except BadCalibration:
            continue
        for row in rows:
            one = judged[row]
            off[row], _ = fit.deviation(one.comparison, templates[one.performance.movement, one.reference])
            wrong[row] = off[row] > fit.d70
    return Scale("full", off, wrong)


def nothing(length: int) -> tuple[Floats, Bools]:
    """Deviations and verdicts of as many judgements, none of which is made yet."""
    return np.full(length, np.nan), np.zeros(length, dtype=bool)
