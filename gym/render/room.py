"""The room: planks, a mat, four walls with window and poster, by casting a ray a pixel, once a camera."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gym.camera import Camera

Floats = NDArray[np.float64]
F32 = NDArray[np.float32]

_HALF = 4.6  # the room reaches so far each way, metres
_CEILING = 3.2
_KEPT = 8  # rooms held ready: cameras are opened again and again from the same places
_WALLS = ((206, 200, 186), (200, 204, 198), (198, 202, 196), (198, 196, 204))


@dataclass(frozen=True)
class Backdrop:
    """What a camera sees of an empty room."""

    picture: F32  # (h, w, 3), 0–255
    floor: F32  # (h, w, 2): room x, y of the floor there, NaN elsewhere


_drawn: OrderedDict[tuple[Any, ...], Backdrop] = OrderedDict()
_lock = threading.Lock()


def empty_room(camera: Camera, *, seed: int = 0, plain: bool = False) -> Backdrop:
    """Draw the room without people; `plain` leaves a grey one without anything in it."""
    key: tuple[Any, ...] = (
        camera.size,
        camera.distortion,
        *(part.tobytes() for part in (camera.matrix, camera.rotation)),
    )
    key = (*key, camera.translation.tobytes(), seed, plain)
    with _lock:
        if key not in _drawn:
            _drawn[key] = _draw(camera, seed, plain)
            while len(_drawn) > _KEPT:
                _drawn.popitem(last=False)
        _drawn.move_to_end(key)
        return _drawn[key]


def _draw(camera: Camera, seed: int, plain: bool) -> Backdrop:
    width, height = camera.size
    samples = 2
    rays = _rays(camera, samples)
    origin = camera.position
    rng = np.random.default_rng([7, seed])
    grain = np.asarray(cv2.GaussianBlur(rng.normal(0, 6, (256, 256)), (0, 0), 2), dtype=np.float64)
    distance = np.full(rays.shape[:2], np.inf)
    picture = np.full(rays.shape, 200.0)

    surfaces = [(2, 0.0), (2, _CEILING), (1, _HALF), (1, -_HALF), (0, _HALF), (0, -_HALF)]
    for number, (axis, value) in enumerate(surfaces):
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (value - origin[axis]) / rays[..., axis]
        nearer = (t > 1e-3) & (t < distance)
        if not nearer.any():
            continue
        points = origin + rays[nearer] * t[nearer][:, None]
        if plain:
            colours = np.full(points.shape, 172.0 if number == 0 else 190.0)
        elif number == 0:
            colours = _floor(points, grain)
        elif number == 1:
            colours = np.full(points.shape, 236.0)
        else:
            colours = _wall(points, axis, _WALLS[number - 2], grain)
        picture[nearer] = colours
        distance[nearer] = t[nearer]
    small = cv2.resize(picture.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    middle = _rays(camera, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = -origin[2] / middle[..., 2]
        floor = (origin + middle * t[..., None])[..., :2]
    on_floor = (t > 0) & (np.abs(floor) < _HALF).all(axis=-1)
    floor = np.where(on_floor[..., None], floor, np.nan)
    return Backdrop(np.clip(small, 0, 255).astype(np.float32), floor.astype(np.float32))


def _rays(camera: Camera, samples: int) -> Floats:
    """A direction in the room for every sample (h·s, w·s, 3), distortion undone."""
    width, height = camera.size
    u, v = np.meshgrid(
        (np.arange(width * samples) + 0.5) / samples - 0.5,
        (np.arange(height * samples) + 0.5) / samples - 0.5,
    )
    pixels = np.stack([u.ravel(), v.ravel()], axis=-1)[:, None, :]
    flat = cv2.undistortPoints(pixels, camera.matrix, np.array(camera.distortion))[:, 0, :]
    seen = np.concatenate([flat, np.ones((len(flat), 1))], axis=1)
    return np.asarray((seen @ camera.rotation).reshape(height * samples, width * samples, 3))


def _floor(points: Floats, grain: Floats) -> Floats:
    x, y = points[:, 0], points[:, 1]
    plank = np.floor(x / 0.14)
    tint = 0.9 + 0.12 * np.mod(np.sin(plank * 12.9898) * 43758.5, 1)
    colour = np.array([172.0, 134.0, 98.0]) * tint[:, None] + 2.5 * _grain(grain, x, y * 0.15, 160)[:, None]
    gap = np.abs(x / 0.14 - plank - 0.5) > 0.48
    colour[gap] *= 0.72
    mat = (np.abs(x) < 0.62) & (np.abs(y) < 0.95)
    woven = np.array([96.0, 106.0, 118.0]) + 1.5 * _grain(grain, x, y, 60)[:, None]
    edge = mat & ((np.abs(x) > 0.59) | (np.abs(y) > 0.92))
    colour = np.where(mat[:, None], woven, colour)
    colour[edge] *= 0.85
    return colour


def _wall(points: Floats, axis: int, base: tuple[int, int, int], grain: Floats) -> Floats:
    height, along = points[:, 2], points[:, 1 - axis]
    colour = np.asarray(base, dtype=np.float64) * (0.88 + 0.04 * np.clip(height, 0, 2.6))[:, None]
    colour += _grain(grain, along, height, 40)[:, None]
    colour[height < 0.10] = (238, 236, 230)
    poster = (np.abs(along - 1.9) < 0.4) & (np.abs(height - 1.65) < 0.5)
    wave = 0.5 + 0.5 * np.sin(7 * height[poster] + 3 * along[poster])
    colour[poster] = np.array([70.0, 120.0, 140.0]) + wave[:, None] * np.array([120.0, 70.0, 30.0])
    window = (np.abs(along + 1.9) < 0.6) & (np.abs(height - 1.6) < 0.55)
    colour[window] = (216, 230, 242)
    a, h = np.abs(along + 1.9), np.abs(height - 1.6)
    bars = window & ((np.abs(a - 0.57) < 0.03) | (a < 0.02) | (np.abs(h - 0.52) < 0.03))
    colour[bars] = (250, 250, 250)
    return colour


def _grain(grain: Floats, a: Floats, b: Floats, scale: float) -> Floats:
    return np.asarray(grain[np.floor(a * scale).astype(int) % 256, np.floor(b * scale).astype(int) % 256])
