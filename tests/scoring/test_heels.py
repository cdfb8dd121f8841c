"""Heels that leave the floor in a squat, told by how far they rise in the pictures."""

import math

import numpy as np
import pytest

from services.scoring.judging.stance import heels_up
from services.scoring.movement.landmarks import LANDMARKS, Landmark
from services.scoring.movement.pictures import Picture

HEELS = [Landmark.LEFT_HEEL, Landmark.RIGHT_HEEL]
ANKLES = [Landmark.LEFT_ANKLE, Landmark.RIGHT_ANKLE]
ROWS = np.array([False, True])


def picture(rise: float, *, seen: bool = True) -> Picture:
    """Hips that sink by half a leg while the heels rise by so much of one."""
    stood = np.zeros((LANDMARKS, 2))
    stood[ANKLES, 1], stood[HEELS, 1] = -1.0, -1.05
    low = stood + np.array([0.0, 0.5])
    low[HEELS, 1] += rise
    marks = np.full(LANDMARKS, seen)
    return Picture(0.5, np.stack((stood, low)), marks, stood, np.array([[0.0, 0.0], [0.0, -0.5]]))


@pytest.mark.parametrize(("rise", "fault"), [(0.0, False), (0.02, False), (0.045, True)])
def test_heels_that_rise_are_a_fault_and_heels_that_stay_down_none(rise: float, fault: bool) -> None:
    assert (heels_up((picture(rise), picture(rise)), ROWS) > 1.0) is fault


def test_heels_that_no_picture_shows_are_unknown() -> None:
    assert math.isnan(heels_up((picture(0.1, seen=False),), ROWS))
