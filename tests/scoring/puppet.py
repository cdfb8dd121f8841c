"""A stick figure that moves by exact angles, seen by exact cameras: truth to test scoring against, without any video."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.scoring.movement.landmarks import LANDMARKS, Recording, SyncedViews, View
from services.scoring.movement.landmarks import Landmark as Mark

Floats = NDArray[np.float64]

TRUNK, NECK, UPPER_ARM, FOREARM, THIGH, SHIN, FOOT = 0.50, 0.22, 0.28, 0.25, 0.42, 0.40, 0.20
SHOULDER, HIP = 0.17, 0.11


@dataclass(frozen=True)
class Posture:
    """Joint angles, degrees. 0 is standing with hanging arms."""

    knees: float = 0.0
    lean: float = 0.0
    thighs: float = 0.0
    left_arm: float = 0.0
    right_arm: float = 0.0
    """Raised sideways."""
    arms_forward: float = 0.0
    elbows: float = 0.0


def squat(depth: float = 1.0, lean: float = 1.0, arms: float = 0.0) -> Posture:
    """A squat, 1 is the bottom."""
    return Posture(knees=100 * depth, thighs=80 * depth, lean=30 * depth * lean, arms_forward=arms * depth)


def landmarks(posture: Posture, heading_deg: float = 0.0) -> Floats:
    """World landmarks (33, 3) as MediaPipe would give them if it were exact, for a camera that sees the person so turned.

    heading 0: their front, 90: their left side.
    """
    rad = math.radians

    # Body axes: x to the person's left, y up, z to their front.
    def down(pitch: float, side: float = 0.0) -> Floats:
        """A limb hanging down, raised to the front by `pitch`, sideways by `side`."""
        front, out = math.sin(rad(pitch)), math.sin(rad(side))
        return np.array([out, -math.cos(rad(pitch)) * math.cos(rad(side)), front * math.cos(rad(side))])

    points = np.zeros((LANDMARKS, 3))
    up = np.array([0.0, math.cos(rad(posture.lean)), math.sin(rad(posture.lean))])
    neck = TRUNK * up
    points[:11] = neck + NECK * up
    points[Mark.NOSE] += (0.0, 0.0, 0.1)
    points[Mark.LEFT_EAR] += (0.08, 0.0, 0.0)
    points[Mark.RIGHT_EAR] -= (0.08, 0.0, 0.0)
    for sign, shoulder, arm in (
        (1, Mark.LEFT_SHOULDER, posture.left_arm),
        (-1, Mark.RIGHT_SHOULDER, posture.right_arm),
    ):
        elbow, wrist, hip, knee, ankle, heel, toe = (shoulder + k for k in (2, 4, 12, 14, 16, 18, 20))
        points[shoulder] = neck + np.array([sign * SHOULDER, 0.0, 0.0])
        points[elbow] = points[shoulder] + UPPER_ARM * down(posture.arms_forward, sign * arm)
        points[wrist] = points[elbow] + FOREARM * down(posture.arms_forward + posture.elbows, sign * arm)
        for finger in (2, 4, 6):
            points[wrist + finger] = points[wrist]
        points[hip] = (sign * HIP, 0.0, 0.0)
        points[knee] = points[hip] + THIGH * down(posture.thighs)
        points[ankle] = points[knee] + SHIN * down(posture.thighs - posture.knees)
        points[heel] = points[ankle] + (0.0, -0.06, -0.05)
        points[toe] = points[heel] + (0.0, 0.0, FOOT)
    angle = rad(heading_deg)
    # To the camera's axes (x right, y up, z towards it), then to MediaPipe's (y down, z away).
    x = points[:, 0] * math.cos(angle) - points[:, 2] * math.sin(angle)
    z = points[:, 0] * math.sin(angle) + points[:, 2] * math.cos(angle)
    return np.stack((x, -points[:, 1], -z), axis=1)


def image_of(world: Floats) -> Floats:
    """The landmarks (33, 2) in a picture of 640 x 480, orthographic, 180 pixels a metre, the feet staying where they are."""
    feet = world[[Mark.LEFT_ANKLE, Mark.RIGHT_ANKLE], :2].mean(axis=0)
    picture: Floats = (world[:, :2] - feet) * 180.0 + np.array([320.0, 378.0])
    return picture


def view(posture: Posture, heading_deg: float = 0.0, camera_id: str = "a") -> View:
    """One camera's view of a posture."""
    world = landmarks(posture, heading_deg)
    return View(camera_id, image_of(world), world, np.ones(LANDMARKS))


def waves(
    repetitions: int, *, period_s: float = 2.5, rest_s: float = 1.0, fps: float = 30.0
) -> tuple[Floats, Floats]:
    """Times (n,) and depths (n,) 0..1 of repetitions with a rest before, between and after."""
    times = np.arange(0.0, rest_s + repetitions * (period_s + rest_s), 1.0 / fps)
    within = np.mod(times - rest_s, period_s + rest_s)
    active = (times >= rest_s) & (within < period_s)
    depth = np.where(active, 0.5 - 0.5 * np.cos(2 * np.pi * within / period_s), 0.0)
    return times, depth


def recording(
    postures: list[Posture], times: Floats, *, heading_deg: float = 90.0, fps: float = 30.0
) -> Recording:
    """A sample video of these postures."""
    world = np.stack([landmarks(posture, heading_deg) for posture in postures])
    image = np.stack([image_of(one) for one in world])
    return Recording(times, image, world, np.ones((len(times), LANDMARKS)), fps)


def squats(
    repetitions: int = 3, *, heading_deg: float = 90.0, depth: float = 1.0, fps: float = 30.0
) -> Recording:
    """A sample video of squats."""
    times, depths = waves(repetitions, fps=fps)
    return recording([squat(depth * d) for d in depths], times, heading_deg=heading_deg, fps=fps)


def sets(postures: list[Posture], times: Floats, headings: tuple[float, ...] = (90.0,)) -> list[SyncedViews]:
    """Synced sets of these postures, a camera for each heading."""
    return [
        SyncedViews(float(t), tuple(view(p, h, f"camera{i}") for i, h in enumerate(headings)))
        for p, t in zip(postures, times, strict=True)
    ]
