"""Cameras: projection as OpenCV has it, visibility, calibration files, addresses."""

import tomllib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import gym
from gym.calibration import caliscope_toml, pose2sim_toml
from gym.camera import Camera, around
from gym.render import raster
from tests.gym.conftest import stage

DISTORTION = (-0.21, 0.06, 0.002, -0.001, 0.01)


def opencv_pixels(camera: Camera, points: NDArray[np.float64]) -> NDArray[np.float64]:
    vector, _ = cv2.Rodrigues(camera.rotation)
    pixels, _ = cv2.projectPoints(
        points, vector, camera.translation, camera.matrix, np.array(camera.distortion)
    )
    return np.asarray(pixels[:, 0, :])


@given(
    azimuth=st.floats(0, 360),
    distance=st.floats(2.0, 4.4),
    height=st.floats(0.3, 2.5),
    focal=st.floats(300, 900),
    distorted=st.booleans(),
    moment=st.floats(0, 3),
)
def test_projected_truth_equals_opencvs_projection(
    azimuth: float, distance: float, height: float, focal: float, distorted: bool, moment: float
) -> None:
    camera = around(
        azimuth,
        distance=distance,
        height=height,
        focal=focal,
        distortion=DISTORTION if distorted else (0, 0, 0, 0, 0),
    )
    landmarks = stage("squat").truth(moment).landmarks
    assert landmarks is not None
    pixels, depth = camera.project(landmarks)
    assert np.abs(pixels - opencv_pixels(camera, landmarks)).max() < 0.01
    assert (depth > 0).all()


def test_the_renderer_draws_a_point_where_the_truth_projects_it() -> None:
    camera = around(40, distortion=DISTORTION)
    landmarks = stage("lunge").truth(1.0).landmarks
    assert landmarks is not None
    lens = np.array(
        [camera.matrix[0, 0], camera.matrix[1, 1], *camera.matrix[:2, 2], *DISTORTION], np.float32
    )
    out = np.empty((33, 3), np.float32)
    raster.project(
        landmarks.astype(np.float32),
        camera.rotation.astype(np.float32),
        camera.translation.astype(np.float32),
        lens,
        1.0,
        out,
    )
    # The renderer counts from the picture's corner, pixels from the middle of the first.
    assert np.abs(out[:, :2] - 0.5 - camera.project(landmarks)[0]).max() < 0.01


def test_a_bright_dot_of_a_body_lies_where_the_truth_says() -> None:
    camera = gym.open_address("gym:idle?view=side&variation=0&noise=0&plain=1", now=0.0)
    empty = camera.renderer.draw([])
    changed = (camera.frame(0.0) != empty).any(axis=2)
    seen = camera.seen(0.0)
    assert seen is not None
    body = changed[:330]  # above the floor's shadow
    columns = np.flatnonzero(body.any(axis=0))
    nose = seen.pixels[0]
    assert abs(columns[0] - nose[0]) < 30
    for x, y in seen.pixels[seen.visibility > 0].round().astype(int):
        if y < 330:
            assert changed[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4].any()


def test_what_is_hidden_or_out_of_the_picture_is_not_visible() -> None:
    def visibility(query: str) -> NDArray[np.float64]:
        camera = gym.open_address(f"gym:idle?variation=0&{query}", now=0.0)
        seen = camera.seen(0.0)
        assert seen is not None
        return seen.visibility

    knees, shoulders, right_side = [25, 26], [11, 12], [8, 14, 16]
    free = visibility("view=front")
    assert free[knees].all()
    assert free[shoulders].all()
    assert not visibility("view=front&occluder=table:0,-1.2")[knees].any()
    assert visibility("view=front&occluder=table:0,-1.2")[shoulders].all()
    assert not visibility("view=side")[right_side].any()
    assert not visibility("view=front&look=2.6&height=2.6")[27:33].any()


def test_a_second_person_is_in_the_picture_and_not_in_the_truth() -> None:
    alone = gym.open_address("gym:idle?noise=0", now=0.0)
    company = gym.open_address("gym:idle?noise=0&second=4", now=0.0)
    changed = (alone.frame(1.0).astype(int) - company.frame(1.0)).any(axis=2)
    assert 3000 < changed.sum() < 60_000
    a, b = alone.truth(1.0).landmarks, company.truth(1.0).landmarks
    assert a is not None
    assert b is not None
    assert np.array_equal(a, b)


def test_calibration_files_carry_the_cameras_exactly() -> None:
    cameras = [around(0, name="front"), around(90, name="side", distortion=DISTORTION)]
    pose2sim = tomllib.loads(pose2sim_toml(cameras))
    caliscope = tomllib.loads(caliscope_toml(cameras))
    for number, camera in enumerate(cameras):
        entry = pose2sim[camera.name]
        rotation, _ = cv2.Rodrigues(np.array(entry["rotation"]))
        assert np.allclose(rotation, camera.rotation, atol=1e-9)
        assert np.array_equal(entry["matrix"], camera.matrix)
        assert np.array_equal(entry["translation"], camera.translation)
        assert entry["distortions"] == list(camera.distortion[:4])
        assert entry["size"] == [640.0, 480.0]
        other = caliscope["cameras"][str(number)]
        assert np.array_equal(other["rotation"], camera.rotation)
        assert other["distortions"] == list(camera.distortion)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("squat?view=front", "begins with gym:"),
        ("gym:sqat", "squat.*session"),
        ("gym:squat?veiw=front", "unknown veiw"),
        ("gym:squat?view=under", "view 'under'"),
        ("gym:squat?form=lazy:1", "no fault 'lazy'"),
        ("gym:squat?form=shallow:2", "outside"),
        ("gym:squat?form=shallow:much", "faults as name:dial"),
        ("gym:squat?tempo=1,2", "four numbers"),
        ("gym:squat?tempo=0,0,0,0", "0.1 s"),
        ("gym:squat?fps=0", "fps=0"),
        ("gym:squat?fps=fast", "not a number"),
        ("gym:squat?size=huge", "640x480"),
        ("gym:squat?fps", "key=value"),
        ("gym:session?form=shallow:1", "decides form itself"),
        ("gym:squat?light=blue", "light 'blue'"),
        ("gym:squat?occluder=whale", "occluder 'whale'"),
        ("gym:squat?second=me", "person's number"),
        ("gym:../squat", "no movement"),
    ],
)
def test_an_address_that_cannot_be_read_says_which_part(address: str, said: str) -> None:
    with pytest.raises(gym.GymError, match=said):
        gym.open_address(address)


def test_an_address_says_everything_about_a_camera() -> None:
    camera = gym.open_address(
        "gym:squat?view=45&form=knees_in:0.6,shallow:0.2&tempo=2,0.5,1.5,1&person=3&fps=25&seed=9"
        "&size=320x240&distance=3&drop=0.1&offset=20&drift=10&jitter=3&reps=4",
        now=0.0,
    )
    section = camera.script.sections[0]
    assert section.form == {"knees_in": 0.6, "shallow": 0.2}
    assert section.tempo == {"down": 2, "hold": 0.5, "up": 1.5, "rest": 1}
    assert (section.person, section.repetitions, camera.script.seed) == (3, 4, 9)
    assert (camera.fps, camera.size) == (25, (320, 240))
    assert np.linalg.norm(camera.calibration.position[:2]) == pytest.approx(3)
    assert (camera.schedule.offset, camera.schedule.drop) == (0.02, 0.1)
    assert camera.frame(1.0).shape == (240, 320, 3)
    assert len(camera.stage.timeline.repetitions()) == 4
