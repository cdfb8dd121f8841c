"""Camera calibration as TOML, as Pose2Sim and Caliscope read it."""

from collections.abc import Sequence

import cv2
import numpy as np

from gym.anatomy import Floats
from gym.camera import Camera


def pose2sim_toml(cameras: Sequence[Camera]) -> str:
    """Pose2Sim's `Calib.toml`: rotation as a Rodrigues vector (radians), room to camera, metres."""
    parts = []
    for camera in cameras:
        vector, _ = cv2.Rodrigues(camera.rotation)
        parts.append(
            f"[{_key(camera.name)}]\n"
            f'name = "{camera.name}"\n'
            f"size = [ {camera.size[0]:.1f}, {camera.size[1]:.1f}]\n"
            f"matrix = {_rows(camera.matrix)}\n"
            f"distortions = {_row(np.array(camera.distortion[:4]))}\n"
            f"rotation = {_row(np.asarray(vector, dtype=np.float64).ravel())}\n"
            f"translation = {_row(camera.translation)}\n"
            "fisheye = false\n"
        )
    return "\n".join([*parts, "[metadata]\nadjusted = false\nerror = 0.0\n"])


def caliscope_toml(cameras: Sequence[Camera]) -> str:
    """Caliscope's `camera_array.toml`: rotation as a matrix, five distortion terms."""
    parts = []
    for number, camera in enumerate(cameras):
        parts.append(
            f"[cameras.{number}]\n"
            f"cam_id = {number}\n"
            f'name = "{camera.name}"\n'
            "rotation_count = 0\n"
            "error = 0.0\n"
            "ignore = false\n"
            f"size = [{camera.size[0]}, {camera.size[1]}]\n"
            f"matrix = {_rows(camera.matrix)}\n"
            f"distortions = {_row(np.array(camera.distortion))}\n"
            f"translation = {_row(camera.translation)}\n"
            f"rotation = {_rows(camera.rotation)}\n"
        )
    return "\n".join(parts)


def _key(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)


def _row(values: Floats) -> str:
    return "[" + ", ".join(repr(float(v)) for v in values) + "]"


def _rows(values: Floats) -> str:
    return "[" + ", ".join(_row(row) for row in values) + "]"
