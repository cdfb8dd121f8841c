"""OpenCV as it is to be here: silent, with one thread a camera."""

import os
from collections.abc import Sequence

# FFmpeg prints addresses, credentials included, to stderr unless told otherwise before its first use.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2

from services.capture.sizing import Image
from services.capture.sources.source import BrokenFrame

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
# Each camera has its thread already; OpenCV's own pool would only add hand-overs.
cv2.setNumThreads(1)


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
