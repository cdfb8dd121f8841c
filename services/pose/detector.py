"""MediaPipe's PoseLandmarker by its C functions, from the caller's own thread.

Its Python side hands each call to a thread of its own and waits, twice a frame, registers two dozen functions anew for each
image, and makes an object of each landmark: a tenth of a millisecond of CPU and, on a busy machine, almost one of waiting.
The model is still loaded and closed by it. What is used here beside its public names is held against `detect_for_video`
by a test.
"""

import ctypes
from dataclasses import dataclass
from time import thread_time_ns
from typing import Any, NamedTuple

import numpy as np
from mediapipe.tasks.python.components.containers import landmark_c
from mediapipe.tasks.python.core.mediapipe_c_utils import MpStatus, convert_to_exception
from mediapipe.tasks.python.vision import pose_landmarker
from mediapipe.tasks.python.vision.core.image import Image as MediaPipeImage
from mediapipe.tasks.python.vision.core.image import ImageFormat
from numpy.typing import NDArray

from services.pose.decode import Image

Floats = NDArray[np.float32]

LANDMARKS = 33
_OK = int(MpStatus.MP_OK)
_SRGB = int(ImageFormat.SRGB)
_PIXELS = ctypes.POINTER(ctypes.c_uint8)
_BYTES = ctypes.sizeof(landmark_c.MpLandmarkC)
_FLOATS = _BYTES // 4
_VISIBILITY = landmark_c.MpLandmarkC.visibility.offset // 4
_PRESENCE = landmark_c.MpLandmarkC.presence.offset // 4


@dataclass(frozen=True, slots=True)
class Detected:
    """One person."""

    normalised: Floats
    """(33, 3), shares of the image's width and height."""
    world_m: Floats
    """(33, 3), metres."""
    visibility: Floats
    presence: Floats
    """(33,) both."""


class Detection(NamedTuple):
    """What one image holds."""

    persons: list[Detected]
    masks: list[Any]
    """One a person; empty unless asked for."""
    cpu_ns: int
    """What MediaPipe took of the caller's own thread; that of its threads is not in it."""


class Detector:
    """One landmarker in VIDEO mode; its calls release the GIL. For one thread at a time, any thread."""

    def __init__(self, options: pose_landmarker.PoseLandmarkerOptions) -> None:
        """Load the model. Raises RuntimeError, ValueError or OSError when it does not load."""
        self._landmarker: Any = pose_landmarker.PoseLandmarker.create_from_options(options)
        # Makes MediaPipe tell ctypes what its functions on images take.
        MediaPipeImage(ImageFormat.SRGB, np.zeros((1, 1, 3), np.uint8))
        self._library: Any = self._landmarker._lib._lib  # noqa: SLF001
        self._handle: Any = self._landmarker._handle  # noqa: SLF001

    def detect(self, image: Image, at_ms: int) -> Detection:
        """Persons in an RGB image (height, width, 3) at a time that rises, and their masks if asked for.

        Raises RuntimeError or ValueError.
        """
        library, held, error = self._library, ctypes.c_void_p(), ctypes.c_char_p()
        held_at, error_at = ctypes.byref(held), ctypes.byref(error)
        height, width = image.shape[:2]
        pixels = ctypes.cast(image.ctypes.data, _PIXELS)
        began_ns = thread_time_ns()
        status = library.MpImageCreateFromUint8Data(
            _SRGB, width, height, pixels, image.size, held_at, error_at
        )
        self._check(status, error)
        result = pose_landmarker.MpPoseLandmarkerResultC()
        result_at = ctypes.byref(result)
        try:
            status = library.MpPoseLandmarkerDetectForVideo(
                self._handle, held, None, at_ms, result_at, error_at
            )
            cpu_ns = thread_time_ns() - began_ns
            self._check(status, error)
            try:
                return Detection(_persons(result), _masks(result), cpu_ns)
            finally:
                library.MpPoseLandmarkerCloseResult(result_at)
        finally:
            library.MpImageFree(held)

    def close(self) -> None:
        """Free the model."""
        self._landmarker.close()

    def _check(self, status: int, error: ctypes.c_char_p) -> None:
        if status == _OK and error.value is None:
            return
        failure = convert_to_exception(status, error)
        if error.value is not None:
            self._library.MpErrorFree(error)
        if failure is not None:
            raise failure


def _persons(result: Any) -> list[Detected]:
    persons = []
    for number in range(result.pose_landmarks_count):
        normalised = _floats(result.pose_landmarks[number])
        world = _floats(result.pose_world_landmarks[number])
        persons.append(
            Detected(normalised[:, :3], world[:, :3], normalised[:, _VISIBILITY], normalised[:, _PRESENCE])
        )
    return persons


def _floats(landmarks: Any) -> Floats:
    """A copy of the C structs, as many columns as each has times four bytes."""
    if landmarks.landmarks_count != LANDMARKS:
        raise RuntimeError(f"{landmarks.landmarks_count} landmarks where {LANDMARKS} belong")
    raw = ctypes.string_at(landmarks.landmarks, LANDMARKS * _BYTES)
    return np.frombuffer(raw, np.float32).reshape(LANDMARKS, _FLOATS)


def _masks(result: Any) -> list[Any]:
    return [
        np.array(MediaPipeImage.create_from_ctypes(result.segmentation_masks[number]).numpy_view())
        for number in range(result.segmentation_masks_count)
    ]
