"""Where the cameras stand: calibrations as Pose2Sim, Caliscope and aniposelib write them.

All three are TOML with one table a camera: `size`, `matrix` (3×3, pixels), `distortions` (k1 k2 p1 p2 [k3]), `rotation`
(Rodrigues vector, or 3×3) and `translation` (metres), which take a point of the calibration's frame to the camera's
(x right, y down, z ahead).
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.sync.errors import CalibrationUnusable

Array = NDArray[np.float64]
UNDISTORT_STEPS = 8
CROPPED = 0.02
"""A frame whose size differs by less than this share from the calibrated one was cropped, not scaled."""


@dataclass(frozen=True)
class CalibratedCamera:
    """One camera: x_image = matrix · distort(rotation · x_world + translation)."""

    name: str
    size_px: tuple[float, float]
    matrix: Array
    distortions: Array
    rotation: Array
    translation: Array

    @property
    def projection(self) -> Array:
        """(3, 4): from homogeneous world points, metres, to undistorted normalised image points."""
        return np.column_stack((self.rotation, self.translation))

    @property
    def focal_px(self) -> float:
        return float((self.matrix[0, 0] + self.matrix[1, 1]) / 2)

    def normalise(self, image_px: Array, width: int, height: int) -> Array:
        """(n, 2) pixels of a frame of `width` × `height` to undistorted normalised image points."""
        scale = np.array([self.size_px[0] / max(1, width), self.size_px[1] / max(1, height)])
        if np.all(np.abs(scale - 1) < CROPPED):
            scale = np.ones(2)
        x = (image_px[:, 0] * scale[0] - self.matrix[0, 2]) / self.matrix[0, 0]
        y = (image_px[:, 1] * scale[1] - self.matrix[1, 2]) / self.matrix[1, 1]
        return self._undistort(np.column_stack((x, y)))

    def _undistort(self, distorted: Array) -> Array:
        """Invert the Brown–Conrady model by fixed-point iteration."""
        k1, k2, p1, p2, k3 = self.distortions
        point = distorted.copy()
        for _ in range(UNDISTORT_STEPS):
            x, y = point[:, 0], point[:, 1]
            r2 = x * x + y * y
            radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
            shift = np.column_stack(
                (2 * p1 * x * y + p2 * (r2 + 2 * x * x), p1 * (r2 + 2 * y * y) + 2 * p2 * x * y)
            )
            point = (distorted - shift) / radial[:, None]
        return point


def parse(text: str) -> dict[str, CalibratedCamera]:
    """Cameras of a calibration, by simplified name (see `simplify`).

    Raises CalibrationUnusable, naming the camera and what is wrong with it.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CalibrationUnusable(f"the calibration is no TOML: {error}") from error
    cameras = {}
    # Caliscope's newer files put the cameras into one table.
    nested = tables.get("cameras")
    for section, table in (nested if isinstance(nested, dict) else tables).items():
        if isinstance(table, dict) and "matrix" in table and not table.get("ignore", False):
            camera = _camera(section, table)
            cameras[simplify(camera.name)] = camera
    if len(cameras) < 2:
        raise CalibrationUnusable(
            "the calibration holds fewer than two cameras with matrix, rotation and translation"
        )
    return cameras


def simplify(name: str) -> str:
    """`cam01` for `Cam_01`: recordings and calibrations rarely agree on more than letters and digits."""
    return re.sub(r"[\W_]+", "", name).lower()


def _camera(section: str, table: Mapping[str, Any]) -> CalibratedCamera:
    name = str(table.get("name", section))
    if table.get("fisheye"):
        raise CalibrationUnusable(
            f"camera {name!r} is calibrated as fisheye, which is not supported: use a pinhole model"
        )
    try:
        rotation = np.asarray(table["rotation"], float)
        distortions = np.zeros(5)
        given = np.asarray(table.get("distortions", ()), float).ravel()[:5]
        distortions[: len(given)] = given
        width, height = (float(side) for side in table["size"])
        return CalibratedCamera(
            name=name,
            size_px=(width, height),
            matrix=np.asarray(table["matrix"], float).reshape(3, 3),
            distortions=distortions,
            rotation=rotation if rotation.shape == (3, 3) else rodrigues(rotation.reshape(3)),
            translation=np.asarray(table["translation"], float).reshape(3),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CalibrationUnusable(
            f"camera {name!r} of the calibration is incomplete or malformed: {error}"
        ) from error


def rodrigues(vector: Array) -> Array:
    """(3, 3) rotation about `vector` by its length, radians."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turned: Array = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return turned
