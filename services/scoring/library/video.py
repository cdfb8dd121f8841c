"""Reads a sample video file, frame after frame, as JPEGs for the pose service.

OpenCV is loaded where it is used: a replica that scores sessions only does without its 20 MB.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from services.scoring.errors import CutOff, NoVideo, TooLarge

LONGEST_SIDE = 1280
"""Larger pictures are made smaller: the model looks at 256 pixels of the person."""
QUALITY = 92
Picture = NDArray[np.uint8]
"""(height, width, 3) BGR."""
WHOLE_SHARE = 0.9
"""A video of which less than this can be decoded, by frames and by time, was cut off. Containers tell both roughly."""
_NEEDED_BOXES = (b"mdat", b"moov", b"moof")


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
        """Raises NoVideo, CutOff or TooLarge. `label` names the file in messages."""
        import cv2

        self._label = label
        if ends_early(path):
            raise self._cut_off("ends in the middle")
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
        """The frames to look at, in order. Raises NoVideo if there is none, CutOff after the last if some are missing."""
        import cv2

        number = -1
        reached_s = 0.0
        declared = self.frames
        while self._capture.grab():
            number += 1
            reached_s = max(reached_s, self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
            if number % self.step:
                continue
            if number / self.fps > self._longest:
                declared = 0
                break
            picture = self._picture()
            if picture is None:
                continue
            jpeg = simplejpeg.encode_jpeg(picture, quality=QUALITY, colorspace="BGR")
            # By number, not by the container's stamps: those of many files are broken, and numbers are the time base.
            yield SampleFrame(number, number / self.fps, jpeg)
        if number < 0:
            raise NoVideo(f"{self._label} holds no picture that can be decoded; convert it to MP4 with H.264")
        self.frames = number + 1
        # Frames alone say little where the container knows its length in seconds only and the rate is guessed.
        too_few = self.frames < WHOLE_SHARE * declared - 1
        if too_few and reached_s + 1 / self.fps < WHOLE_SHARE * declared / self.fps:
            raise self._cut_off(f"has {self.frames} frames where it says {declared}")

    def pictures(self, numbers: Collection[int]) -> dict[int, Picture]:
        """The frames of these numbers, as large as `read` gives them; those that cannot be decoded are left out.

        For a video nothing was read of yet.
        """
        found: dict[int, Picture] = {}
        last = max(numbers, default=-1)
        for number in range(last + 1):
            if not self._capture.grab():
                break
            if number in numbers and (picture := self._picture()) is not None:
                found[number] = picture
        return found

    def _picture(self) -> Picture | None:
        """The frame grabbed last, made smaller if it is large."""
        import cv2

        good, picture = self._capture.retrieve()
        if not good or picture is None:
            return None
        height, width = picture.shape[:2]
        shrink = LONGEST_SIDE / max(height, width)
        if shrink < 1.0:
            size = (round(width * shrink), round(height * shrink))
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        return np.asarray(picture, dtype=np.uint8)

    def _cut_off(self, how: str) -> CutOff:
        return CutOff(f"{self._label} {how}: the upload broke off or the file is damaged; send it again")

    def close(self) -> None:
        """Let go of the file."""
        self._capture.release()


def ends_early(path: Path) -> bool:
    """Whether an MP4 or MOV file is shorter than its boxes say (ISO/IEC 14496-12, 4.2). Others are not judged."""
    size = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at + 8 <= size:
            file.seek(at)
            head = file.read(16)
            kind = head[4:8]
            length = int.from_bytes(head[:4], "big")
            if at == 0 and kind != b"ftyp":
                return False
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            if length < 8:  # 0: up to the end of the file; anything else is none
                return False
            if at + length > size:
                return kind in _NEEDED_BOXES
            at += length
    return False
