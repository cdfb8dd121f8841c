"""Where joints stand, told from the pictures of cameras at an angle, and the faults that are seen by it."""

import math

import numpy as np
import pytest

from services.scoring.judging.elbows import flare
from services.scoring.judging.stance import ELBOWS, PLACED
from services.scoring.movement.landmarks import LANDMARKS, Floats, Landmark
from services.scoring.movement.pictures import Picture
from services.scoring.movement.stereo import ARM, DISTANCE, Placed, placed, placed_propped

L = Landmark
ROWS = np.array([False, True])


def standing() -> Floats:
    """(33, 3) left, up, forward of somebody who stands, leg lengths from the middle of the hips."""
    points = np.zeros((LANDMARKS, 3))
    for side, out in (("LEFT", 1.0), ("RIGHT", -1.0)):
        points[Landmark[f"{side}_SHOULDER"]] = 0.2 * out, 0.62, 0.0
        points[Landmark[f"{side}_HIP"]] = 0.13 * out, 0.0, 0.0
        points[Landmark[f"{side}_KNEE"]] = 0.17 * out, -0.5, 0.02
        points[Landmark[f"{side}_ANKLE"]] = 0.19 * out, -1.0, 0.0
        points[Landmark[f"{side}_FOOT_INDEX"]] = 0.25 * out, -1.06, 0.2
    return points


def squatting() -> Floats:
    """The same person at the bottom, knees over their feet; the hips have gone down and back."""
    points = standing()
    for side, out in (("LEFT", 1.0), ("RIGHT", -1.0)):
        points[Landmark[f"{side}_KNEE"]] = 0.26 * out, -0.12, 0.45
        points[Landmark[f"{side}_ANKLE"]] = 0.19 * out, -0.58, 0.22
        points[Landmark[f"{side}_FOOT_INDEX"]] = 0.25 * out, -0.64, 0.42
    return points


def picture(heading_deg: float, pose: Floats, *, believed_deg: float | None = None) -> Picture:
    """What a camera sees of somebody who stood and then took a pose, their hips having gone down and back as they did."""
    heading = math.radians(heading_deg)
    axes = np.array(
        [
            [math.cos(heading), 0.0, -math.sin(heading)],
            [0.0, 1.0, 0.0],
            [math.sin(heading), 0.0, math.cos(heading)],
        ]
    )
    moved = np.array([0.0, -1.0, 0.0]) - pose[[L.LEFT_ANKLE, L.RIGHT_ANKLE]].mean(axis=0)
    rows = []
    for points in (standing(), pose + moved):
        seen = points @ axes.T
        rows.append(seen[:, :2] / (1.0 - seen[:, 2:] / DISTANCE))
    image = np.array(rows)
    hips = image[:, [L.LEFT_HIP, L.RIGHT_HIP]].mean(axis=1)
    points = image - hips[:, None]
    believed = heading if believed_deg is None else math.radians(believed_deg)
    return Picture(believed, points, np.ones(LANDMARKS, dtype=np.bool_), points[0], hips - hips[0])


def seen_by(*headings: float, pose: Floats) -> Placed:
    """A pose placed by cameras that see it from there."""
    found = placed(tuple(picture(heading, pose) for heading in headings), ROWS)
    assert found is not None
    return found


@pytest.mark.parametrize("headings", [(30.0, 90.0), (-30.0, 30.0), (0.0, 120.0, -90.0)])
def test_joints_are_found_where_they_stand(headings: tuple[float, ...]) -> None:
    found = seen_by(*headings, pose=squatting())
    for mark in (L.LEFT_KNEE, L.RIGHT_KNEE, L.LEFT_ANKLE, L.RIGHT_ANKLE):
        assert found[mark] == pytest.approx(squatting()[mark], abs=0.01)


def test_headings_that_are_both_off_are_put_right_by_the_standing_body() -> None:
    pictures = (
        picture(30.0, squatting(), believed_deg=24.0),
        picture(90.0, squatting(), believed_deg=84.0),
    )
    found = placed(pictures, ROWS)
    assert found is not None
    assert found[L.LEFT_KNEE] == pytest.approx(squatting()[L.LEFT_KNEE], abs=0.02)


@pytest.mark.parametrize("headings", [(30.0,), (30.0, 50.0), (10.0, -170.0)])
def test_cameras_that_look_the_same_way_cannot_tell(headings: tuple[float, ...]) -> None:
    assert placed(tuple(picture(heading, squatting()) for heading in headings), ROWS) is None


def test_a_camera_of_unknown_direction_is_left_out() -> None:
    pictures = (picture(30.0, squatting()), picture(90.0, squatting(), believed_deg=math.nan))
    assert placed(pictures, ROWS) is None


def excess(exercise: str, part: str, pose: Floats) -> float:
    placing = next(one for one in PLACED[exercise] if one.stand.part == part)
    return placing.excess(seen_by(30.0, 90.0, pose=pose))


@pytest.mark.parametrize("toes", [0.19, 0.25, 0.32])
def test_knees_inside_the_toes_are_a_fault_and_knees_over_them_none(toes: float) -> None:
    """Perfect squats with the feet straight ahead were told that their knees fall in."""
    over, inwards = squatting(), squatting()
    for pose, knees in ((over, toes), (inwards, toes - 0.08)):
        pose[[L.LEFT_KNEE, L.RIGHT_KNEE], 0] = knees, -knees
        pose[[L.LEFT_FOOT_INDEX, L.RIGHT_FOOT_INDEX], 0] = toes, -toes
    assert excess("squat", "knees", over) < 0.5
    assert excess("squat", "knees", inwards) > 1.0


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_weight_to_either_side_is_a_fault(side: float) -> None:
    aside = squatting()
    aside[[L.LEFT_KNEE, L.RIGHT_KNEE, L.LEFT_ANKLE, L.RIGHT_ANKLE], 0] += 0.06 * side
    assert excess("squat", "hips", squatting()) < 0.5
    assert excess("squat", "hips", aside) > 1.0


def test_what_no_picture_shows_is_no_fault() -> None:
    pose = squatting()
    pictures = []
    for heading in (30.0, 90.0):
        one = picture(heading, pose)
        one.points[:, L.LEFT_KNEE] = 0.0
        pictures.append(one)
    found = placed(tuple(pictures), ROWS)
    assert found is not None
    knees = next(one for one in PLACED["squat"] if one.stand.part == "knees")
    assert math.isnan(knees.excess(found))


def propped(flare_deg: float, elbow_deg: float, *, wide: float = 0.05) -> Floats:
    """(33, 3) somebody on their hands, arm lengths: across, up, towards the head; the arms bend that far from the trunk and
    by so many degrees, hands `wide` outside the shoulders.
    """
    points = np.zeros((LANDMARKS, 3))
    height = math.cos(math.radians(elbow_deg / 2))
    bend = 0.5 * math.sin(math.radians(elbow_deg / 2))
    flare = math.radians(flare_deg)
    for side, out in (("LEFT", 1.0), ("RIGHT", -1.0)):
        shoulder = np.array([0.35 * out, height, 0.0])
        wrist = np.array([(0.35 + wide) * out, 0.0, 0.0])
        points[Landmark[f"{side}_SHOULDER"]], points[Landmark[f"{side}_WRIST"]] = shoulder, wrist
        elbow = 0.5 * (shoulder + wrist) + bend * np.array([out * math.sin(flare), 0.0, -math.cos(flare)])
        points[Landmark[f"{side}_ELBOW"]] = elbow
        points[Landmark[f"{side}_HIP"]] = 0.2 * out, 0.85 * height, -0.95
        points[Landmark[f"{side}_ANKLE"]] = 0.15 * out, 0.15, -2.3
    return points


def lying(heading_deg: float, pose: Floats) -> Picture:
    """What a camera, with DISTANCE to the shoulders, sees of somebody who lowers themselves from straight arms into a pose."""
    heading = math.radians(heading_deg)
    cos, sin = math.cos(heading), math.sin(heading)
    axes = np.array([[cos, 0.0, -sin], [0.0, 1.0, 0.0], [sin, 0.0, cos]])
    seen = np.stack([propped(45.0, 0.0), pose]) @ axes.T
    image = seen[..., :2] / (1.0 - seen[..., 2:] * ARM / DISTANCE)
    rows = image[[0, 0, 0, 0, 1]]
    hips = rows[:, [L.LEFT_HIP, L.RIGHT_HIP]].mean(axis=1)
    points = rows - hips[:, None]
    return Picture(heading, points, np.ones(LANDMARKS, dtype=np.bool_), points[0], hips - hips[0])


@pytest.mark.parametrize("headings", [(30.0, 90.0), (65.0, 125.0), (-65.0, -125.0), (-30.0, 30.0, 90.0)])
@pytest.mark.parametrize(
    ("flare_deg", "elbow_deg", "wide"), [(48.0, 98.0, 0.05), (72.0, 98.0, 0.2), (48.0, 60.0, -0.1)]
)
def test_how_far_elbows_flare_is_the_same_from_all_sides_however_wide_the_hands(
    headings: tuple[float, ...], flare_deg: float, elbow_deg: float, wide: float
) -> None:
    """Good push-ups were blamed in four of four, for what the reference's one camera guessed of depth."""
    pictures = tuple(lying(one, propped(flare_deg, elbow_deg, wide=wide)) for one in headings)
    found = placed_propped(pictures, np.array([False] * 4 + [True]))
    assert found is not None
    degrees, error = flare(found)
    assert degrees == pytest.approx(flare_deg, abs=4.0)
    assert error < ELBOWS.passes


def test_cameras_side_by_side_cannot_tell_how_far_elbows_flare() -> None:
    pictures = tuple(lying(heading, propped(72.0, 98.0)) for heading in (30.0, 45.0))
    assert placed_propped(pictures, np.array([False] * 4 + [True])) is None
