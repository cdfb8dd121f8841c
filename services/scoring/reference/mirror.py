"""The same movement the other way round: people face the screen as if it were a mirror, change legs, or are left-handed."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from services.scoring.movement.features import (
    ANGLES,
    BONES,
    bones_of,
    feature_vectors,
    mirrored,
    renormalised,
)
from services.scoring.reference.phases import movement_axis
from services.scoring.reference.template import Template

ONE_SIDED: Final = 0.3
"""A movement whose mirror image differs from it by this share of it is one-sided."""
READY_ROWS: Final = 3
"""Rows at the start of a repetition that are its ready pose."""


def _other_side(name: str) -> str:
    return name.replace("left", "#").replace("right", "left").replace("#", "right")


_NAMES: Final = [f"{bone.name}.{axis}" for bone in BONES for axis in "xyz"] + [one.name for one in ANGLES]
_EXCHANGED: Final = np.array([_NAMES.index(_other_side(name)) for name in _NAMES])
"""(60,) index of each feature's fellow on the other side."""


def other_way_round(template: Template) -> Template:
    """The movement to the other side: as the sample shows it, else its mirror image."""
    image = mirror_image(template)
    if not len(template.other_side):
        return image
    features = template.other_side
    ready = renormalised(features[:READY_ROWS].mean(axis=0))
    axis, phases = movement_axis(features, ready, template.known)
    return replace(image, features=features, ready=ready, known=template.known, axis=axis, phases=phases)


def mirror_image(template: Template) -> Template:
    """The template with left and right exchanged, as seen by the same camera."""
    angle = template.heading if np.isfinite(template.heading) else 0.0
    lateral = np.array([np.cos(angle), 0.0, np.sin(angle)])
    both = np.vstack((template.features, template.ready[None]))
    flipped = feature_vectors(mirrored(bones_of(both), lateral))
    features, ready = flipped[:-1], flipped[-1]
    known, spread = template.known[_EXCHANGED], template.spread[_EXCHANGED]
    axis, phases = movement_axis(features, ready, known)
    return replace(
        template, features=features, ready=ready, known=known, spread=spread, axis=axis, phases=phases
    )


def one_sided(template: Template) -> bool:
    """Left and right do different things, so that the mirror image is another movement. A side not seen says nothing."""
    image = mirror_image(template)
    here, there = template.relative(), image.relative()
    apart = np.square(here - there)[:, template.known & image.known].sum()
    return bool(apart > ONE_SIDED * np.square(here[:, template.known]).sum())
