"""What one camera tells of knees and heels: by its picture, or not at all."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from services.scoring.judging.oneside import KNEE_AHEAD, Told, of_one_side
from services.scoring.judging.stance import HEELS, KNEES_IN
from services.scoring.movement.features import BONE, BONE_COUNT, feature_vectors
from services.scoring.movement.landmarks import LANDMARKS, Landmark
from services.scoring.movement.pictures import Picture
from services.scoring.reference.template import Phase


def picture(heading: float, *, wider: float) -> Picture:
    """Of a squat whose knees stand so much wider than the toes, leg lengths, half a leg ahead of the hips."""
    at = np.zeros((LANDMARKS, 3))
    at[[Landmark.LEFT_ANKLE, Landmark.RIGHT_ANKLE, Landmark.LEFT_HEEL, Landmark.RIGHT_HEEL], 1] = -1.0
    stood = at[:, :2].copy()
    for knee, toe, side in (
        (Landmark.LEFT_KNEE, Landmark.LEFT_FOOT_INDEX, 1.0),
        (Landmark.RIGHT_KNEE, Landmark.RIGHT_FOOT_INDEX, -1.0),
    ):
        at[knee] = (side * (0.2 + 0.5 * wider), 0.0, 0.5)
        at[toe] = (side * 0.2, -1.0, 0.2)
    low = np.stack((at[:, 0] * math.cos(heading) - at[:, 2] * math.sin(heading), at[:, 1]), axis=1)
    seen = np.ones(LANDMARKS, dtype=np.bool_)
    return Picture(heading, np.stack((low, low)), seen, stood, np.zeros((2, 2)))


def told(*pictures: Picture, exercise: str = "squat") -> dict[str, Told]:
    """By part of the body."""
    comparison: Any = SimpleNamespace(
        pictures=pictures, known=np.ones(1, dtype=np.bool_), user=np.array([[0.0], [1.0]])
    )
    template: Any = SimpleNamespace(
        exercise=exercise, axis=np.ones(1), phases=np.array([Phase.TURN, Phase.TURN])
    )
    return {one.stand.part: one for one in of_one_side(comparison, template)}


def lunge(heading: float, outside: float) -> Told:
    """With the left foot ahead, and its knee so far outside its ankle."""
    at = np.zeros((LANDMARKS, 2))
    at[[Landmark.LEFT_ANKLE, Landmark.RIGHT_ANKLE], 1] = -1.0
    low = at.copy()
    low[Landmark.LEFT_KNEE, 0] = outside * math.cos(heading) - KNEE_AHEAD[0] * math.sin(heading)
    seen = np.ones(LANDMARKS, dtype=np.bool_)
    shown = Picture(heading, np.stack((low, low)), seen, at, np.zeros((2, 2)))
    bones = np.zeros((BONE_COUNT, 3))
    bones[:, 1] = 1.0
    bones[[BONE["hips"], BONE["shoulders"]]] = (1.0, 0.0, 0.0)
    bones[[BONE["left_thigh"], BONE["right_thigh"]]] = ((0.0, -0.6, 0.8), (0.0, -0.6, -0.8))
    user = np.stack((feature_vectors(bones[None])[0],) * 2)
    comparison: Any = SimpleNamespace(pictures=(shown,), known=np.ones(60, dtype=np.bool_), user=user)
    template: Any = SimpleNamespace(
        exercise="lunge", axis=np.zeros(60), phases=np.array([Phase.TURN, Phase.TURN])
    )
    (one,) = of_one_side(comparison, template)
    return one


@pytest.mark.parametrize("degrees", [0, 30, -40, 160])
@pytest.mark.parametrize(("wider", "fault"), [(0.0, False), (-0.03, False), (-0.12, True)])
def test_knees_inside_the_toes_are_a_fault_in_one_picture_from_in_front_or_behind(
    degrees: float, wider: float, fault: bool
) -> None:
    assert (told(picture(math.radians(degrees), wider=wider))["knees"].excess > 1.0) is fault


def test_from_the_side_knees_and_heels_are_unknown() -> None:
    """One camera at the side blamed every good squat for both."""
    beside = told(picture(math.radians(80), wider=-0.12))
    assert math.isnan(beside[KNEES_IN.part].excess)
    assert math.isnan(beside[HEELS.part].excess)


def test_two_cameras_at_an_angle_tell_it_by_places_in_the_room() -> None:
    assert not told(picture(0.0, wider=-0.12), picture(math.radians(70), wider=-0.12))
    assert not told(picture(0.0, wider=-0.12), exercise="curl")


@pytest.mark.parametrize(("outside", "fault"), [(0.03, False), (-0.05, True)])
def test_a_lunges_front_knee_is_half_told_by_one_picture(outside: float, fault: bool) -> None:
    """Good lunges were blamed for a knee by a guess of depth that differs between people."""
    seen = lunge(math.radians(28), outside)
    assert seen.half
    assert (seen.excess > 1.0) is fault
    assert math.isnan(lunge(math.radians(60), outside).excess)
