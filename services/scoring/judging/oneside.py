"""What faults of squats and lunges are told by where no two cameras stand at an angle, mostly because there is one only.

Bones go by depth, which one camera guesses: by them the knees of good squats fall in, since people's guesses differ by more
than the fault. Within a picture from in front or behind it is plain, since what both legs have in common falls out. Heels
rise in it too, but to less than half of what they do from the side; bones err otherwise, so that the mean of both tells.
From the side neither is known: heels seem to rise in good squats, too. The front knee of a lunge is half told by its picture
too, since how far it is ahead of its ankle hardly differs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.advice.knowledge import canonical
from services.scoring.judging.comparison import Comparison
from services.scoring.judging.measures import Body
from services.scoring.judging.stance import (
    FRONT_KNEE_IN,
    HEELS,
    KNEES_IN,
    KNEES_OVER_TOES,
    Stand,
    far_end,
    heels_up,
)
from services.scoring.movement.landmarks import Bools, Landmark
from services.scoring.movement.pictures import Picture
from services.scoring.movement.stereo import PICTURE, STANDING, leg, shows_place
from services.scoring.reference.template import Template

ASKEW: Final = 0.05
"""Standard deviation of how much further one knee is ahead of its toes than the other, leg lengths: a picture from aside
takes it for width."""
KNEE_AHEAD: Final = (0.165, 0.06)
"""How far the front knee of a lunge is ahead of its ankle and how much people differ, leg lengths as a picture shows them."""
_L = Landmark
_MARKS: Final = list(KNEES_OVER_TOES)


@dataclass(frozen=True, slots=True)
class Told:
    """How far a repetition goes towards a fault."""

    stand: Stand
    excess: float
    """1 at the limit; NaN: unknown, whatever bones say."""
    half: bool = False
    """Whether it is no surer than bones, so that the mean of both tells."""


def of_one_side(comparison: Comparison, template: Template) -> tuple[Told, ...]:
    """Knees and heels of a squat, the front knee of a lunge; none: they are told otherwise."""
    rows = far_end(comparison, template)
    pictures = tuple(
        one for one in comparison.pictures if math.isfinite(one.heading) and leg(one) >= STANDING
    )
    exercise = canonical(template.exercise)
    if exercise not in ("squat", "lunge") or not pictures or not rows.any():
        return ()
    if shows_place(comparison.pictures, rows):
        return ()
    if exercise == "lunge":
        outside = _front_knee_outside(pictures, rows, comparison)
        return (Told(FRONT_KNEE_IN, FRONT_KNEE_IN.excess(outside), half=True),)
    wider = [_knees_wider(one, rows) for one in pictures if _shows_width(one)]
    if not wider:
        return (Told(KNEES_IN, math.nan), Told(HEELS, math.nan))
    knees = KNEES_IN.excess(float(np.mean(wider)))
    heels = heels_up(pictures, rows)
    return (Told(KNEES_IN, max(0.0, knees)), Told(HEELS, max(0.0, heels), half=True))


def _shows_width(picture: Picture) -> bool:
    """Whether it is seen from in front or behind so far (some 47 degrees) that legs which are not quite even do not tell."""
    across, ahead = math.cos(picture.heading), math.sin(picture.heading)
    error = math.hypot(math.sqrt(len(_MARKS)) * PICTURE, ASKEW * ahead)
    return bool(picture.seen[_MARKS].all()) and error <= abs(KNEES_IN.passes * across)


def _front_knee_outside(pictures: tuple[Picture, ...], rows: Bools, comparison: Comparison) -> float:
    """How far it stands outside its ankle, leg lengths; NaN: no picture shows it."""
    body = Body(comparison.user[rows], comparison.user[0])
    left = float((body.ankle("left") - body.ankle("right"))[:, 2].mean()) > 0.0
    knee, ankle = (_L.LEFT_KNEE, _L.LEFT_ANKLE) if left else (_L.RIGHT_KNEE, _L.RIGHT_ANKLE)
    ahead, spread = KNEE_AHEAD
    found = []
    for one in pictures:
        across, aside = math.cos(one.heading), math.sin(one.heading)
        if math.hypot(math.sqrt(2.0) * PICTURE, spread * aside) > abs(FRONT_KNEE_IN.passes * across):
            continue
        at = one.points[rows].mean(axis=0) / leg(one)
        found.append((float(at[knee, 0] - at[ankle, 0]) + aside * ahead) / across)
    return (1.0 if left else -1.0) * float(np.mean(found)) if found else math.nan


def _knees_wider(picture: Picture, rows: Bools) -> float:
    """By how much than the toes in some rows (n,), leg lengths, as far as the picture shows it."""
    at = picture.points[rows].mean(axis=0) / leg(picture)
    shown = sum(float(at[mark, 0]) * weight for mark, weight in KNEES_OVER_TOES.items())
    return shown / math.cos(picture.heading)
