"""What is found in a camera's frames, and what finds it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.pose.decode import Image

LANDMARKS = 33

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


DEFAULT_OPTIONS = TrackerOptions()


class Tracker(Protocol):
    """One camera's tracker: keeps state from frame to frame, used by one thread at a time."""

    def track(self, image: Image, time_us: int, options: TrackerOptions = DEFAULT_OPTIONS, /) -> Found:
        """Find landmarks in an RGB image (height, width, 3), releasing the GIL.

        `time_us` is the capture time on any clock. Raises InferenceFailed, after which the tracker begins anew.
        """


class Model(Protocol):
    """What makes trackers."""

    def prepare(self, options: TrackerOptions = DEFAULT_OPTIONS, /) -> None:
        """Load whatever these options need, up to half a second. From any thread. Raises ModelNotLoaded."""

    def tracker(self) -> Tracker:
        """One more camera's; costs nothing."""


class IdleModel:
    """Finds the same standing person in every frame without looking: for benches of everything but the model."""

    def prepare(self, _options: TrackerOptions = DEFAULT_OPTIONS, /) -> None:
        """There is nothing to load."""

    def tracker(self) -> Tracker:
        """It keeps no state."""
        return self

    def track(self, image: Image, _time_us: int, _options: TrackerOptions = DEFAULT_OPTIONS, /) -> Found:
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
