"""Recordings as 640×480 JPEGs, as a webcam gives them: made once, kept in the cache."""

import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from demo import fetch

WIDTH, HEIGHT = 640, 480
RECORDED_FPS = 60
QUALITY = 90
"""Of the camera's own JPEG, before capture compresses it anew."""

Image = NDArray[np.uint8]


def clips(cameras: int) -> list[list[Path]]:
    """For each camera the frames of one recording, in order; a fifth camera sees what the first sees.

    Raises demo.fetch.FetchError when the recording cannot be had.
    """
    videos = fetch.recording()
    root = fetch.cache_folder() / f"bench-{fetch.RECORDING.version}-{WIDTH}x{HEIGHT}"
    made = [_clip(video, root / video.stem) for video in videos[:cameras]]
    return [made[number % len(made)] for number in range(cameras)]


def _clip(video: Path, folder: Path) -> list[Path]:
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=folder.parent))
        capture = cv2.VideoCapture(str(video))
        number = 0
        while True:
            there, image = capture.read()
            if not there:
                break
            jpeg = simplejpeg.encode_jpeg(_landscape(np.asarray(image, np.uint8)), QUALITY, "BGR", "420")
            (part / f"{number:04}.jpg").write_bytes(jpeg)
            number += 1
        capture.release()
        try:
            part.replace(folder)
        except OSError:  # somebody else was faster
            shutil.rmtree(part)
    return sorted(folder.glob("*.jpg"))


def _landscape(image: Image) -> Image:
    """The whole upright picture in the middle; beside it a blur of itself, which costs what a room costs to decode."""
    height, width = image.shape[:2]
    shown = cv2.resize(image, (width * HEIGHT // height, HEIGHT), interpolation=cv2.INTER_AREA)
    canvas = cv2.GaussianBlur(cv2.resize(image, (WIDTH, HEIGHT)), (0, 0), 9)
    left = (WIDTH - shown.shape[1]) // 2
    canvas[:, left : left + shown.shape[1]] = shown
    return np.ascontiguousarray(canvas, np.uint8)


def at_rate(frames: list[Path], fps: float) -> list[Path]:
    """What a camera of that rate would have taken, forth and back: played over and over, the person never jumps."""
    there_and_back = frames + frames[-2:0:-1]
    taken = max(1, round(len(there_and_back) * fps / RECORDED_FPS))
    return [there_and_back[number * len(there_and_back) // taken] for number in range(taken)]


def folder_of(frames: list[Path], folder: Path) -> Path:
    """A folder of links to these frames, in this order, for capture to play."""
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames):
        (folder / f"{number:05}.jpg").symlink_to(frame)
    return folder
