"""A further video of the same movement joins a reference: its repetitions are averaged with the earlier ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from services.scoring.errors import DifferentExercise
from services.scoring.movement.features import bones_of, feature_vectors, renormalised
from services.scoring.movement.landmarks import Bools, Floats
from services.scoring.movement.smoothing import lowpass
from services.scoring.movement.views import turn_between, turned
from services.scoring.movement.warping import onto_template, warping_path
from services.scoring.reference.phases import movement_axis
from services.scoring.reference.preparation import rough_scale
from services.scoring.reference.remarks import ONE_REPETITION, remark_of
from services.scoring.reference.template import MOST_SAMPLES, RATE_HZ, Kind, Template

DIFFERENCE: Final = 0.8
"""Share of the movement that may differ. Squats of different people, arms raised or not, differ by up to 0.54; an arm
raise or a balance differs from a squat by 1.4 and from each other by 1.1."""
SAME_POSE_RAD: Final = np.radians(25.0)
"""Held poses whose features differ more than this (root mean square) are two."""


def refined(base: Template, further: Template) -> Template:
    """`base` with the repetitions of `further`, on the base's time and video frames.

    Raises DifferentExercise if the two do not show one movement.
    """
    if base.kind is not further.kind:
        raise _different(base, "one is held and the other moves")
    turn = turn_between(further.heading, base.heading)
    both = base.known & further.known
    added = np.stack([_as_seen_by(one, turn) for one in _samples(further)])
    aligned = added if base.kind is Kind.HOLD else _on_base_time(added, base, both)
    if base.kind is Kind.HOLD:
        gap = float(np.sqrt(np.square((aligned - base.ready)[..., both]).mean()))
        if gap > SAME_POSE_RAD:
            raise _different(base, f"the poses are {np.degrees(gap):.0f}° apart")
    earlier = _samples(base)
    mean = earlier.mean(axis=0)
    # What the further video does not show is left as it was.
    joined = _thinned(np.concatenate((earlier, np.where(further.known, aligned, mean))))
    averaged = renormalised(joined.mean(axis=0))
    if base.kind is Kind.HOLD:
        pose = averaged[0]
        features = np.repeat(pose[None], len(base.features), axis=0)
        return replace(base, features=features, ready=pose, samples=joined)
    features = renormalised(lowpass(averaged, RATE_HZ))
    share = len(aligned) / len(joined)
    theirs = np.where(further.known, _as_seen_by(further.ready[None], turn)[0], base.ready)
    ready = renormalised((1 - share) * base.ready + share * theirs)
    axis, phases = movement_axis(features, ready, base.known)
    return replace(
        base,
        features=features,
        ready=ready,
        spread=joined.std(axis=0, ddof=1).mean(axis=0),
        axis=axis,
        phases=phases,
        remarks=tuple(one for one in base.remarks if remark_of(one, base.fps).code != ONE_REPETITION),
        joined=base.joined + len(aligned),
        samples=joined,
    )


def _samples(template: Template) -> Floats:
    """(n, rows, 60) what the template is the mean of; the mean itself where its repetitions were not kept."""
    if len(template.samples):
        return template.samples
    return template.ready[None, None] if template.kind is Kind.HOLD else template.features[None]


def _as_seen_by(features: Floats, turn: float) -> Floats:
    """Features (rows, 60) turned about the vertical by `turn` radians."""
    return feature_vectors(turned(bones_of(features), turn)) if turn else features


def _on_base_time(added: Floats, base: Template, both: Bools) -> Floats:
    """Each repetition (n, rows', 60) on the rows of the base; those of another movement are left out."""
    scale = rough_scale()
    wanted = ((base.features - base.features[0]) / scale)[:, both]
    aligned = []
    for one in added:
        moved = ((one - one[0]) / scale)[:, both]
        a, b, cost = warping_path(moved, wanted)
        energy = 0.5 * (np.square(moved[a]).sum() + np.square(wanted[b]).sum())
        if cost <= DIFFERENCE * max(float(energy), 1e-9):
            aligned.append(onto_template(one, a, b, len(wanted)))
    if not aligned:
        raise _different(base, "no repetition of it is like the reference's")
    return np.stack(aligned)


def _thinned(samples: Floats) -> Floats:
    """At most `MOST_SAMPLES` of them, evenly from the oldest to the newest."""
    if len(samples) <= MOST_SAMPLES:
        return samples
    kept: Floats = samples[np.linspace(0, len(samples) - 1, MOST_SAMPLES).round().astype(int)]
    return kept


def _different(base: Template, why: str) -> DifferentExercise:
    what = base.exercise or "the movement of the reference"
    return DifferentExercise(f"the video does not look like {what}: {why}; build a new reference from it")
