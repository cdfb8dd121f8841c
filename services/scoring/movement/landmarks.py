"""The 33 BlazePose landmarks, and what scoring is given: one instant of several views, or a whole recording."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LANDMARKS = 33


class Landmark(IntEnum):
    """Index of each landmark scoring uses, in MediaPipe's order. Left and right are the person's own."""

    NOSE = 0
    LEFT_EAR = 7
    RIGHT_EAR = 8
    LEFT_SHOULDER = 11
    RIGHT_SHOULDER = 12
    LEFT_ELBOW = 13
    RIGHT_ELBOW = 14
    LEFT_WRIST = 15
    RIGHT_WRIST = 16
    LEFT_HIP = 23
    RIGHT_HIP = 24
    LEFT_KNEE = 25
    RIGHT_KNEE = 26
    LEFT_ANKLE = 27
    RIGHT_ANKLE = 28
    LEFT_HEEL = 29
    RIGHT_HEEL = 30
    LEFT_FOOT_INDEX = 31
    RIGHT_FOOT_INDEX = 32


@dataclass(frozen=True, slots=True)
class Mask:
    """Which pixels of a picture belong to the person; as komi.common.v1.SegmentationMask, unpacked by `outline.py`."""

    width: int
    """Pixels of the mask."""
    height: int
    image_width: int
    """Pixels of the picture that the landmarks are in."""
    image_height: int
    bits_zlib: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class View:
    """What one camera saw of the person at one instant."""

    camera_id: str
    image_px: Floats
    """(33, 2) pixels, origin top left, y down. NaN where unknown."""
    world_m: Floats
    """(33, 3) metres from the middle of the hips, x to the image's right, y down, z away from the camera."""
    visibility: Floats
    """(33,) likelihood, 0 to 1, that the landmark is in the picture and not hidden."""
    mask: Mask | None = None
    """Which pixels are the person's. None: not asked for."""


@dataclass(frozen=True, slots=True)
class SyncedViews:
    """The views of one instant; cameras that saw nobody are left out."""

    time_s: float
    """On the session's clock, seconds, strictly growing from set to set."""
    views: tuple[View, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """Landmarks of a whole video, one row a frame; frames without a person hold NaN and visibility 0."""

    times_s: Floats
    """(n,) position of each frame in the video, seconds, growing."""
    image_px: Floats
    """(n, 33, 2), as in `View`."""
    world_m: Floats
    """(n, 33, 3), as in `View`."""
    visibility: Floats
    """(n, 33), as in `View`."""
    fps: float
    """Nominal frame rate of the video."""
    persons: NDArray[np.int64] | None = None
    """(n,) people seen in each frame. None: not counted."""
    frame_numbers: NDArray[np.int64] | None = None
    """(n,) number of each frame in the video, where not every frame was looked at. None: 0, 1, 2, …"""
    video_frames: int = 0
    """Frames of the video. 0: as many as there are rows."""
    masks: tuple[Mask | None, ...] = ()
    """(n) which pixels are the person's. Empty: not asked for."""
    picture: tuple[int, int] = (0, 0)
    """Width and height of the pictures that the landmarks are in, pixels. 0: not known."""

    def __post_init__(self) -> None:
        n = len(self.times_s)
        shapes = {
            "image_px": (self.image_px, (n, LANDMARKS, 2)),
            "world_m": (self.world_m, (n, LANDMARKS, 3)),
            "visibility": (self.visibility, (n, LANDMARKS)),
        }
        for name, (values, shape) in shapes.items():
            if values.shape != shape:
                raise ValueError(f"{name} of a recording of {n} frames has shape {values.shape}, not {shape}")

    @property
    def found(self) -> Bools:
        """(n,) frames with a person: at least half of the landmarks are known, and one is visible.

        A single missing landmark is a gap to be filled, no missing person.
        """
        known = np.isfinite(self.world_m).all(axis=2) & np.isfinite(self.image_px).all(axis=2)
        seen: Bools = (known.mean(axis=1) >= 0.5) & (np.nan_to_num(self.visibility).max(axis=1) > 0)
        return seen

    def view(self, frame: int, camera_id: str = "sample") -> View:
        """One frame as a live camera would have given it."""
        mask = self.masks[frame] if self.masks else None
        return View(camera_id, self.image_px[frame], self.world_m[frame], self.visibility[frame], mask)
