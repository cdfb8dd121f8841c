"""Live cameras behind an address: RTSP, HTTP (Motion JPEG, HLS), RTMP, UDP, SRT; by OpenCV's FFmpeg."""

import cv2

from services.capture.addresses import redact
from services.capture.errors import SourceLost
from services.capture.jpeg import CameraJpeg
from services.capture.sizing import Image
from services.capture.sources import opencv
from services.capture.sources.source import Grabbed
from services.mesh.stages import monotonic_ns

OPEN_TIMEOUT_MS = 5_000
READ_TIMEOUT_MS = 3_000


class NetworkSource:
    """An IP camera."""

    paced = False
    own_clock = None

    def __init__(self, url: str) -> None:
        """Connect. Raises SourceLost."""
        self._shown = redact(url)
        options = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS,
            # Each further thread of FFmpeg's decoder would hold one frame back.
            cv2.CAP_PROP_N_THREADS, 1,
        ]  # fmt: skip
        capture = opencv.open_capture(url, cv2.CAP_FFMPEG, options)
        if capture is None:
            raise SourceLost(
                f"{self._shown} cannot be opened: check that it is reachable, gives video, and accepts the user name "
                f"and password"
            )
        self._capture = capture
        # To be told before the first frame.
        compressed = int(capture.get(cv2.CAP_PROP_FOURCC)) == opencv.MOTION_JPEG and capture.set(
            cv2.CAP_PROP_FORMAT, -1
        )
        self._pictures = opencv.Pictures(capture, self._shown, compressed=compressed)
        self._number = 0

    def grab(self) -> Grabbed:
        if not self._pictures.grab():
            raise SourceLost(f"{self._shown} stopped giving pictures")
        now_ns = monotonic_ns()
        grabbed = Grabbed(self._number, now_ns, now_ns)
        self._number += 1
        return grabbed

    def jpeg(self) -> CameraJpeg | None:
        return self._pictures.jpeg()

    def retrieve(self) -> Image:
        return self._pictures.retrieve()

    def close(self) -> None:
        self._capture.release()
