"""Cameras of this machine, by Video4Linux."""

import contextlib
import fcntl
import os
import re
import struct
from collections.abc import Sequence
from pathlib import Path

import cv2

from services.capture.errors import SourceLost
from services.capture.sizing import Image
from services.capture.sources import opencv
from services.capture.sources.source import Grabbed
from services.mesh.stages import monotonic_ns

QUERYCAP = 0x80685600
"""VIDIOC_QUERYCAP of linux/videodev2.h."""
CAPABILITY = struct.Struct("=16s32s32sIII12x")
"""struct v4l2_capability: driver, card, bus, version, capabilities, device_caps."""
VIDEO_CAPTURE = 0x1
VIDEO_CAPTURE_MPLANE = 0x1000
DEVICE_CAPS = 0x80000000
MOST_AGE_NS = 1_000_000_000
FIRST_TRIES = 10


def find_devices(folder: Path = Path("/dev")) -> list[int]:
    """Indexes of the nodes that give pictures (a webcam has others beside, for metadata)."""
    found = []
    for node in folder.glob("video*"):
        number = re.fullmatch(r"video(\d+)", node.name)
        if number and _gives_pictures(node):
            found.append(int(number[1]))
    return sorted(found)


def _gives_pictures(node: Path) -> bool:
    answer = bytearray(CAPABILITY.size)
    with contextlib.suppress(OSError):
        handle = os.open(node, os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(handle, QUERYCAP, answer)
        finally:
            os.close(handle)
    *_, all_caps, own_caps = CAPABILITY.unpack(answer)
    return bool((own_caps if all_caps & DEVICE_CAPS else all_caps) & (VIDEO_CAPTURE | VIDEO_CAPTURE_MPLANE))


class DeviceSource:
    """A webcam. Asks it for the size and rate that fit best; it gives what it has."""

    paced = False
    own_clock = None

    def __init__(self, index: int | None, width: int, height: int, fps: float) -> None:
        """Open it. `index` None: the first that gives pictures. Raises SourceLost, saying which cameras there are."""
        present = find_devices()
        candidates = present if index is None else [index]
        capture = None
        for candidate in candidates:
            capture = _open(candidate, width, height, fps)
            if capture is not None:
                self._shown = f"camera {candidate}"
                break
        if capture is None:
            raise SourceLost(_missing(index, present))
        self._capture = capture
        self._number = 0

    def grab(self) -> Grabbed:
        if not self._capture.grab():
            raise SourceLost(f"{self._shown} gives no more pictures: is it still plugged in?")
        stamp_ns = _kernel_stamp_ns(self._capture, monotonic_ns())
        grabbed = Grabbed(self._number, stamp_ns, stamp_ns)
        self._number += 1
        return grabbed

    def jpeg(self) -> None:
        """OpenCV unpacks what the driver gives."""

    def retrieve(self) -> Image:
        return opencv.retrieve(self._capture, self._shown)

    def close(self) -> None:
        self._capture.release()


def _open(index: int, width: int, height: int, fps: float) -> cv2.VideoCapture | None:
    options = [
        cv2.CAP_PROP_FRAME_WIDTH,
        width,
        cv2.CAP_PROP_FRAME_HEIGHT,
        height,
        cv2.CAP_PROP_FPS,
        max(30, round(fps)),
    ]
    if width * height > 640 * 480:
        # Uncompressed, USB 2 carries larger pictures at a few frames a second only.
        options = [cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"), *options]
    capture = opencv.open_capture(index, cv2.CAP_V4L2, options)
    if capture is None:
        return None
    # Two buffers: the kernel fills one while the other is read, and no old frame waits behind.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 2)
    for _ in range(FIRST_TRIES):
        if capture.grab():
            return capture
    capture.release()
    return None


def _kernel_stamp_ns(capture: cv2.VideoCapture, now_ns: int) -> int:
    # The driver stamps buffers on CLOCK_MONOTONIC, when the picture came in and not when somebody read it.
    stamp_ns = round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
    return stamp_ns if 0 <= now_ns - stamp_ns <= MOST_AGE_NS else now_ns


def _missing(index: int | None, present: Sequence[int]) -> str:
    there = (
        f"this machine has {', '.join(map(str, present))}"
        if present
        else "this machine has none that is plugged in and may be read"
    )
    if index is None:
        if present:
            return f"no camera gives pictures ({there}): is another program using it?"
        return f"no camera was named, and {there}: plug one in, or name a source with --cameras NAME:INDEX|URL|FILE"
    if index in present:
        return f"camera {index} does not give pictures: is another program using it?"
    return f"there is no camera {index}: {there}"
