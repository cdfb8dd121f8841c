"""Errors of known size put into good repetitions: is the right joint named, and does the score fall as they grow?"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from bench.eval.data import Floats, Performance
from bench.eval.protocol import clip_of, sample_template
from services.scoring.calibration import defaults
from services.scoring.comparison import compare
from services.scoring.faults import repetition_errors
from services.scoring.features import bone_vectors, feature_vectors
from services.scoring.joints import JOINTS
from services.scoring.landmarks import Landmark
from services.scoring.smoothing import lowpass
from services.scoring.template import RATE_HZ, Phase, Template

SIZES_DEG: Final = tuple(range(0, 41, 5))
NAMED_DEG: Final = 20.0
PART: Final = {joint.name: joint.part for joint in JOINTS}


def _arm(side: str) -> tuple[Landmark, ...]:
    return Landmark[f"{side}_ELBOW"], Landmark[f"{side}_WRIST"]


def _leg(side: str) -> tuple[Landmark, ...]:
    return tuple(Landmark[f"{side}_{name}"] for name in ("KNEE", "ANKLE", "HEEL", "FOOT_INDEX"))


LIMBS: Final[dict[str, tuple[Landmark, tuple[Landmark, ...]]]] = {
    "left_arm": (Landmark.LEFT_SHOULDER, _arm("LEFT")),
    "right_arm": (Landmark.RIGHT_SHOULDER, _arm("RIGHT")),
    "left_leg": (Landmark.LEFT_HIP, _leg("LEFT")),
    "right_leg": (Landmark.RIGHT_HIP, _leg("RIGHT")),
}
"""Body part: where it turns, and what turns with it."""


def bent(world: Floats, part: str, degrees: Floats) -> Floats:
    """The landmarks (frames, 33, 3) with a limb turned about its root, in the picture's plane, by so much a frame."""
    root, moved = LIMBS[part]
    angle = np.radians(degrees)[:, None]
    out = world.copy()
    offset = world[:, moved] - world[:, (root,)]
    out[:, moved, 0] = world[:, (root,), 0] + np.cos(angle) * offset[..., 0] - np.sin(angle) * offset[..., 1]
    out[:, moved, 1] = world[:, (root,), 1] + np.sin(angle) * offset[..., 0] + np.cos(angle) * offset[..., 1]
    return out


def _window(phases: Floats, phase: Phase) -> Floats:
    """1 within a phase, 0 elsewhere, with soft edges of a tenth of a second."""
    inside = (phases == phase).astype(np.float64)
    kernel = np.hanning(7)
    out: Floats = np.convolve(np.pad(inside, 3, mode="edge"), kernel / kernel.sum(), mode="valid")
    return out


def _features(world: Floats) -> Floats:
    return feature_vectors(bone_vectors(lowpass(world, RATE_HZ)))


def _template(own: list[Performance]) -> Template:
    return sample_template([_features(p.world_m) for p in own])


def localisation_and_meaning(performances: list[Performance]) -> tuple[dict[str, Any], dict[str, Any]]:
    """20 degrees in one limb and phase of a subject's own correct repetition: share of right parts and phases named; and
    0 to 40 degrees throughout: Spearman's rank correlation of size and score.
    """
    parts, phases, correlations = [], [], []
    groups = {(p.movement, p.subject) for p in performances}
    for movement, subject in sorted(groups):
        own = [p for p in performances if (p.movement, p.subject, p.correct) == (movement, subject, True)]
        template, calibration = _template(own), defaults(_template(own))
        first = own[0].world_m
        base = compare(clip_of(_features(first), template), template)
        rows = np.interp(np.arange(len(first)), base.user_rows, np.arange(len(template.features)))
        at = template.phases[np.clip(np.round(rows).astype(int), 0, len(template.phases) - 1)]
        for part in LIMBS:
            for phase in (Phase.OUT, Phase.TURN, Phase.BACK):
                wrong = bent(first, part, NAMED_DEG * _window(at, phase))
                errors, worst = repetition_errors(
                    compare(clip_of(_features(wrong), template), template), template
                )
                parts.append(PART[errors[0].joint] == part)
                phases.append(worst == phase)
            scores = []
            for size in SIZES_DEG:
                # Grows with the movement, so that the ready pose stays what it was.
                rise = np.minimum(1.0, np.minimum(np.arange(len(first)), np.arange(len(first))[::-1]) / 10.0)
                comparison = compare(clip_of(_features(bent(first, part, size * rise)), template), template)
                scores.append(calibration.score(calibration.deviation(comparison, template)[0]))
            correlations.append(spearman(np.array(SIZES_DEG, dtype=np.float64), np.array(scores)))
    named = {"part": float(np.mean(parts)), "phase": float(np.mean(phases)), "cases": len(parts)}
    return named, {"spearman": float(np.mean(correlations)), "worst": float(np.max(correlations))}


def spearman(one: Floats, other: Floats) -> float:
    """Rank correlation, ties sharing their ranks."""
    a, b = _ranks(one), _ranks(other)
    return float(np.corrcoef(a, b)[0, 1])


def _ranks(values: Floats) -> Floats:
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.arange(len(values))
    _, inverse, counts = np.unique(np.round(values, 9), return_inverse=True, return_counts=True)
    shared: Floats = (np.bincount(inverse, ranks) / counts)[inverse]
    return shared
