"""How like the reference's a movement is, whatever its size: as a whole, and in each pair of limbs that moves.

As a whole a lateral raise is a jumping jack (cosine 0.9): the arms are nine tenths of both. What the legs do tells them
apart, and they must agree where either movement has them do more than passes as standing still.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from services.scoring.judging.comparison import Comparison
from services.scoring.movement.features import BONE, FEATURES
from services.scoring.movement.landmarks import Bools, Floats
from services.scoring.reference.template import Template

MOVES: Final = 1.5
"""Limbs that move more than this, root mean square in tolerances, take part in a movement."""


def _limbs(*names: str) -> Bools:
    own = np.zeros(FEATURES, dtype=np.bool_)
    for bone in (BONE[f"{side}_{name}"] for side in ("left", "right") for name in names):
        own[3 * bone : 3 * bone + 3] = True
    return own


_LIMBS: Final = (_limbs("thigh", "shin"), _limbs("upper_arm", "forearm"))


def whole_likeness(comparison: Comparison, template: Template) -> float:
    """Cosine between two whole movements, ready poses subtracted, in tolerances, each by how much it counts."""
    return _cosine(*_moved(comparison, template, comparison.limits.scale))


def likeness(comparison: Comparison, template: Template) -> float:
    """The least of the cosines of the whole and of each pair of limbs that moves: 1 is the same movement."""
    shown, done = _moved(comparison, template, 1.0 / comparison.limits.relative)
    parts = [whole_likeness(comparison, template)]
    for own in _LIMBS:
        here, there = shown[:, own], done[:, own]
        if max(np.square(here).sum(), np.square(there).sum()) >= MOVES**2 * len(here):
            parts.append(_cosine(here, there))
    return min(parts)


def _moved(comparison: Comparison, template: Template, scale: Floats) -> tuple[Floats, Floats]:
    """(rows, 60) what the reference and the user do from their ready poses; 0 where not known."""
    scale = np.where(comparison.known, scale, 0.0)
    shown = template.relative() * scale
    return shown, shown + comparison.relative * scale


def _cosine(one: Floats, other: Floats) -> float:
    size = math.sqrt(float(np.square(one).sum() * np.square(other).sum()))
    return float((one * other).sum()) / size if size > 1e-9 else 0.0
