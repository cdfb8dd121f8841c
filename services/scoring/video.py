"""Reads a sample video file, frame after frame, as JPEGs for the pose service."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import simplejpeg

from services.scoring.errors import NoVideo, TooLarge

LONGEST_SIDE = 1280
"""Larger pictures are made smaller: the model looks at 256 pixels of the person."""
QUALITY = 92


@dataclass(frozen=True, slots=True)
class SampleFrame:
    """One frame of the video."""

    number: int
    """In the video, from 0."""
    time_s: float
    jpeg: bytes


class SampleVideo:
    """An open video file. Blocking: use it from a thread. Close it."""

    def __init__(self, path: Path, *, label: str, longest_s: float, most_fps: float) -> None:
        """Raises NoVideo or TooLarge. `label` names the file in messages."""
        self._label = label
        self._capture = cv2.VideoCapture(str(path))
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        if not self._capture.isOpened() or not math.isfinite(fps) or fps <= 0:
            self._capture.release()
            raise NoVideo(f"{label} is no video that can be read; MP4 with H.264 always works")
        self.fps = min(float(fps), 240.0)
        self.frames = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        self.step = max(1, math.ceil(self.fps / most_fps - 0.05))
        """Every so manieth frame is looked at."""
        if self.frames / self.fps > longest_s:
            self.close()
            raise TooLarge(
                f"{label} lasts {self.frames / self.fps:.0f} s; at most {longest_s:.0f} s are taken: cut it to a few repetitions"
            )
        self._longest = longest_s

    def read(self) -> Iterator[SampleFrame]:
        """The frames to look at, in order. Raises NoVideo if there is none."""
        number = -1
        while self._capture.grab():
            number += 1
            if number % self.step:
                continue
            if number / self.fps > self._longest:
                break
            good, picture = self._capture.retrieve()
            if not good or picture is None:
                continue
            height, width = picture.shape[:2]
            shrink = LONGEST_SIDE / max(height, width)
            if shrink < 1.0:
                size = (round(width * shrink), round(height * shrink))
                picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            jpeg = simplejpeg.encode_jpeg(picture, quality=QUALITY, colorspace="BGR")
            # By number, not by the container's stamps: those of many files are broken, and numbers are the time base.
            yield SampleFrame(number, number / self.fps, jpeg)
        if number < 0:
            raise NoVideo(f"{self._label} holds no picture that can be decoded; convert it to MP4 with H.264")
        self.frames = number + 1

    def close(self) -> None:
        """Let go of the file."""
        self._capture.release()
