"""Finds a person's landmarks in the frames of one camera, one frame after the other."""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.pose.decode import Image
from services.pose.errors import InferenceFailed, ModelNotLoaded
from services.pose.loading import load_mediapipe
from services.pose.native_log import without_known_noise

LANDMARKS = 33
NOMINAL_STEP_US = 33_333
"""Time between frames where their timestamps do not tell."""
WIDEST_STEP_US = 60_000_000
"""After so long nothing of the smoothing is left anyway."""
MASK_THRESHOLD = 0.5
MASK_WIDTH = 320
"""Masks are thinned to about this width: the model computes them at 256."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Person:
    """33 BlazePose landmarks of one person, in MediaPipe's order."""

    image_px: Floats
    """(33, 2): x, y in pixels, origin top left, y down."""
    image_normalised: Floats
    """(33, 3): x, y as shares of width and height; z in units of width, from the middle of the hips."""
    world_m: Floats
    """(33, 3): metres, origin the middle of the hips, x to the image's right, y down, z away from the camera."""
    visibility: Floats
    """(33,): likelihood that the landmark is in the frame and not hidden."""
    presence: Floats
    """(33,): likelihood that the landmark is in the frame."""


@dataclass(frozen=True, slots=True)
class Mask:
    """Which pixels belong to the followed person, thinned."""

    width: int
    height: int
    bits_zlib: bytes
    """Row-major, one bit a pixel, most significant first, rows padded to whole bytes; compressed by zlib."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one frame holds."""

    width: int
    height: int
    persons: int
    person: Person | None
    """The followed person. None: nobody was found."""
    mask: Mask | None = None
    """None: not asked for, or nobody was found."""
    model_cpu_ns: int = 0
    """CPU that the model took of the caller's thread, beside that of its own threads."""


@dataclass(frozen=True, slots=True)
class TrackerOptions:
    """What a camera asks of its tracker."""

    segmentation: bool = False
    max_persons: int = 1


class Tracker(Protocol):
    """One camera's tracker: keeps state from frame to frame, used by one thread at a time."""

    def track(self, image: Image, time_us: int, /) -> Found:
        """Find landmarks. `time_us` is the capture time on any clock; raises InferenceFailed."""

    def close(self) -> None:
        """Free the model."""


class MediaClock:
    """Turns capture times into the strictly rising milliseconds that MediaPipe demands.

    The steps matter, as MediaPipe smooths by speed: had a step back become one of a millisecond, the landmarks would
    stick for as long as the step was wide.
    """

    def __init__(self) -> None:
        self._last_us: int | None = None
        self._now_us = 0
        self._last_ms = -1

    def tick(self, time_us: int) -> int:
        """Milliseconds since the first frame; a time that does not rise counts as one nominal step."""
        if self._last_us is not None:
            step_us = time_us - self._last_us
            self._now_us += min(step_us, WIDEST_STEP_US) if step_us > 0 else NOMINAL_STEP_US
        self._last_us = time_us
        self._last_ms = max(self._last_ms + 1, self._now_us // 1000)
        return self._last_ms


class MediaPipeTracker:
    """MediaPipe's PoseLandmarker in VIDEO mode. Its calls release the GIL."""

    def __init__(self, task: Path, options: TrackerOptions) -> None:
        """Load the model, 30 to 300 ms. Raises ModelNotLoaded."""
        load_mediapipe()
        from mediapipe.tasks.python.core.base_options import BaseOptions
        from mediapipe.tasks.python.vision import PoseLandmarkerOptions, RunningMode

        from services.pose.detector import Detector
        from services.pose.models.masks import without_masks

        self._clock = MediaClock()
        self._followed: Floats | None = None
        bundle = task if options.segmentation else without_masks(task)
        settings = PoseLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(bundle)),
            running_mode=RunningMode.VIDEO,
            num_poses=options.max_persons,
            output_segmentation_masks=options.segmentation,
        )
        try:
            with without_known_noise():
                self._detector = Detector(settings)
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelNotLoaded(f"MediaPipe does not load {task}: {error}") from error

    def track(self, image: Image, time_us: int, /) -> Found:
        """Find landmarks in an RGB image (height, width, 3)."""
        height, width = image.shape[:2]
        try:
            detected, masks, cpu_ns = self._detector.detect(image, self._clock.tick(time_us))
        except (RuntimeError, ValueError) as error:
            raise InferenceFailed(
                f"MediaPipe failed on a frame of {width}×{height} pixels: {error}"
            ) from error
        if not detected:
            self._followed = None
            return Found(width, height, persons=0, person=None, model_cpu_ns=cpu_ns)
        size = np.array([width, height], dtype=np.float32)
        in_pixels = [one.normalised[:, :2] * size for one in detected]
        chosen = follow(in_pixels, self._followed)
        one, self._followed = detected[chosen], in_pixels[chosen]
        return Found(
            width,
            height,
            persons=len(detected),
            person=Person(in_pixels[chosen], one.normalised, one.world_m, one.visibility, one.presence),
            mask=pack_mask(masks[chosen]) if masks else None,
            model_cpu_ns=cpu_ns,
        )

    def close(self) -> None:
        """Free the model."""
        self._detector.close()


class IdleTracker:
    """Finds the same standing person in every frame without looking: for benches of everything but the model."""

    def track(self, image: Image, _time_us: int, /) -> Found:
        """The same landmarks, whatever the frame holds."""
        height, width = image.shape[:2]
        centre = np.full((LANDMARKS, 2), 0.5, dtype=np.float32)
        certain = np.ones(LANDMARKS, dtype=np.float32)
        person = Person(
            image_px=centre * np.array([width, height], dtype=np.float32),
            image_normalised=np.pad(centre, ((0, 0), (0, 1))),
            world_m=np.zeros((LANDMARKS, 3), dtype=np.float32),
            visibility=certain,
            presence=certain,
        )
        return Found(width, height, persons=1, person=person)

    def close(self) -> None:
        """Nothing to free."""


def follow(persons: list[Floats], followed: Floats | None) -> int:
    """Index of the person to follow among `persons`, each (33, 2) in pixels.

    The one whose box overlaps most with the person followed before; the largest where none does: somebody walking
    through in front does not take over.
    """
    if len(persons) == 1:
        return 0
    boxes = [_box(points) for points in persons]
    if followed is not None:
        before = _box(followed)
        overlaps = [_overlap(box, before) for box in boxes]
        if max(overlaps) > 0:
            return int(np.argmax(overlaps))
    return int(np.argmax([_area(box) for box in boxes]))


def _box(points: Floats) -> Floats:
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def _area(box: Floats) -> float:
    return float(max(box[2] - box[0], 0) * max(box[3] - box[1], 0))


def _overlap(a: Floats, b: Floats) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1)."""
    common = _area(np.concatenate([np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])]))
    union = _area(a) + _area(b) - common
    return common / union if union > 0 else 0.0


def pack_mask(likelihood: NDArray[np.float32]) -> Mask:
    """A likelihood (height, width[, 1]) as thinned, compressed yes or no."""
    step = max(1, -(-likelihood.shape[1] // MASK_WIDTH))
    inside = likelihood.reshape(likelihood.shape[:2])[::step, ::step] > MASK_THRESHOLD
    bits = np.packbits(inside, axis=1)
    return Mask(inside.shape[1], inside.shape[0], zlib.compress(bits.tobytes(), level=1))
