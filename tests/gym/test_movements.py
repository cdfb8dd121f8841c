"""Movements: they reach what their files ask, faults show, and bodies stay bodies."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from gym import GymError, Script, Section, Stage, movement, script
from gym.figure import figure
from gym.landmarks import INDEX as LANDMARK
from gym.person import person
from gym.pose import INDEX, STANDING, mirrored, with_values
from gym.posture import configure
from gym.skeleton import Configuration, Skeleton
from tests.gym.conftest import EVERY_FORM, stage

RATE = 40.0


def configurations(show: Stage, rate: float = RATE) -> Iterator[tuple[float, Skeleton, Configuration]]:
    """Bones over a whole script, at `rate` a second."""
    for i in range(int(show.timeline.duration * rate)):
        instant = show.timeline.instant(i / rate)
        if instant.person is not None:
            body = figure(instant.person)
            bones = configure(body, instant)
            assert bones is not None
            yield i / rate, body.skeleton, bones


def far_end(show: Stage, count: int = 0) -> float:
    """In the middle of a repetition's hold."""
    repetition = show.timeline.repetitions()[count]
    return (repetition.lowest + repetition.rise) / 2


def asked(name: str, fault: str | None, variable: str) -> float:
    m = movement.load(name)
    last = m.track["hold"][0][1]
    return float(m.keys({} if fault is None else {fault: 1.0})[last][INDEX[variable]])


@pytest.mark.parametrize(("name", "fault"), EVERY_FORM)
def test_the_truths_angles_reach_what_the_movements_file_asks(name: str, fault: str | None) -> None:
    show = stage(name, fault, variation=0.0)
    angles = show.truth(far_end(show)).angles
    m = movement.load(name)
    anchors = {"both": "lr", "left": "l", "right": "r"}[m.anchor]
    # Where the pelvis is tilted, the straighter leg has the flexion asked and the other bends more.
    flexions = [180 - angles[f"{'left' if side == 'l' else 'right'}_knee"] for side in anchors]
    assert min(flexions) == pytest.approx(asked(name, fault, f"knee_{anchors[0]}"), abs=1.5)
    if m.support != "forearms":
        for side, word in (("l", "left"), ("r", "right")):
            assert 180 - angles[f"{word}_elbow"] == pytest.approx(
                asked(name, fault, f"elbow_{side}"), abs=1.0
            )
    if m.support == "feet":
        lean = abs(asked(name, fault, "trunk"))
        assert angles["trunk_lean"] == pytest.approx(lean, abs=8.0)


def test_a_raised_leg_has_the_hip_and_knee_asked() -> None:
    show = stage("knee_raise", variation=0.0)
    angles = show.truth(far_end(show)).angles
    assert 180 - angles["left_knee"] == pytest.approx(98, abs=1)
    truth = show.truth(far_end(show)).landmarks
    assert truth is not None
    thigh = truth[LANDMARK["left_knee"]] - truth[LANDMARK["left_hip"]]
    assert np.degrees(np.arctan2(-thigh[1], -thigh[2])) == pytest.approx(95, abs=1)


@pytest.mark.parametrize(("name", "fault"), EVERY_FORM)
def test_feet_do_not_slide_limbs_keep_their_length_and_the_floor_is_not_crossed(
    name: str, fault: str | None
) -> None:
    show = stage(name, fault, person=2, repetitions=2 if movement.load(name).alternate else 1)
    check_body(show)


def test_a_walk_in_some_exercise_and_a_walk_out_keep_feet_limbs_and_floor() -> None:
    sections = (
        Section("walk_in", 2, seconds=6),
        Section("squat", 2, repetitions=1, rest=1.5),
        Section("lunge", 2, repetitions=2, rest=1.5),
        Section("walk_out", 2, seconds=6),
        Section("away", seconds=1),
    )
    show = Stage(Script(sections))
    check_body(show)
    assert show.truth(0.0).landmarks is not None
    assert show.truth(show.timeline.duration - 0.5).landmarks is None
    assert show.truth(show.timeline.duration - 0.5).person is None


def check_body(show: Stage) -> None:
    before: NDArray[np.float64] | None = None
    for t, skeleton, bones in configurations(show):
        index, places = skeleton.index, bones.positions
        for side in "lr":
            for limb in (skeleton.legs[side], skeleton.arms[side]):
                upper = np.linalg.norm(places[limb.lower] - places[limb.upper])
                lower = np.linalg.norm(places[limb.end] - places[limb.lower])
                assert upper == pytest.approx(limb.upper_length, abs=1e-9)
                assert lower == pytest.approx(limb.lower_length, abs=1e-9)
        landmarks = figure(person(2)).landmarks.of(bones)
        assert landmarks[:, 2].min() > -0.002, f"below the floor at {t:.2f} s"
        balls = np.array([places[index[f"ball_{side}"]] for side in "lr"])
        rest = skeleton.rest("ball_l")[2]
        if before is not None:
            flat = (balls[:, 2] < rest + 0.002) & (before[:, 2] < rest + 0.002)
            speed = np.linalg.norm(balls[:, :2] - before[:, :2], axis=1) * RATE
            assert speed[flat].max(initial=0.0) < 0.10, f"a foot on the floor moves at {t:.2f} s"
        before = balls


@pytest.mark.parametrize(("name", "fastest"), [("session", 4.0), ("answer", 4.0), ("circuit", 7.0)])
def test_nobody_jumps_from_place_to_place_or_through_the_floor_in_a_shipped_script(
    name: str, fastest: float
) -> None:
    show = Stage(script.read(script.FOLDER / f"{name}.yaml"))
    rate, before = 30.0, None
    # Over the seam too, where it loops.
    for i in range(int((show.timeline.duration + 3) * rate)):
        landmarks = show.truth(i / rate).landmarks
        if landmarks is not None:
            assert landmarks[:, 2].min() > -0.01, f"below the floor at {i / rate:.2f} s"
            if before is not None:
                assert np.abs(landmarks - before).max() * rate < fastest, f"at {i / rate:.2f} s"
        before = landmarks


def test_forms_of_the_squat_differ_as_they_should() -> None:
    def at_the_bottom(fault: str | None) -> tuple[dict[str, float], NDArray[np.float64]]:
        show = stage("squat", fault, variation=0.0)
        truth = show.truth(far_end(show))
        assert truth.landmarks is not None
        return dict(truth.angles), truth.landmarks

    def knees_over_ankles(landmarks: NDArray[np.float64]) -> float:
        width = [
            abs(landmarks[LANDMARK[f"left_{j}"], 0] - landmarks[LANDMARK[f"right_{j}"], 0])
            for j in ("knee", "ankle")
        ]
        return float(width[0] / width[1])

    good, good_body = at_the_bottom(None)
    assert at_the_bottom("shallow")[0]["left_knee"] > good["left_knee"] + 40
    assert at_the_bottom("forward_lean")[0]["trunk_lean"] > good["trunk_lean"] + 20
    assert knees_over_ankles(at_the_bottom("knees_in")[1]) < knees_over_ankles(good_body) - 0.3
    heel = LANDMARK["left_heel"]
    assert at_the_bottom("heel_rise")[1][heel, 2] > good_body[heel, 2] + 0.03
    hips = [LANDMARK["left_hip"], LANDMARK["right_hip"]]
    assert at_the_bottom("asymmetric")[1][hips, 0].mean() > good_body[hips, 0].mean() + 0.05
    hurried, calm = (
        stage("squat", "too_fast").timeline.repetitions()[0],
        stage("squat").timeline.repetitions()[0],
    )
    assert hurried.end - hurried.start < 0.6 * (calm.end - calm.start)


@pytest.mark.parametrize("dial", [0.0, 0.25, 0.5, 1.0])
def test_a_dial_turns_a_fault_up_evenly(dial: float) -> None:
    show = Stage(Script((Section("squat", repetitions=1, form={"shallow": dial}),), variation=0.0))
    knee = 180 - show.truth(far_end(show)).angles["left_knee"]
    assert knee == pytest.approx(108 + dial * (58 - 108), abs=1.0)


def test_every_fault_changes_the_body_or_the_pace() -> None:
    for name in movement.names():
        good = stage(name, variation=0.0)
        for fault in movement.load(name).faults:
            bad = stage(name, fault, variation=0.0)
            a, b = good.truth(far_end(good)).landmarks, bad.truth(far_end(bad)).landmarks
            assert a is not None
            assert b is not None
            slower = good.timeline.duration > bad.timeline.duration + 0.1
            assert slower or np.abs(a - b).max() > 0.05, f"{name} {fault}"


def test_an_unknown_movement_fault_or_dial_is_named() -> None:
    with pytest.raises(GymError, match=r"no movement 'sqat'.*squat"):
        movement.load("sqat")
    with pytest.raises(GymError, match=r"squat has no fault 'lazy'.*shallow"):
        movement.load("squat").keys({"lazy": 0.5})
    with pytest.raises(GymError, match=r"dial 1.5 is outside"):
        movement.load("squat").keys({"shallow": 1.5})


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"poses": {"start": {"kne": 3}}}, "kne"),
        ({"tempo": {"down": 1}}, "hold"),
        ({"phases": {"down": ["start", "nowhere"]}}, "nowhere"),
        ({"suport": "feet"}, "suport"),
        ({"support": "wings"}, "wings"),
    ],
)
def test_a_wrong_movement_file_says_what_is_wrong(broken: dict[str, object], said: str) -> None:
    whole: dict[str, object] = {
        "title": "T",
        "tempo": {"down": 1, "hold": 0, "up": 1, "rest": 1},
        "poses": {"start": {}, "end": {"knee": 50}},
        "phases": {
            "down": ["start", "end"],
            "hold": ["end", "end"],
            "up": ["end", "start"],
            "rest": ["start", "start"],
        },
    }
    movement.parse("mine", whole)
    with pytest.raises(GymError, match=said):
        movement.parse("mine", {**whole, **broken})


def test_a_mirrored_pose_mirrored_again_is_the_pose() -> None:
    pose = with_values(STANDING, {"knee_l": 90, "trunk_side": 5, "arm_r": 30, "hips_side": 0.2})
    assert np.array_equal(mirrored(mirrored(pose)), pose)
    assert mirrored(pose)[INDEX["knee_r"]] == 90


def test_a_new_movement_is_a_file(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = movement.FOLDER
    text = (folder / "squat.yaml").read_text(encoding="utf-8").replace("title: Squat", "title: Half squat")
    monkeypatch.setattr(movement, "FOLDER", tmp_path)
    (movement.FOLDER / "half_squat.yaml").write_text(text.replace("knee: 108", "knee: 70"), encoding="utf-8")
    try:
        show = Stage(Script((Section("half_squat", repetitions=1),), variation=0.0))
        assert 180 - show.truth(far_end(show)).angles["left_knee"] == pytest.approx(70, abs=1)
    finally:
        movement.load.cache_clear()
