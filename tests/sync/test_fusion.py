"""Three dimensions from several views: exact where the answer is known, and honest where cameras contradict."""

from pathlib import Path

import numpy as np
import pytest

from services.sync.calibration import CalibratedCamera, parse, rodrigues, simplify
from services.sync.errors import CalibrationUnusable
from services.sync.fusion import average, triangulate
from tests.sync import recording

RNG = np.random.default_rng(5)


def rig(count: int) -> list[CalibratedCamera]:
    """Cameras on a circle of 3 m, all looking at the origin."""
    cameras = []
    for n in range(count):
        turn = 2 * np.pi * n / count
        ahead = -np.array([np.cos(turn), np.sin(turn), 0.0])
        right = np.array([-np.sin(turn), np.cos(turn), 0.0]) * -1
        down = np.cross(ahead, right)
        rotation = np.array([right, down, ahead])
        matrix = np.array([[1000.0, 0, 640], [0, 1000, 360], [0, 0, 1]])
        cameras.append(
            CalibratedCamera(f"cam{n}", (1280, 720), matrix, np.zeros(5), rotation, -rotation @ (-3 * ahead))
        )
    return cameras


def see(camera: CalibratedCamera, world: np.ndarray) -> np.ndarray:
    there = np.column_stack((world, np.ones(len(world)))) @ camera.projection.T
    return there[:, :2] / there[:, 2:]


def test_points_are_found_where_they_are() -> None:
    world, cameras = RNG.uniform(-0.8, 0.8, (33, 3)), rig(4)
    fused = triangulate(cameras, [see(c, world) for c in cameras], [np.full(33, 0.9)] * 4)
    assert np.allclose(fused.world_m, world, atol=1e-6)
    assert fused.reprojection_px is not None
    assert fused.reprojection_px.max() < 1e-3


def test_a_camera_that_contradicts_the_rest_is_left_out() -> None:
    world, cameras = RNG.uniform(-0.8, 0.8, (33, 3)), rig(4)
    points = [see(c, world) for c in cameras]
    points[2] = points[2] + 0.2
    fused = triangulate(cameras, points, [np.full(33, 0.9)] * 4)
    assert np.allclose(fused.world_m, world, atol=1e-6)


def test_a_point_seen_by_one_camera_is_not_known() -> None:
    world, cameras = RNG.uniform(-0.8, 0.8, (5, 3)), rig(3)
    confidences = [np.full(5, 0.9), np.full(5, 0.9), np.full(5, 0.9)]
    confidences[1] = np.array([0.9, 0.9, 0.0, 0.9, 0.9])
    confidences[2] = np.array([0.9, 0.9, 0.1, 0.9, 0.9])
    fused = triangulate(cameras, [see(c, world) for c in cameras], confidences)
    assert np.isnan(fused.world_m[2]).all()
    assert fused.confidence[2] == 0
    assert np.isfinite(fused.world_m[[0, 1, 3, 4]]).all()


def test_views_without_calibration_are_turned_onto_each_other() -> None:
    world = RNG.uniform(-0.8, 0.8, (33, 3))
    turned = [world @ rodrigues(np.array([0.0, angle, 0.0])) for angle in (0.0, 0.8, 2.0)]
    fused = average(turned, [np.full(33, 0.9), np.full(33, 0.8), np.full(33, 0.7)])
    assert np.allclose(fused.world_m, world, atol=1e-9)
    assert fused.reprojection_px is None


def test_a_rotation_vector_turns_as_it_should() -> None:
    assert np.allclose(rodrigues(np.array([0, 0, np.pi / 2])) @ [1, 0, 0], [0, 1, 0])
    assert np.allclose(rodrigues(np.zeros(3)), np.eye(3))


def test_names_that_differ_in_more_than_letters_and_digits_are_one() -> None:
    assert simplify("Cam_01") == simplify("cam01") == simplify("cam 01")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("not toml [", "no TOML"),
        ("[a]\nx = 1", "fewer than two"),
        ('[a]\nname = "left"\nmatrix = [[1,0,0],[0,1,0],[0,0,1]]', "'left'.*incomplete"),
        ("[a]\nmatrix = []\nfisheye = true", "fisheye"),
    ],
)
def test_an_unusable_calibration_says_why(text: str, complaint: str) -> None:
    with pytest.raises(CalibrationUnusable, match=complaint):
        parse(text)


def test_caliscopes_calibrations_are_read(shared_data: Path) -> None:
    folder = shared_data / "caliscope" / "charuco_calibration"
    old, new = (parse((folder / name).read_text()) for name in ("config.toml", "camera_array.toml"))
    assert len(old) == len(new) == 4
    assert np.allclose(old["cam0"].projection, new["0"].projection)


def test_the_recording_of_four_cameras_gives_its_reference(shared_data: Path) -> None:
    """Six joints match to a tenth of a millimetre; the reference took the others from filled gaps."""
    cameras = parse(recording.calibration(shared_data))
    views = [cameras[name] for name in recording.CAMERAS]
    seen = [recording.openpose(shared_data, name) for name in recording.CAMERAS]
    truth = recording.reference(shared_data)
    fused = np.array(
        [
            triangulate(
                views,
                [
                    camera.normalise(s[f, :, :2], *(int(v) for v in camera.size_px))
                    for camera, s in zip(views, seen, strict=True)
                ],
                [s[f, :, 2] for s in seen],
            ).world_m
            for f in range(100)
        ]
    )
    errors = {
        name: float(np.nanmedian(np.linalg.norm(fused[:, n] - truth[name], axis=1))) * 1000
        for name, n in recording.BODY_25B.items()
    }
    exact = [name for name, error in errors.items() if error <= 1.0]
    assert len(exact) >= 6, errors
    assert max(errors.values()) <= 61, errors
