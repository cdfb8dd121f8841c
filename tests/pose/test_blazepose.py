"""What lies between BlazePose's networks: where to look, what the tensors say, smoothing."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.pose.blazepose import decoding, detection
from services.pose.blazepose.region import Region, around, whole
from services.pose.blazepose.smoothing import IMAGE, OneEuro, Smoothing
from services.pose.blazepose.width import Width

places = st.floats(-500, 1500)
turns = st.floats(-math.pi, math.pi)


@given(places, places, st.floats(20, 900), turns)
def test_a_region_lies_around_the_points_that_tell_it(x: float, y: float, reach: float, turn: float) -> None:
    hips = np.array([x, y], np.float32)
    rim = hips + np.float32(reach) * np.array([math.sin(turn), -math.cos(turn)], np.float32)
    region = around(hips, rim)
    upright = region.to_image(np.array([[0.5, 0.5], [0.5, 0.5 - 0.5 / 1.25]], np.float32))
    np.testing.assert_allclose(upright, [hips, rim], atol=1e-3 * (reach + abs(x) + abs(y)))


@given(st.integers(30, 290), st.integers(30, 210), st.floats(60, 400), turns)
def test_a_cut_shows_what_lies_where_its_points_say(x: int, y: int, side: float, turn: float) -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    image[y - 12 : y + 13, x - 12 : x + 13] = 255
    region = Region(160, 120, side, turn)
    cut = region.cut(image, 128)
    rows, columns = np.nonzero(cut[:, :, 0] > 127)
    if 0 in rows or 0 in columns or 127 in rows or 127 in columns or not len(rows):
        return  # in part outside
    middle = np.array([[columns.mean() / 128, rows.mean() / 128]], np.float32)
    np.testing.assert_allclose(region.to_image(middle), [[x, y]], atol=1.5 * max(1.0, side / 128))


def test_beyond_the_image_a_cut_is_black() -> None:
    cut = whole(320, 240).cut(np.full((240, 320, 3), 255, np.uint8), 64)
    assert cut[8:56].min() == 255
    assert cut[:7].max() == cut[57:].max() == 0


@given(places, places, st.floats(1, 500), places, places, st.floats(1, 500))
def test_overlap_is_a_share_that_both_agree_on(
    x: float, y: float, side: float, u: float, v: float, other: float
) -> None:
    one, two = Region(x, y, side, 0), Region(u, v, other, 1)
    assert 0 <= one.overlap(two) <= 1 + 1e-9
    assert math.isclose(one.overlap(two), two.overlap(one), abs_tol=1e-9)
    assert math.isclose(one.overlap(one), 1, rel_tol=1e-6)


def test_half_a_square_aside_shares_a_third() -> None:
    assert math.isclose(Region(0, 0, 2, 0).overlap(Region(1, 0, 2, 0)), 1 / 3)
    assert math.isclose(Region(0, 0, 4, 0).overlap(Region(0, 0, 2, 0)), 1 / 4), "one within the other"


def test_anchors_say_the_same_of_one_person_and_different_things_of_two() -> None:
    boxes = np.zeros((len(detection.ANCHORS), 12), np.float32)
    scores = np.full(len(detection.ANCHORS), -100, np.float32)
    for target, sure in (((0.25, 0.5), 2.0), ((0.75, 0.5), 1.0)):
        near = np.argsort(np.linalg.norm(detection.ANCHORS - target, axis=1))[:5]
        scores[near] = sure
        off = (np.array(target, np.float32) - detection.ANCHORS[near]) * detection.SIZE
        boxes[near, :2] = boxes[near, 4:6] = off
        boxes[near, 2:4] = 0.2 * detection.SIZE
        boxes[near, 6:8] = off + np.array([0, -0.3 * detection.SIZE], np.float32)
    first, second = detection.persons(boxes, scores)
    np.testing.assert_allclose(first.hips, [0.25, 0.5], atol=1e-5)
    np.testing.assert_allclose(second.rim, [0.75, 0.2], atol=1e-5)
    assert first.score > second.score > 0.5
    assert detection.persons(boxes, scores - 3) == []


def refined_by_hand(x: float, y: float, heat: np.ndarray) -> tuple[float, float]:
    """The centre of the heat around a point, cell by cell."""
    column, row = int(x * 64), int(y * 64)
    if not (0 <= column < 64 and 0 <= row < 64):
        return x, y
    cells = [
        (r, c, 1 / (1 + math.exp(-float(heat[r, c]))))
        for r in range(max(0, row - 3), min(64, row + 4))
        for c in range(max(0, column - 3), min(64, column + 4))
    ]
    if max(value for _, _, value in cells) < 0.5:
        return x, y
    total = sum(value for _, _, value in cells)
    return sum(c * v for _, c, v in cells) / total / 64, sum(r * v for r, _, v in cells) / total / 64


@given(st.integers(0, 2**32 - 1))
def test_landmarks_move_to_the_centre_of_the_heat_around_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    raw = rng.uniform(-40, 300, (39, 5)).astype(np.float32)
    heat = rng.normal(-4, 3, (64, 64, 39)).astype(np.float32)
    square = decoding.decode(raw.reshape(-1), heat, rng.normal(size=117).astype(np.float32))
    for number in range(decoding.POINTS):
        x, y = (float(value) / 256 for value in raw[number, :2])
        if -1 < x * 64 < 0 or -1 < y * 64 < 0:
            continue  # the cell of a point just outside is cut off towards 0
        expected = refined_by_hand(x, y, heat[:, :, number])
        np.testing.assert_allclose(square.points[number, :2], expected, atol=1e-5)
    np.testing.assert_allclose(square.points[:, 2], raw[:35, 2] / 256, rtol=1e-6)
    assert square.visibility.shape == square.presence.shape == (33,)
    assert ((square.visibility >= 0) & (square.visibility <= 1)).all()


def test_what_rests_stays_and_what_moves_is_followed_the_closer_the_faster() -> None:
    still = OneEuro(IMAGE)
    for _ in range(5):
        assert still.smooth(np.array([7.0], np.float32), 1 / 30, 300).tolist() == [7.0]
    lags = []
    for speed in (10.0, 1000.0):
        moving = OneEuro(IMAGE)
        lag = 0.0
        for step in range(60):
            true = speed * step / 30
            lag = true - float(moving.smooth(np.array([true], np.float32), 1 / 30, 300)[0])
        lags.append(lag / speed)
    assert lags[1] < lags[0] / 5


@given(st.floats(0.1, 50), st.integers(0, 2**32 - 1))
def test_smoothing_knows_no_size(scale: float, seed: int) -> None:
    """A person twice as large in the image is smoothed as one that is small."""
    steps = np.random.default_rng(seed).normal(0, 20, (20, 4)).astype(np.float32)
    small, large = OneEuro(IMAGE), OneEuro(IMAGE)
    for values in steps:
        seen = small.smooth(values, 0.04, 200)
        np.testing.assert_allclose(
            large.smooth(values * np.float32(scale), 0.04, 200 * scale),
            seen * scale,
            rtol=1e-3,
            atol=1e-2 * scale,
        )


def test_visibility_comes_slowly_and_the_first_is_taken_as_it_is() -> None:
    smoothing = Smoothing()
    points, world = np.zeros((33, 3), np.float32), np.zeros((33, 3), np.float32)
    first = smoothing.smooth(points, world, np.zeros(33, np.float32), 0.03, 100)[2]
    second = smoothing.smooth(points, world, np.ones(33, np.float32), 0.03, 100)[2]
    assert first.tolist() == [0.0] * 33
    np.testing.assert_allclose(second, 0.1, rtol=1e-6)


def chosen(
    width: Width, frames: int, *, wide_s: float, narrow_s: float, together: bool = False
) -> list[bool]:
    """What was chosen for frames that take so long."""
    choices = []
    for _ in range(frames):
        wide = width.wide()
        choices.append(wide)
        width.took(wide_s if wide else narrow_s, wide=wide, together=together)
    return choices


def test_frames_are_done_in_the_way_that_is_quicker_and_the_other_is_tried_now_and_then() -> None:
    width = Width()
    free = chosen(width, 500, wide_s=0.004, narrow_s=0.007)
    assert 480 <= sum(free) < 500
    busy = chosen(width, 500, wide_s=0.016, narrow_s=0.009)
    assert busy[-100:].count(True) <= 2
    assert chosen(width, 1000, wide_s=0.004, narrow_s=0.007)[-100:].count(True) >= 97


def test_frames_that_come_together_each_have_one_core() -> None:
    width = Width()
    assert not any(chosen(width, 50, wide_s=0.004, narrow_s=0.007, together=True)[10:])
    for _ in range(50):  # they no longer do
        width.took(0.007, wide=False, together=False)
    assert any(chosen(width, 50, wide_s=0.004, narrow_s=0.007))


def test_a_first_frame_that_took_long_is_forgotten_within_a_few_tries() -> None:
    """It had a person to find, and its way was not taken again for half a minute."""
    width = Width()
    width.took(0.015, wide=width.wide(), together=False)
    chosen(width, 120, wide_s=0.005, narrow_s=0.009)
    assert chosen(width, 100, wide_s=0.005, narrow_s=0.009).count(True) >= 97
