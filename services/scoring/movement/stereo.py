"""Where a person's points stand in the room, from the pictures of cameras at an angle to each other; uncalibrated.

Each picture tells how far a point is aside and how high, to a few per cent of a leg; where the camera stands is known from
what it saw of a standing body. Two such directions, some 40 degrees apart, give the place without anybody's guess of depth.

A picture shows what is nearer larger: a camera that stands D away shows a point at x, z nearer than the hips began, at
q = x / (1 - z / D). Where D is taken as known, that is x + q z / D = q, linear in the point's place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.movement.landmarks import LANDMARKS, Bools, Floats, Landmark
from services.scoring.movement.pictures import Picture

DISTANCE: Final = 4.3
"""From a camera to the person, leg lengths: 3 to 4 m, which shows a whole body. Half of it or twice it moves a knee that is
half a leg in front by 2 to 3 % of a leg."""
PICTURE: Final = 0.015
"""Standard error of a landmark within a picture, leg lengths."""
HIDDEN: Final = 0.05
"""… of one that is not visible: the pose model goes by the rest of the body."""
APART: Final = 0.25
"""Smallest eigenvalue of the cameras' information about a place, one camera's being 1: directions 41 to 139 degrees apart."""
STANDING: Final = 0.8
"""Who stands at the start has a leg of at least so many trunks under them."""
PROPPED: Final = 0.5
"""Who is propped up on straight arms at the start has their shoulders at least so many trunks above their wrists."""
ARM: Final = 0.65
"""From shoulder to wrist, leg lengths."""
APART_LYING: Final = 0.06
"""As `APART`, of somebody who lies: 20 degrees. A pose model shows 60 as 30 to 55 there."""
_L = Landmark
_HIPS: Final = [_L.LEFT_HIP, _L.RIGHT_HIP]
_ANKLES: Final = [_L.LEFT_ANKLE, _L.RIGHT_ANKLE]
_SHOULDERS: Final = [_L.LEFT_SHOULDER, _L.RIGHT_SHOULDER]
_WRISTS: Final = [_L.LEFT_WRIST, _L.RIGHT_WRIST]
_START_ROWS: Final = 4
_LINES: Final = (
    (_L.LEFT_SHOULDER, _L.RIGHT_SHOULDER),
    (_L.LEFT_HIP, _L.RIGHT_HIP),
    (_L.LEFT_KNEE, _L.RIGHT_KNEE),
    (_L.LEFT_ANKLE, _L.RIGHT_ANKLE),
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A pose in the room."""

    points: Floats
    """(33, 3) leg lengths (`placed_propped`: arm lengths) from the middle of the hips: to the person's left, up, forward.
    What their left is, they show where the movement starts."""
    covariance: Floats
    """(33, 2, 2) of left and forward, in the same lengths squared; infinite where no picture shows the point."""

    def __getitem__(self, mark: Landmark) -> Floats:
        """(3,) a landmark."""
        out: Floats = self.points[mark]
        return out


def shows_place(pictures: tuple[Picture, ...], rows: Bools) -> bool:
    """Whether `placed` can tell, which takes much longer."""
    return _information(_of_standing(pictures)) >= APART and bool(rows.any())


def _of_standing(pictures: tuple[Picture, ...]) -> tuple[Picture, ...]:
    return tuple(one for one in pictures if math.isfinite(one.heading) and leg(one) >= STANDING)


def placed(pictures: tuple[Picture, ...], rows: Bools) -> Placed | None:
    """The mean pose of some rows (n,); None: the pictures cannot tell."""
    if not shows_place(pictures, rows):
        return None
    pictures = _of_standing(pictures)
    own = _own_left(_solved(pictures, [one.stood / leg(one) for one in pictures]).points)
    return _turned(_solved(pictures, [_mean(one, rows) / leg(one) for one in pictures]), own)


def placed_propped(pictures: tuple[Picture, ...], rows: Bools) -> Placed | None:
    """The same of somebody who lies on straight arms where the movement starts, as in a push-up; None: it cannot be told.

    Lengths are arms', which are upright then, so that all cameras show them alike; the trunk's and legs' they do not. Left
    and forward are as the headings have them: only where points stand to each other is told.
    """
    pictures = tuple(one for one in pictures if math.isfinite(one.heading) and _arm(one) >= PROPPED)
    if _information(pictures) < APART_LYING or not rows.any():
        return None
    start = np.arange(len(rows)) < _START_ROWS
    at = [(_mean(one, rows) - _mean(one, start)[_SHOULDERS].mean(axis=0)) / _arm(one) for one in pictures]
    return _solved(pictures, at, DISTANCE / ARM)


def _information(pictures: tuple[Picture, ...]) -> float:
    """Of the cameras about a place, in the direction they show least; that of one camera about what it shows is 1."""
    aside = np.array([(math.cos(one.heading), -math.sin(one.heading)) for one in pictures])
    return float(np.linalg.eigvalsh(aside.T @ aside)[0]) if len(pictures) > 1 else 0.0


def _mean(picture: Picture, rows: Bools) -> Floats:
    """(33, 2) points of some rows (n,), trunk lengths from where the middle of the hips began."""
    out: Floats = picture.points[rows].mean(axis=0) + picture.hips[rows].mean(axis=0)
    return out


def _arm(picture: Picture) -> float:
    """How far the shoulders were above the wrists where the movement starts, trunk lengths."""
    start = picture.points[:_START_ROWS].mean(axis=0)
    return float((start[_SHOULDERS, 1] - start[_WRISTS, 1]).mean())


def leg(picture: Picture) -> float:
    """How far the ankles were below the hips before the movement, trunk lengths."""
    return -float(picture.stood[_ANKLES, 1].mean())


def _solved(pictures: Sequence[Picture], points: Sequence[Floats], distance: float = DISTANCE) -> Placed:
    """Least squares over all pictures' points (33, 2), every landmark by itself, axes as the headings have them. `distance`:
    to the person, in the points' unit.
    """
    information, seen = np.zeros((LANDMARKS, 2, 2)), np.zeros((LANDMARKS, 2))
    near, high = [], []
    for one, at in zip(pictures, points, strict=True):
        cos, sin = math.cos(one.heading), math.sin(one.heading)
        near.append((sin / distance, cos / distance))
        high.append(at[:, 1])
        towards = np.stack((cos + at[:, 0] * near[-1][0], -sin + at[:, 0] * near[-1][1]), axis=1)
        error = np.where(one.seen, PICTURE, HIDDEN) * distance / DISTANCE
        sure = error**-2.0 * one.points.any(axis=(0, 2))
        information += sure[:, None, None] * towards[:, :, None] * towards[:, None, :]
        seen += (sure * at[:, 0])[:, None] * towards
    known = np.linalg.det(information) > 1.0
    covariance = np.full((LANDMARKS, 2, 2), np.inf)
    covariance[known] = np.linalg.inv(information[known])
    floor = np.zeros((LANDMARKS, 2))
    floor[known] = (covariance[known] @ seen[known][:, :, None])[:, :, 0]
    up = np.mean([y * (1.0 - floor @ to) for y, to in zip(high, near, strict=True)], axis=0)
    placed_at = np.stack((floor[:, 0], up, floor[:, 1]), axis=1)
    return Placed(placed_at - placed_at[_HIPS].mean(axis=0), covariance)


def _own_left(points: Floats) -> float:
    """Angle by which the person's own left lies ahead of what the headings make it, radians: that of the middle lines."""
    lines = np.array([points[left] - points[right] for left, right in _LINES])
    return float(np.median(np.arctan2(lines[:, 2], lines[:, 0])))


def _turned(pose: Placed, angle: float) -> Placed:
    """The same seen from where left is `angle` further ahead."""
    cos, sin = math.cos(angle), math.sin(angle)
    flat = np.array([[cos, sin], [-sin, cos]])
    points = pose.points.copy()
    points[:, [0, 2]] = points[:, [0, 2]] @ flat.T
    known = np.isfinite(pose.covariance).all(axis=(1, 2))
    covariance = pose.covariance.copy()
    covariance[known] = flat @ covariance[known] @ flat.T
    return Placed(points, covariance)
