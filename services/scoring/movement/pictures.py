"""What each camera's picture showed of a movement: points in its plane, which are seen well where depth is guessed.

A pose model finds a wrist within its picture to a few per cent of a trunk; how far it lies towards the camera it can only
guess, and guesses the usual. So what shows in a picture (how high, how far aside, how far leaned) is better measured there,
in a camera that stands where it shows (`judging/pictured.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from services.scoring.movement.landmarks import Bools, Floats, Landmark
from services.scoring.movement.outline import hips_and_trunk
from services.scoring.movement.smoothing import fill_gaps, lowpass, resample

VISIBLE: Final = 0.5
"""Landmarks less visible than this are hidden, not seen."""
SEEN_SHARE: Final = 0.5
"""A camera, or a landmark of it, counts if it was seen in this share of the frames."""
TALLEST: Final = 0.98
"""Who stands has legs of this share of the length that they have at most."""
_HIPS: Final = [Landmark.LEFT_HIP, Landmark.RIGHT_HIP]
_ANKLES: Final = [Landmark.LEFT_ANKLE, Landmark.RIGHT_ANKLE]


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
    stood: Floats
    """(33, 2) the same points before the movement began."""
    hips: Floats
    """(rows, 2) where their middle is in the picture, from where it was then, in the same lengths."""

    def at(self, rows: Floats) -> Picture:
        """The same at other, fractional rows."""
        count = len(self.points)
        low = np.clip(np.floor(rows).astype(np.int64), 0, count - 1)
        high = np.minimum(low + 1, count - 1)
        share = (rows - low)[:, None, None]
        points = (1.0 - share) * self.points[low] + share * self.points[high]
        share = share[:, 0]
        return replace(self, points=points, hips=(1.0 - share) * self.hips[low] + share * self.hips[high])


def picture_of(image: Floats, heading: float, seen: Bools, stood: Floats | None = None) -> Picture:
    """From pixels (rows, 33, 2), y down, without gaps; `stood` (33, 2): as before the movement, its first row if None.

    A trunk is as long as it mostly shows.
    """
    hips, trunk = hips_and_trunk(image)
    before = image[0] if stood is None else stood
    began, _ = hips_and_trunk(before)
    up = np.array([1.0, -1.0]) / max(float(np.median(trunk)), 1.0)
    return Picture(heading, (image - hips[:, None]) * up, seen, (before - began) * up, (hips - began) * up)


def _stood(image: Floats) -> Floats:
    """(33, 2) how the person stood, of some moments (n, 33, 2): in those in which the legs are longest."""
    legs = image[:, _ANKLES, 1].mean(axis=1) - image[:, _HIPS, 1].mean(axis=1)
    longest = float(legs.max())  # below 0: somebody who lies with their feet away from the camera
    out: Floats = np.median(image[legs >= longest - (1.0 - TALLEST) * abs(longest)], axis=0)
    return out


def pictures_of(
    times_s: Floats,
    sights: Sequence[tuple[Sight, ...]],
    at_s: Floats,
    rate_hz: float,
    before: Iterable[tuple[Sight, ...]] = (),
) -> tuple[Picture, ...]:
    """Of every camera that saw most of it, at even instants `at_s`. `sights`: of each instant in `times_s`; `before`: of
    the moments just before them, in which the movement began.
    """
    earlier: dict[str, list[Floats]] = {}
    for one in (one for some in before for one in some if np.isfinite(one.image_px).all()):
        earlier.setdefault(one.camera_id, []).append(one.image_px)
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
        stood = _stood(np.stack([*earlier.get(mine[0][1].camera_id, ()), smooth[0]]))
        found.append(picture_of(smooth, mine[-1][1].heading, seen, stood))
    return tuple(found)
