"""Optical markers of performed exercises, turned into what a virtual camera and a pose model would give."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.scoring.movement.landmarks import LANDMARKS, Bools, Landmark, Recording

Floats = NDArray[np.float64]
DESIGN: Final = range(1, 6)
"""Movements scoring was designed on; the others are reported apart."""
RATE_HZ: Final = 30.0
CAMERA_DEG: Final = 45.0
"""Where the virtual camera stands, from the person's front towards their left."""
PIXELS_A_METRE: Final = 180.0


@dataclass(frozen=True)
class Noise:
    """Errors of a pose model, emulated."""

    jitter_m: float
    """Standard deviation of each coordinate from frame to frame."""
    bias_m: float
    """… and of an offset of each landmark that stays for a whole performance."""
    yaw_deg: float
    """Camera direction differs by up to so much from performance to performance."""


NOISES: Final = {
    "clean": Noise(0.0, 0.0, 0.0),
    "moderate": Noise(0.015, 0.020, 10.0),
    "heavy": Noise(0.030, 0.040, 20.0),
}
"""moderate is that of the notes this follows; heavy is twice as much."""


@dataclass(frozen=True)
class Performance:
    """One repetition by one person."""

    movement: int
    subject: int
    episode: int
    correct: bool
    world_m: Floats
    """(frames, 33, 3) as MediaPipe gives world landmarks."""


# Landmark ← markers whose mean stands for it. Side letters are filled in.
_SOURCES: Final = {
    "SHOULDER": ("SHO",),
    "ELBOW": ("ELB",),
    "WRIST": ("WRA", "WRB"),
    "KNEE": ("KNE",),
    "ANKLE": ("ANK",),
    "HEEL": ("HEE",),
    "FOOT_INDEX": ("TOE",),
    "EAR": ("FHD", "BHD"),
}
HIP_DROP_M: Final = 0.09
HIP_INWARD: Final = 0.25
"""Hip joints lie below and inwards of the pelvis markers: by this, and by this share of the half width."""


FEWEST_FRAMES: Final = 10
"""A third of a second: less is no repetition but a recording that broke off."""
BODY_SHARE: Final = 0.5
"""Share of the markers that a frame with a body in it has."""
_NEEDED: Final = frozenset(
    side + name
    for side in "LR"
    for name in (*(name for names in _SOURCES.values() for name in names), "ASI", "PSI", "FIN")
)


@dataclass(frozen=True)
class Dataset:
    """What a file holds."""

    performances: list[Performance]
    too_short: list[str]
    """Episodes left out because they hold fewer frames with a body in them than FEWEST_FRAMES, as m10 s05 e09."""


class BadData(Exception):
    """A file that is not of the form described in shared/data/README.md."""


def load(path: Path) -> Dataset:
    """All performances in a file of the form described in shared/data/README.md (`ui-prmd`).

    Zeros and NaN are gaps. Raises BadData if the file is of another form.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            markers = [str(name) for name in stored["markers"]]
            xyz = stored["xyz_mm"].astype(np.float64) / 1000.0
            offsets = stored["offsets"].astype(np.int64)
            index = stored["index_m_s_e_correct"].astype(np.int64)
    except (OSError, KeyError, ValueError) as error:
        raise BadData(f"{path} is no file of movements in the form of UI-PRMD here: {error}") from error
    missing = sorted(_NEEDED - set(markers))
    if missing:
        raise BadData(f"{path} lacks the markers {', '.join(missing)}")
    if (
        xyz.shape[1:] != (len(markers), 3)
        or len(offsets) != len(index) + 1
        or (np.diff(offsets, prepend=0, append=len(xyz)) < 0).any()
    ):
        raise BadData(
            f"{path}: its offsets and index do not fit its {len(xyz)} frames of {len(markers)} markers"
        )
    xyz[(xyz == 0).all(axis=-1)] = np.nan
    found, too_short = [], []
    for (movement, subject, episode, correct), start, end in zip(
        index.tolist(), offsets[:-1], offsets[1:], strict=True
    ):
        episode_xyz = xyz[start:end]
        body = np.isfinite(episode_xyz).all(axis=-1).mean(axis=-1) >= BODY_SHARE
        if body.sum() < FEWEST_FRAMES:
            too_short.append(f"m{movement:02d} s{subject:02d} e{episode:02d}")
            continue
        world = _landmarks(_filled(episode_xyz), markers)
        found.append(Performance(movement, subject, episode, bool(correct), _seen(world, CAMERA_DEG)))
    return Dataset(found, too_short)


def _filled(xyz: Floats) -> Floats:
    """Gaps bridged in time; a marker missing throughout becomes the mean of the others, which is far off but finite."""
    out = xyz.copy()
    rows = np.arange(len(out))
    good: Bools = np.asarray(np.isfinite(out).all(axis=2))
    for marker, axis in product(np.flatnonzero(good.any(axis=0)), range(3)):
        known = good[:, marker]
        out[~known, marker, axis] = np.interp(rows[~known], rows[known], out[known, marker, axis])
    lost = ~good.any(axis=0)
    if lost.any():
        out[:, lost] = out[:, ~lost].mean(axis=1, keepdims=True)
    return out


def _landmarks(xyz: Floats, markers: list[str]) -> Floats:
    """(frames, 33, 3) in the laboratory's axes, z up."""

    def mean(*names: str) -> Floats:
        out: Floats = xyz[:, [markers.index(name) for name in names]].mean(axis=1)
        return out

    world = np.repeat(mean("LFHD", "RFHD")[:, None], LANDMARKS, axis=1)
    for side, letter in (("LEFT", "L"), ("RIGHT", "R")):
        for name, sources in _SOURCES.items():
            world[:, Landmark[f"{side}_{name}"]] = mean(*(letter + source for source in sources))
        pelvis = mean(f"{letter}ASI", f"{letter}PSI")
        centre = mean("LASI", "RASI", "LPSI", "RPSI")
        hip = pelvis + HIP_INWARD * (centre - pelvis)
        hip[:, 2] -= HIP_DROP_M
        world[:, Landmark[f"{side}_HIP"]] = hip
        for finger in (2, 4, 6):  # pinky, index, thumb follow the wrist in the numbering
            world[:, Landmark[f"{side}_WRIST"] + finger] = mean(f"{letter}FIN")
    return world


def _seen(world: Floats, camera_deg: float) -> Floats:
    """In MediaPipe's axes, for a camera that sees the person from `camera_deg`, with the hips' middle as origin."""
    hips = world[:, (Landmark.LEFT_HIP, Landmark.RIGHT_HIP)]
    across = (hips[:, 0] - hips[:, 1]).mean(axis=0)
    # The person's left in the horizontal plane; turned so that they face the camera, then by the camera's angle.
    facing = np.arctan2(across[1], across[0])
    angle = facing + np.radians(camera_deg)
    flat = world - hips.mean(axis=1, keepdims=True)
    x = flat[..., 0] * np.cos(angle) + flat[..., 1] * np.sin(angle)
    away = -flat[..., 0] * np.sin(angle) + flat[..., 1] * np.cos(angle)
    out: Floats = np.stack((x, -flat[..., 2], away), axis=-1)
    return out


def disturbed(world_m: Floats, noise: Noise, rng: np.random.Generator) -> Floats:
    """The landmarks with a pose model's errors."""
    if noise == NOISES["clean"]:
        return world_m
    yaw = np.radians(rng.uniform(-noise.yaw_deg, noise.yaw_deg))
    cos, sin = np.cos(yaw), np.sin(yaw)
    turned = world_m.copy()
    turned[..., 0] = cos * world_m[..., 0] + sin * world_m[..., 2]
    turned[..., 2] = -sin * world_m[..., 0] + cos * world_m[..., 2]
    bias = rng.normal(0.0, noise.bias_m, size=(1, LANDMARKS, 3))
    jitter = rng.normal(0.0, noise.jitter_m, size=world_m.shape)
    out: Floats = turned + bias + jitter
    return out


def recording(world_m: Floats) -> Recording:
    """As if the camera's video had been looked at."""
    n = len(world_m)
    image = world_m[..., :2] * PIXELS_A_METRE + np.array([320.0, 240.0])
    return Recording(np.arange(n) / RATE_HZ, image, world_m, np.ones((n, LANDMARKS)), RATE_HZ)
