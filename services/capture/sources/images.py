"""Folders of images, played like a video."""

import contextlib
import math
import re
from pathlib import Path

import cv2
import numpy as np

from services.capture.encoding import decode
from services.capture.errors import SourceLost
from services.capture.jpeg import CameraJpeg, ready_to_send
from services.capture.playback import Playback
from services.capture.sizing import Image
from services.capture.sources.recording import RecordingSource
from services.capture.sources.source import BrokenFrame

NS = 1_000_000_000
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}

_JPEG, _EXIF, _HEADER = b"\xff\xd8", b"Exif\0", 4096


class ImagesSource(RecordingSource):
    """The images of one folder, in the order of their numbers: 2.jpg comes before 10.jpg."""

    def __init__(self, folder: Path, fps: float, track: str, playback: Playback, *, loop: bool) -> None:
        """List it. Raises SourceLost when it holds no image."""
        super().__init__(track, playback, loop=loop)
        self._paths = sorted((p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES), key=_natural)
        if not self._paths:
            raise SourceLost(f"folder {folder} holds no image ({', '.join(sorted(SUFFIXES))})")
        self._fps = fps
        self._frame = -1
        self._read: tuple[int, bytes] = (-1, b"")

    def step(self) -> int | None:
        if self._frame + 1 >= len(self._paths):
            return None
        self._frame += 1
        return round(self._frame * NS / self._fps)

    def jpeg(self) -> CameraJpeg | None:
        try:
            return ready_to_send(self._data())
        except OSError:
            return None

    def retrieve(self) -> Image:
        try:
            image = _decode(self._data())
        except (OSError, cv2.error):
            image = None
        if image is None:
            raise BrokenFrame(f"{self._paths[self._frame]} is no image that can be read")
        return image

    def _data(self) -> bytes:
        if self._read[0] != self._frame:
            # Unbuffered, since it is read whole: a third of the CPU of Path.read_bytes.
            with self._paths[self._frame].open("rb", buffering=0) as file:
                self._read = self._frame, file.readall()
        return self._read[1]

    def seek(self, media_ns: int) -> None:
        self._frame = min(math.ceil(media_ns * self._fps / NS - 1e-6), len(self._paths)) - 1

    @property
    def length_ns(self) -> int:
        return round(len(self._paths) * NS / self._fps)

    def release(self) -> None:
        pass


def _decode(data: bytes) -> Image | None:
    if data.startswith(_JPEG) and _EXIF not in data[:_HEADER]:
        with contextlib.suppress(ValueError):  # OpenCV knows rarer kinds
            return decode(data)
    # A photograph is turned as its EXIF says.
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)  # type: ignore[return-value]  # 8 bits


def _natural(path: Path) -> list[tuple[int, str]]:
    return [
        (int(part), "") if part.isdigit() else (-1, part.lower()) for part in re.split(r"(\d+)", path.name)
    ]
