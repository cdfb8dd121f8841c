"""OpenCV as it is to be here: silent, with one thread a camera, and out of the way of pictures that are JPEGs already."""

import os
from collections.abc import Sequence

# FFmpeg prints addresses, credentials included, to stderr unless told otherwise before its first use.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2

from services.capture.encoding import decode
from services.capture.jpeg import CameraJpeg, ready_to_send
from services.capture.sizing import Image
from services.capture.sources.source import BrokenFrame

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
# Each camera has its thread already; OpenCV's own pool would only add hand-overs.
cv2.setNumThreads(1)

MOTION_JPEG = cv2.VideoWriter.fourcc(*"MJPG")


def open_capture(target: str | int, backend: int, options: Sequence[int] = ()) -> cv2.VideoCapture | None:
    """The opened capture, None when OpenCV cannot open it. `options`: pairs of property and value."""
    try:
        capture = cv2.VideoCapture(target, backend, list(options))
    except cv2.error:
        return None
    if capture.isOpened():
        return capture
    capture.release()
    return None


def retrieve(capture: cv2.VideoCapture, shown: str) -> Image:
    """The frame grabbed last. Raises BrokenFrame naming `shown`."""
    good, image = capture.retrieve()
    if not good or image is None:
        raise BrokenFrame(f"{shown} gave a frame that cannot be decoded")
    return image  # type: ignore[return-value]  # without an output type asked for, frames are 8 bits


class Pictures:
    """The pictures of a capture; of Motion JPEG (`compressed`) OpenCV was told to leave them as they come."""

    def __init__(self, capture: cv2.VideoCapture, shown: str, *, compressed: bool) -> None:
        self._capture = capture
        self._shown = shown
        self._compressed = compressed
        self._data: bytes | None = None

    def grab(self) -> bool:
        """Go to the next one. False: there is none."""
        self._data = None
        return self._capture.grab()

    def jpeg(self) -> CameraJpeg | None:
        """The one grabbed last as the camera compressed it; None: it must be unpacked. Raises BrokenFrame."""
        return ready_to_send(self._raw()) if self._compressed else None

    def retrieve(self) -> Image:
        """The one grabbed last, unpacked. Raises BrokenFrame."""
        if not self._compressed:
            return retrieve(self._capture, self._shown)
        try:
            return decode(self._raw())
        except ValueError as error:
            raise BrokenFrame(f"{self._shown} gave a damaged JPEG: {error}") from error

    def _raw(self) -> bytes:
        if self._data is None:
            self._data = retrieve(self._capture, self._shown).tobytes()
        return self._data
