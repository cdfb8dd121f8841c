"""Measures taken within the cameras' pictures, where a pose model sees well; `measures.py` needs depth too, which it guesses.

A camera in front shows how far arms go up and aside, one at the side how far the trunk leans. Each measure says how much of
it a picture from some direction shows; the pictures of a repetition are averaged by the square of that, which is by the
inverse of their variance. Where too little of it shows, it is
unknown, and no fault.

On the virtual gym through the pose model, one camera at 30 degrees: upper arms in a press stand 13 to 17 degrees from the
vertical at the top in good form and 33 to 39 in a partial one, whoever presses; the angles of its landmarks in space are
144 to 159 and 143 to 150.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.movement.landmarks import Floats, Landmark
from services.scoring.movement.pictures import Picture, picture_of
from services.scoring.reference.template import Template

LEAST_SHOWN: Final = 0.3
"""Of a measure, by a picture that counts: of a lean, one from 17 degrees beside the person's front shows so much."""
START_ROWS: Final = 4
"""Rows at either end of a repetition in which arms are down."""
_L = Landmark


@dataclass(frozen=True, slots=True)
class Pictured:
    """A number told of every row of a picture, in degrees unless said otherwise."""

    of: Callable[[Picture], Floats]
    shown: Callable[[float], float]
    """Share of it, -1 to 1, that a picture from such a heading shows (radians, see `views.heading`)."""
    marks: tuple[Landmark, ...]
    error: float
    """Standard error in one picture that shows all of it, between people and repetitions."""
    unit: str = "degrees"


@dataclass(frozen=True, slots=True)
class Shown:
    """What pictures say together."""

    value: float
    error: float
    """Standard error."""


def shown(measure: Pictured, pictures: Iterable[Picture], reduced: Callable[[Floats], float]) -> Shown | None:
    """What is made (`reduced`) of a measure's rows, by all pictures; None: too little of it shows."""
    weights = values = 0.0
    for picture in pictures:
        share = measure.shown(picture.heading)
        if abs(share) < LEAST_SHOWN or not picture.seen[list(measure.marks)].all():
            continue
        value = reduced(measure.of(picture))
        if math.isfinite(value):
            weights += share**2
            values += share**2 * value
    return Shown(values / weights, measure.error / math.sqrt(weights)) if weights > 0.0 else None


def picture_of_reference(template: Template) -> tuple[Picture, ...]:
    """The template's rows in its own camera's picture; none where that is not known."""
    if not math.isfinite(template.heading) or not len(template.ghost):
        return ()
    known = np.asarray(np.isfinite(template.ghost).all(axis=(0, 2)))
    return (picture_of(np.nan_to_num(template.ghost), template.heading, known),)


def _across(heading: float) -> float:
    """What goes to the person's left is seen at full length from the front, and the other way round from behind."""
    return math.cos(heading)


def _along(heading: float) -> float:
    """What goes forward points to the picture's left for who is seen from their left."""
    return -math.sin(heading)


def _middle(picture: Picture, one: Landmark, other: Landmark) -> Floats:
    out: Floats = 0.5 * (picture.points[:, one] + picture.points[:, other])
    return out


def _lean(picture: Picture) -> Floats:
    """(rows,) degrees by which the trunk leans forward."""
    trunk = _middle(picture, _L.LEFT_SHOULDER, _L.RIGHT_SHOULDER) - _middle(
        picture, _L.LEFT_HIP, _L.RIGHT_HIP
    )
    return _angle(trunk[:, 0], trunk[:, 1], _along(picture.heading))


def _angle(aside: Floats, up: Floats, share: float) -> Floats:
    """(rows,) degrees from the vertical of what shows `share` of how far it goes aside."""
    out: Floats = np.degrees(np.arctan2(math.copysign(1.0, share) * aside, abs(share) * up))
    return out


def _upper_arms(picture: Picture) -> tuple[Floats, Floats]:
    """(rows, 2) from the shoulder to the elbow, left and right."""
    at = picture.points
    left = at[:, _L.LEFT_ELBOW] - at[:, _L.LEFT_SHOULDER]
    return left, at[:, _L.RIGHT_ELBOW] - at[:, _L.RIGHT_SHOULDER]


def _arms_up(picture: Picture) -> Floats:
    """(rows,) degrees of the upper arms from hanging, to the sides. Both together, so that what they go forward and what the
    trunk leans falls out.
    """
    left, right = _upper_arms(picture)
    return _angle(left[:, 0] - right[:, 0], -(left[:, 1] + right[:, 1]), _across(picture.heading))


def _left_higher(picture: Picture) -> Floats:
    """(rows,) by how much more the left elbow is above its shoulder than the right one, trunk lengths.

    Where a camera looks down or is tilted, all that goes to the left rises or sinks: by as much as hips and shoulders do
    before the movement.
    """
    left, right = _upper_arms(picture)
    along, up = _across_body(picture)
    slope = along * up / max(along**2, 0.01)
    out: Floats = (left - right)[:, 1] - slope * (left - right)[:, 0]
    return out


def _across_body(picture: Picture) -> tuple[float, float]:
    """From right to left and upwards, trunk lengths: hips, and shoulders while the arms are down."""
    at = picture.points
    hips = at[:, _L.LEFT_HIP] - at[:, _L.RIGHT_HIP]
    shoulders = at[:, _L.LEFT_SHOULDER] - at[:, _L.RIGHT_SHOULDER]
    down = np.concatenate((shoulders[:START_ROWS], shoulders[-START_ROWS:]))
    along, up = (hips.mean(axis=0) + down.mean(axis=0)).tolist()
    return along, up


_TRUNK: Final = (_L.LEFT_SHOULDER, _L.RIGHT_SHOULDER, _L.LEFT_HIP, _L.RIGHT_HIP)
_ARMS: Final = (_L.LEFT_SHOULDER, _L.RIGHT_SHOULDER, _L.LEFT_ELBOW, _L.RIGHT_ELBOW)

PICTURED: Final[Mapping[str, Pictured]] = {
    "lean": Pictured(_lean, _along, _TRUNK, 1.0),
    "arms_up": Pictured(_arms_up, _across, _ARMS, 3.5),
    "left_higher": Pictured(_left_higher, _across, (*_ARMS, *_TRUNK), 0.01, "trunk lengths"),
}
