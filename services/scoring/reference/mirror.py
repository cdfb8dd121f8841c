"""The same movement the other way round: people face the screen as if it were a mirror, and some are left-handed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from services.scoring.movement.features import bones_of, feature_vectors, mirrored
from services.scoring.reference.phases import movement_axis
from services.scoring.reference.template import Template

ONE_SIDED: float = 0.3
"""A movement whose mirror image differs from it by this share of it is one-sided."""


def mirror_image(template: Template) -> Template:
    """The template with left and right exchanged, as seen by the same camera."""
    angle = template.heading if np.isfinite(template.heading) else 0.0
    lateral = np.array([np.cos(angle), 0.0, np.sin(angle)])
    both = np.vstack((template.features, template.ready[None]))
    flipped = feature_vectors(mirrored(bones_of(both), lateral))
    features, ready = flipped[:-1], flipped[-1]
    axis, phases = movement_axis(features, ready, template.known)
    return replace(template, features=features, ready=ready, axis=axis, phases=phases)


def one_sided(template: Template) -> bool:
    """Left and right do different things, so that the mirror image is another movement."""
    here, there = template.relative(), mirror_image(template).relative()
    return bool(np.square(here - there).sum() > ONE_SIDED * np.square(here).sum())
