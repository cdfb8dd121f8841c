"""One camera's pictures of figures in the room."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gym.camera import Camera
from gym.noise import draw
from gym.render import light, raster, shading, surface
from gym.render.room import empty_room
from gym.rotation import unit

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
Picture = NDArray[np.uint8]

_SHADOW_MAP = 512  # texels a side
_SHADOW_HALF = 1.3  # metres round a figure
_FLOOR_HALF = 4.6
_FLOOR_TEXELS = 384
_VOXEL = 0.035
_NOISE_MARGIN = 64


@dataclass(frozen=True)
class Light:
    """Strength of the sky and of the key light on bodies, and of both on the room; where the key comes from."""

    ambient: float = 0.64
    key: float = 0.60
    room: float = 1.0
    towards: tuple[float, float, float] = (0.45, -0.75, 1.25)


@dataclass(frozen=True)
class Sensor:
    """`samples` a pixel each way (2 = supersampled), noise in grey levels (SD), exposure in stops."""

    samples: int = 2
    noise: float = 1.6
    exposure: float = 0.0


@dataclass(frozen=True)
class Drawable:
    """A mesh in the room: vertices in metres (n, 3), colours 0–255 (n, 3), triangles (m, 3)."""

    vertices: F32
    colours: F32
    triangles: I32


class Renderer:
    """Not safe for two threads at once: it keeps its buffers."""

    def __init__(
        self,
        camera: Camera,
        *,
        sensor: Sensor | None = None,
        light: Light | None = None,
        seed: int = 0,
        plain_room: bool = False,
    ) -> None:
        self.camera = camera
        self.sensor = sensor or Sensor()
        self._light = light or Light()
        self._backdrop = empty_room(camera, seed=seed, plain=plain_room)
        self._room = self._backdrop.picture * np.float32(self._light.room)
        towards = unit(np.array(self._light.towards))
        ahead = -towards
        right = unit(np.cross([0.0, 0.0, 1.0], ahead))
        self._light_axes = np.stack([right, np.cross(ahead, right), ahead]).astype(np.float32)
        self._lens = np.array(
            [
                camera.matrix[0, 0],
                camera.matrix[1, 1],
                camera.matrix[0, 2],
                camera.matrix[1, 2],
                *camera.distortion,
            ],
            dtype=np.float32,
        )
        self._rotation = camera.rotation.astype(np.float32)
        self._translation = camera.translation.astype(np.float32)
        width, height = camera.size
        s = self.sensor.samples
        self._nearest = np.zeros((height * s, width * s), np.float32)
        self._ids = np.full((height * s, width * s), -1, np.int32)
        self._drawn = np.zeros((height * s, width * s, 3), np.float32)
        self._touched = (0, width * s - 1, 0, height * s - 1)
        self._shadow = np.empty((_SHADOW_MAP, _SHADOW_MAP), np.float32)
        self._grid = np.zeros((68, 68, 68), np.float32)
        self._scratch = np.zeros_like(self._grid)
        rng = np.random.default_rng([11, seed])
        shape = (height + _NOISE_MARGIN, width + _NOISE_MARGIN)
        # Two grains are summed (grey and half as strong in colour): divided to keep the SD asked for.
        self._noise = (rng.normal(0, 1, shape) * self.sensor.noise / math.sqrt(1.25)).astype(np.float32)
        self._seed = seed

    def draw(self, figures: Sequence[Drawable], *, frame: int = 0, gain: float = 1.0) -> Picture:
        """RGB (h, w, 3). `frame` picks the noise; `gain` multiplies the exposure (flicker)."""
        width, height = self.camera.size
        ids = self._raster(figures)
        out = np.empty((height, width, 3), np.uint8)
        roll = draw("noise", self._seed, frame).integers(0, _NOISE_MARGIN, 2)
        shading.compose(
            self._room,
            self._backdrop.floor,
            self._floor_shadow(figures),
            _FLOOR_HALF,
            ids,
            self._drawn,
            self.sensor.samples,
            self._noise,
            int(roll[0]),
            int(roll[1]),
            gain * 2.0**self.sensor.exposure,
            out,
        )
        return out

    def _raster(self, figures: Sequence[Drawable]) -> I32:
        left, right, top, bottom = self._touched
        window = np.s_[top : bottom + 1, left : right + 1]
        self._nearest[window] = 0
        self._ids[window] = -1
        scale = float(self.sensor.samples)
        bounds = []
        first = 0
        for f in figures:
            projected = np.empty_like(f.vertices)
            raster.project(f.vertices, self._rotation, self._translation, self._lens, scale, projected)
            box = raster.rasterise(projected, f.triangles, first, self._nearest, self._ids)
            if box[1] >= box[0]:
                bounds.append(box)
                self._shade(f, projected, first, box)
            first += len(f.triangles)
        if bounds:
            lows, highs = np.min(bounds, axis=0), np.max(bounds, axis=0)
            self._touched = (int(lows[0]), int(highs[1]), int(lows[2]), int(highs[3]))
        else:
            self._touched = (0, -1, 0, -1)
        return self._ids

    def _shade(self, f: Drawable, projected: F32, first: int, box: tuple[int, int, int, int]) -> None:
        normal = np.empty_like(f.vertices)
        surface.normals(f.vertices, f.triangles, normal)
        open_sky = np.empty(len(f.vertices), np.float32)
        low = f.vertices.min(axis=0) - np.float32(0.06)
        light.fill_air(f.vertices, low, _VOXEL, self._grid, self._scratch)
        light.occlusion(f.vertices, normal, low, _VOXEL, self._grid, open_sky)
        middle = (f.vertices.min(axis=0) + f.vertices.max(axis=0)) / 2
        centre = self._light_axes @ middle
        place = (float(centre[0]), float(centre[1]), _SHADOW_HALF)
        light.depth_from_light(f.vertices, f.triangles, self._light_axes, *place, self._shadow)
        shading.shade(
            projected,
            f.vertices,
            normal,
            f.colours,
            f.triangles,
            first,
            self._ids,
            box,
            open_sky,
            self._rotation[2],
            self._light_axes,
            self._shadow,
            place,
            self._light.ambient,
            self._light.key,
            self._drawn,
        )

    def _floor_shadow(self, figures: Sequence[Drawable]) -> F32:
        """Share of light lost on each texel of the floor."""
        shadow = np.zeros((_FLOOR_TEXELS, _FLOOR_TEXELS), np.float32)
        contact = np.zeros_like(shadow)
        towards = -self._light_axes[2]
        for f in figures:
            light.cast(
                f.vertices,
                float(towards[0] / towards[2]),
                float(towards[1] / towards[2]),
                _FLOOR_HALF,
                0.10,
                shadow,
                contact,
            )
        soft = cv2.blur(cv2.dilate(shadow, np.ones((3, 3), np.uint8)), (5, 5))
        near = cv2.blur(contact, (5, 5))
        return np.minimum(0.34 * soft + 0.4 * near, 0.7).astype(np.float32)
