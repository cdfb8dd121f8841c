"""The calibrated recording of shared data: OpenPose's and MediaPipe's landmarks, and the reference in space."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CAMERAS = ("cam01", "cam02", "cam03", "cam04")
FPS = 60

# The recording's OpenPose files are in BODY_25B order.
BODY_25B = {
    "Nose": 0, "LShoulder": 5, "RShoulder": 6, "LElbow": 7, "RElbow": 8, "LWrist": 9, "RWrist": 10, "LHip": 11,
    "RHip": 12, "LKnee": 13, "RKnee": 14, "LAnkle": 15, "RAnkle": 16, "Neck": 17, "Head": 18, "LBigToe": 19,
    "LSmallToe": 20, "LHeel": 21, "RBigToe": 22, "RSmallToe": 23, "RHeel": 24,
}  # fmt: skip
BLAZEPOSE = {
    "Nose": 0, "LShoulder": 11, "RShoulder": 12, "LElbow": 13, "RElbow": 14, "LWrist": 15, "RWrist": 16, "LHip": 23,
    "RHip": 24, "LKnee": 25, "RKnee": 26, "LAnkle": 27, "RAnkle": 28,
}  # fmt: skip


def calibration(data: Path) -> str:
    return (data / "pose2sim-demo" / "Calib_qualisys.toml").read_text()


def openpose(data: Path, camera: str) -> Array:
    """(100, 25, 3): x, y in pixels and confidence of the surest person in each frame."""
    frames = []
    for path in sorted((data / "pose2sim-demo" / "openpose2d" / f"{camera}_json").glob("*.json")):
        people = [
            np.reshape(person["pose_keypoints_2d"], (-1, 3))
            for person in json.loads(path.read_text())["people"]
        ]
        frames.append(max(people, key=lambda person: float(person[:, 2].sum())))
    return np.array(frames, float)


def reference(data: Path) -> dict[str, Array]:
    """(100, 3) of each joint, metres, in the calibration's frame."""
    path = next((data / "pose2sim-demo" / "pose-3d").glob("*_0-100.trc"))
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    names = [name for name in rows[3][2:] if name.strip()]
    values = np.array(
        [[float(cell) for cell in row[2 : 2 + 3 * len(names)]] for row in rows[5:] if len(row) > 5]
    )
    # The file is y up; the calibration is z up: file x, y, z are its y, z, x.
    return {name: values[:, [3 * n + 2, 3 * n, 3 * n + 1]] for n, name in enumerate(names)}
