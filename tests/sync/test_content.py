"""The pictures tell which camera is late, and what that costs in space; the others are left alone."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.pose.blazepose.model import BlazePose
from services.pose.models import ModelError, task_path
from services.sync.calibration import CalibratedCamera, parse
from services.sync.content import BODY, Track2D, calibrated_lags, speed_lag, speed_lags
from services.sync.fusion import triangulate
from tests.support.capabilities import require
from tests.sync import recording

Seen = dict[str, Track2D]
"""All 33 landmarks of each camera, normalised."""


@pytest.fixture(scope="module")
def cameras(shared_data: Path) -> dict[str, CalibratedCamera]:
    return parse(recording.calibration(shared_data))


@pytest.fixture(scope="module")
def seen(shared_data: Path, cameras: dict[str, CalibratedCamera]) -> Seen:
    """MediaPipe's landmarks of the whole recording, by the real model."""
    try:
        task = task_path("full")
    except ModelError as error:
        require(False, str(error))
        raise
    return {name: track(shared_data, name, task, cameras[name]) for name in recording.CAMERAS}


def track(data: Path, name: str, task: Path, camera: CalibratedCamera) -> Track2D:
    tracker = BlazePose(task).tracker()
    video = cv2.VideoCapture(str(data / "pose2sim-demo" / "videos" / f"{name}.mp4"))
    times: list[int] = []
    points: list[recording.Array] = []
    visibility: list[recording.Array] = []
    while True:
        there, image = video.read()
        if not there:
            break
        time_us = round(len(times) * 1e6 / recording.FPS)
        found = tracker.track(np.ascontiguousarray(image[:, :, ::-1]), time_us)
        assert found.person is not None
        times.append(time_us)
        points.append(camera.normalise(found.person.image_px.astype(float), found.width, found.height))
        visibility.append(found.person.visibility.astype(float))
    video.release()
    return Track2D(np.array(times, np.int64), np.array(points), np.array(visibility, float))


def bodies(seen: Seen) -> Seen:
    chosen = list(BODY)
    return {
        name: replace(t, points=t.points[:, chosen], visibility=t.visibility[:, chosen])
        for name, t in seen.items()
    }


def test_the_late_camera_of_the_recording_is_found_and_no_other(
    seen: Seen, cameras: dict[str, CalibratedCamera]
) -> None:
    lags = calibrated_lags(bodies(seen), cameras)
    print({name: (lag.lag_us, round(lag.gain, 3)) for name, lag in lags.items()})
    assert [name for name, lag in lags.items() if lag.alarm] == ["cam03"]
    assert 33_000 <= lags["cam03"].lag_us <= 50_000


@pytest.mark.parametrize("late_us", [-60_000, 60_000])
def test_a_camera_shifted_on_purpose_is_found_with_its_sign(
    seen: Seen, cameras: dict[str, CalibratedCamera], late_us: int
) -> None:
    """The recording's own late camera is put right first, so that only the shifted one is late."""
    tracks = bodies(seen)
    tracks["cam03"] = replace(tracks["cam03"], times_us=tracks["cam03"].times_us - 42_000)
    clean = calibrated_lags(tracks, cameras)
    assert not any(lag.alarm for lag in clean.values())
    tracks["cam04"] = replace(tracks["cam04"], times_us=tracks["cam04"].times_us + late_us)
    lags = calibrated_lags(tracks, cameras)
    assert [name for name, lag in lags.items() if lag.alarm] == ["cam04"]
    assert lags["cam04"].lag_us == pytest.approx(late_us, abs=20_000)


def test_without_a_calibration_a_copy_that_is_late_is_found_and_strange_views_stay_silent(seen: Seen) -> None:
    tracks = bodies(seen)
    late = replace(tracks["cam01"], times_us=tracks["cam01"].times_us + 41_000)
    lag = speed_lag(tracks["cam01"], late)
    assert lag.alarm
    assert lag.lag_us == pytest.approx(41_000, abs=3_000)
    assert not any(lag.alarm for lag in speed_lags(tracks).values())


@pytest.mark.parametrize("late", ["cam01", "cam02", "cam04"])
def test_without_a_calibration_the_one_that_most_contradict_is_late_whoever_sees_most(
    seen: Seen, late: str
) -> None:
    """Bug: where the camera that sees most was late, all others were blamed."""
    clear = {"cam01": 1.0, "cam02": 0.9, "cam04": 0.8}
    tracks = {
        name: replace(
            bodies(seen)["cam01"],
            times_us=seen["cam01"].times_us + (50_000 if name == late else 0),
            visibility=np.full_like(seen["cam01"].visibility[:, : len(BODY)], share),
        )
        for name, share in clear.items()
    }
    lags = speed_lags(tracks)
    assert [name for name, lag in lags.items() if lag.alarm] == [late]
    assert lags[late].lag_us == pytest.approx(50_000, abs=5_000)


def median_error_mm(
    seen: Seen, cameras: dict[str, CalibratedCamera], truth: dict[str, recording.Array], lag_us: int
) -> float:
    frames = np.arange(5, 90)
    times = np.round(frames * 1e6 / recording.FPS).astype(np.int64)
    names = list(recording.CAMERAS)
    at = {name: seen[name].at(times + (lag_us if name == "cam03" else 0)) for name in names}
    errors = []
    for row, frame in enumerate(frames):
        fused = triangulate(
            [cameras[name] for name in names],
            [at[name][0][row] for name in names],
            [seen[name].visibility[frame] for name in names],
        )
        errors += [
            float(np.linalg.norm(fused.world_m[n] - truth[joint][frame]))
            for joint, n in recording.BLAZEPOSE.items()
        ]
    return float(np.nanmedian(errors)) * 1000


def test_the_person_in_space_is_near_the_reference_and_nearer_with_the_late_camera_put_right(
    seen: Seen, cameras: dict[str, CalibratedCamera], shared_data: Path
) -> None:
    truth = recording.reference(shared_data)
    as_is, right = (median_error_mm(seen, cameras, truth, lag) for lag in (0, 42_000))
    print(f"median error {as_is:.1f} mm as it is, {right:.1f} mm with cam03 put right")
    assert as_is <= 65
    assert right <= 60
    assert right < as_is
