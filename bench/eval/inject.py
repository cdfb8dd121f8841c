"""Errors of known size put into good repetitions: one limb turned at its root, in one phase or throughout."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from bench.eval.data import Floats, Performance
from bench.eval.protocol import clip_of, features_of, sample_template
from services.scoring.judging.calibration import defaults
from services.scoring.judging.comparison import compare
from services.scoring.movement.landmarks import Landmark
from services.scoring.reference.template import Phase, Template

SIZES_DEG: Final = tuple(range(0, 41, 5))
ALONG: Final = 0.85
"""A limb this nearly parallel to an axis (cosine) at some moment is not turned about it."""


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


def bent(world: Floats, part: str, degrees: Floats, rng: np.random.Generator) -> Floats:
    """The landmarks (frames, 33, 3) with a limb turned about its root by so much a frame (frames,).

    The limb's first bone changes direction by exactly that: the axis is, of the body's lateral, forward and upward ones,
    one it is never nearly parallel to, made perpendicular to it frame by frame. `rng` chooses axis and sign.
    """
    root, moved = LIMBS[part]
    offset = world[:, moved] - world[:, (root,)]
    bone = offset[:, 0] / np.linalg.norm(offset[:, 0], axis=1, keepdims=True)
    lateral = (world[:, Landmark.LEFT_HIP] - world[:, Landmark.RIGHT_HIP]).mean(axis=0) * (1.0, 0.0, 1.0)
    lateral /= np.linalg.norm(lateral)
    up = np.array([0.0, -1.0, 0.0])
    body = np.stack((lateral, np.cross(lateral, up), up))
    along = np.abs(bone @ body.T).max(axis=0)
    choice = np.flatnonzero(along < max(ALONG, along.min() + 1e-9))
    axis = body[rng.choice(choice)]
    axis = axis - (bone @ axis)[:, None] * bone
    axis = (axis / np.linalg.norm(axis, axis=1, keepdims=True))[:, None]
    angle = np.radians(degrees * rng.choice((-1.0, 1.0)))[:, None, None]
    # Rodrigues' rotation.
    turned = (
        np.cos(angle) * offset
        + np.sin(angle) * np.cross(np.broadcast_to(axis, offset.shape), offset)
        + (1.0 - np.cos(angle)) * axis * (axis * offset).sum(axis=2, keepdims=True)
    )
    out = world.copy()
    out[:, moved] = world[:, (root,)] + turned
    return out


def phases_of(world: Floats, template: Template) -> Floats:
    """(frames,) `Phase` of each frame of a repetition, by the template."""
    laid = compare(clip_of(features_of(world), template), template)
    rows = np.interp(np.arange(len(world)), laid.user_rows, np.arange(len(template.features)))
    at: Floats = template.phases[np.clip(np.round(rows).astype(int), 0, len(template.phases) - 1)]
    return at


def window(phases: Floats, phase: Phase) -> Floats:
    """1 within a phase, 0 elsewhere, with soft edges of a tenth of a second."""
    inside = (phases == phase).astype(np.float64)
    kernel = np.hanning(7)
    out: Floats = np.convolve(np.pad(inside, 3, mode="edge"), kernel / kernel.sum(), mode="valid")
    return out


def correct_ones(performances: list[Performance]) -> dict[tuple[int, int], list[Performance]]:
    """Correct repetitions by (movement, subject), where there are enough to leave one out."""
    found: dict[tuple[int, int], list[Performance]] = {}
    for one in performances:
        if one.correct:
            found.setdefault((one.movement, one.subject), []).append(one)
    return {key: found[key] for key in sorted(found) if len(found[key]) > 1}


def score_meaning(performances: list[Performance]) -> dict[str, Any]:
    """0 to 40 degrees throughout a repetition that is no part of its template: rank correlation of size and score."""
    correlations = []
    for (movement, subject), own in correct_ones(performances).items():
        rng = np.random.default_rng([movement, subject, 40])
        chosen = int(rng.integers(len(own)))
        template = sample_template([features_of(p.world_m) for i, p in enumerate(own) if i != chosen])
        calibration, world = defaults(template), own[chosen].world_m
        # Grows with the movement, so that the ready pose stays what it was.
        rise = np.minimum(1.0, np.minimum(np.arange(len(world)), np.arange(len(world))[::-1]) / 10.0)
        for part in LIMBS:
            seed = int(rng.integers(2**32))
            scores = []
            for size in SIZES_DEG:
                wrong = bent(world, part, size * rise, np.random.default_rng(seed))
                comparison = compare(clip_of(features_of(wrong), template), template)
                scores.append(calibration.score(calibration.deviation(comparison, template)[0]))
            correlations.append(spearman(np.array(SIZES_DEG, dtype=np.float64), np.array(scores)))
    return {
        "spearman": float(np.mean(correlations)),
        "median": float(np.median(correlations)),
        "worst": float(np.max(correlations)),
    }


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
