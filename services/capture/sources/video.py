"""Video files, and video files behind an HTTP address."""

import math
from pathlib import Path

import cv2

from services.capture.addresses import redact
from services.capture.errors import SourceLost
from services.capture.playback import Playback
from services.capture.sizing import Image
from services.capture.sources import opencv
from services.capture.sources.recording import RecordingSource

NS = 1_000_000_000
FALLBACK_FPS = 30.0
REGULAR_NS = 2_000_000


class VideoSource(RecordingSource):
    """One video file."""

    def __init__(self, location: str, track: str, playback: Playback, *, loop: bool) -> None:
        """Open it. Raises SourceLost: no such file, or no video."""
        super().__init__(track, playback, loop=loop)
        self._shown = redact(location)
        if "://" not in location and not Path(location).is_file():
            raise SourceLost(_missing(location))
        # One thread: frames are decoded ahead of their time, and cameras have a thread each already.
        capture = opencv.open_capture(location, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        if capture is None or not capture.grab():
            if capture is not None:
                capture.release()
            raise SourceLost(
                f"{self._shown} is no video that can be read: give a file that a video player shows"
            )
        self._capture = capture
        fps = float(capture.get(cv2.CAP_PROP_FPS))
        self._fps = fps if 0.1 <= fps <= 1000 else FALLBACK_FPS
        self._first_ms = float(capture.get(cv2.CAP_PROP_POS_MSEC))
        self._frame = -1
        self._position_ns = 0
        self._ahead = True

    def step(self) -> int | None:
        if self._ahead:
            # The frame that opening, or going to a position, has grabbed.
            self._ahead = False
        elif not self._capture.grab():
            return None
        self._frame += 1
        self._position_ns = self._position()
        return self._position_ns

    def _position(self) -> int:
        nominal_ns = round(self._frame * NS / self._fps)
        stamp_ns = round((float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) - self._first_ms) * 1e6)
        # The file's own stamps are rounded, each container's in its own way; frame n of a regular recording is to
        # have the same time in all of them. Phones record at an irregular rate: there the stamps count.
        return nominal_ns if abs(stamp_ns - nominal_ns) < REGULAR_NS else max(0, stamp_ns)

    def retrieve(self) -> Image:
        return opencv.retrieve(self._capture, self._shown)

    def seek(self, media_ns: int) -> None:
        self._frame = math.ceil(media_ns * self._fps / NS - 1e-6) - 1
        self._capture.set(cv2.CAP_PROP_POS_FRAMES, self._frame + 1)
        self._ahead = False

    @property
    def length_ns(self) -> int:
        return max(self._position_ns, 0) + round(NS / self._fps)

    def release(self) -> None:
        self._capture.release()


def _missing(location: str) -> str:
    hint = ""
    if "," in location:
        hint = "; several cameras are written NAME:FILE,NAME:FILE"
    return f"there is no file {location}{hint}"
