"""What each camera's picture showed of a movement: points in its plane, which are seen well where depth is guessed.

A pose model finds a wrist within its picture to a few per cent of a trunk; how far it lies towards the camera it can only
guess, and guesses the usual. So what shows in a picture (how high, how far aside, how far leaned) is better measured there,
in a camera that stands where it shows (`judging/pictured.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from services.scoring.movement.landmarks import Bools, Floats
from services.scoring.movement.outline import hips_and_trunk
from services.scoring.movement.smoothing import fill_gaps, lowpass, resample

VISIBLE: Final = 0.5
"""Landmarks less visible than this are hidden, not seen."""
SEEN_SHARE: Final = 0.5
"""A camera, or a landmark of it, counts if it was seen in this share of the frames."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one camera's picture showed at one instant."""

    camera_id: str
    heading: float
    """Direction the person is seen from as far as is known, radians, see `views.heading`; NaN: unknown."""
    image_px: Floats
    """(33, 2) as in `View`."""
    visibility: Floats
    """(33,)"""


@dataclass(frozen=True, slots=True)
class Picture:
    """A movement in one camera's picture."""

    heading: float
    """As in `Sight`."""
    points: Floats
    """(rows, 33, 2) trunk lengths from the middle of the hips, x to the picture's right, y up; 0 where never seen."""
    seen: Bools
    """(33,)"""
    hips: Floats
    """(rows, 2) where their middle is in the picture, from where it began, in the same lengths."""

    def at(self, rows: Floats) -> Picture:
        """The same at other, fractional rows."""
        count = len(self.points)
        low = np.clip(np.floor(rows).astype(np.int64), 0, count - 1)
        high = np.minimum(low + 1, count - 1)
        share = (rows - low)[:, None, None]
        points = (1.0 - share) * self.points[low] + share * self.points[high]
        share = share[:, 0]
        return replace(self, points=points, hips=(1.0 - share) * self.hips[low] + share * self.hips[high])


def picture_of(image: Floats, heading: float, seen: Bools) -> Picture:
    """From pixels (rows, 33, 2), y down, without gaps. A trunk is as long as it mostly shows."""
    hips, trunk = hips_and_trunk(image)
    up = np.array([1.0, -1.0]) / max(float(np.median(trunk)), 1.0)
    return Picture(heading, (image - hips[:, None]) * up, seen, (hips - hips[0]) * up)


def pictures_of(
    times_s: Floats, sights: Sequence[tuple[Sight, ...]], at_s: Floats, rate_hz: float
) -> tuple[Picture, ...]:
    """Of every camera that saw most of it, at even instants `at_s`. `sights`: of each instant in `times_s`."""
    cameras: dict[str, list[tuple[float, Sight]]] = {}
    for at, some in zip(times_s, sights, strict=True):
        for one in some:
            cameras.setdefault(one.camera_id, []).append((at, one))
    found = []
    for mine in cameras.values():
        if len(mine) < max(3.0, SEEN_SHARE * len(times_s)) or math.isnan(mine[-1][1].heading):
            continue
        image = np.stack([one.image_px for _, one in mine])
        visible = np.stack([one.visibility for _, one in mine]) >= VISIBLE
        seen = (visible & np.isfinite(image).all(axis=2)).mean(axis=0) >= SEEN_SHARE
        when = np.array([at for at, _ in mine])
        smooth = lowpass(resample(when, fill_gaps(when, image), at_s), rate_hz)
        found.append(picture_of(smooth, mine[-1][1].heading, seen))
    return tuple(found)
