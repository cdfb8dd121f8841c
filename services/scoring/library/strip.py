"""Pictures of a reference's repetition side by side, cut out of its sample video. They never reach a log."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import simplejpeg

from services.scoring.errors import BadReferenceFile
from services.scoring.library.video import Picture, SampleVideo
from services.scoring.movement.landmarks import Recording
from services.scoring.reference.template import Kind, Template

PICTURES: Final = 8
HEIGHT: Final = 240
"""Of each picture, pixels."""
NARROWEST: Final = 0.4
WIDEST: Final = 1.8
"""Bounds of a picture's width, as a share of its height."""
MARGIN: Final = 0.15
"""Room around the landmarks, as a share of the person's height: the head goes on above the ears."""
QUALITIES: Final = (80, 50, 20, 5)
"""Of the JPEG: the best that is small enough."""
LARGEST_BYTES: Final = 512 << 10
"""Usual are 60 kB; noise takes up twice this at the best quality, and less than half at the poorest."""
_WIDEST_STRIP: Final = PICTURES * (round(WIDEST * HEIGHT) + 2)


@dataclass(frozen=True, slots=True)
class Strip:
    """What is stored with a version of a reference."""

    jpeg: bytes = field(repr=False)
    """The pictures side by side, all of one width."""
    frames: tuple[int, ...]
    """Frames of the sample video they show, from left to right."""


def make_strip(path: Path, recording: Recording, template: Template) -> Strip | None:
    """The strip of a video that became a template; None where its frames cannot be had a second time. Blocking."""
    wanted = key_frames(template)
    video = SampleVideo(path, label="the video", longest_s=math.inf, most_fps=math.inf)
    try:
        pictures = video.pictures(wanted)
    finally:
        video.close()
    return side_by_side(pictures, box_around(recording, wanted)) if pictures else None


def key_frames(template: Template) -> list[int]:
    """Frames of the sample video at even steps of the movement (not of time), its first and last among them."""
    if template.kind is Kind.HOLD:
        return [round(float(template.frames[len(template.frames) // 2]))]
    steps = np.linalg.norm(np.diff(template.features[:, template.known], axis=0), axis=1)
    moved = np.concatenate(([0.0], np.cumsum(steps)))
    rows = np.interp(np.linspace(0.0, moved[-1], PICTURES), moved, np.arange(len(moved)))
    frames = np.interp(rows, np.arange(len(template.frames)), template.frames)
    return sorted({round(float(frame)) for frame in frames})


def box_around(recording: Recording, frames: Sequence[int]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the person in all of these frames, pixels, with some room."""
    numbers = recording.frame_numbers
    if numbers is None:
        numbers = np.arange(len(recording.times_s))
    found = np.flatnonzero(recording.found)
    rows = found[np.abs(numbers[found][:, None] - np.asarray(frames)).argmin(axis=0)]
    points = recording.image_px[rows].reshape(-1, 2)
    left, top = np.nanmin(points, axis=0)
    right, bottom = np.nanmax(points, axis=0)
    room = MARGIN * max(bottom - top, 0.5 * (right - left))
    return float(left - room), float(top - room), float(right + room), float(bottom + room)


def side_by_side(pictures: Mapping[int, Picture], box: tuple[float, float, float, float]) -> Strip:
    """One JPEG of these pictures (frame number to BGR, all of one size), each cut to the box."""
    import cv2

    left, top, right, bottom = _shaped(box, *next(iter(pictures.values())).shape[:2])
    size = (round((right - left) / (bottom - top) * HEIGHT), HEIGHT)
    cut = [
        cv2.resize(pictures[number][top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
        for number in sorted(pictures)
    ]
    whole = np.ascontiguousarray(np.hstack(cut), dtype=np.uint8)
    jpeg = b""
    for quality in QUALITIES:
        jpeg = simplejpeg.encode_jpeg(whole, quality=quality, colorspace="BGR")
        if len(jpeg) <= LARGEST_BYTES:
            break
    return Strip(jpeg, tuple(sorted(pictures)))


def _shaped(box: tuple[float, float, float, float], height: int, width: int) -> tuple[int, int, int, int]:
    """The box made wider or higher up to a shape that can be shown, then moved and cut to lie in the picture."""
    left, top, right, bottom = box
    wide = min(max(right - left, NARROWEST * (bottom - top), 2.0), width)
    high = min(max(bottom - top, wide / WIDEST, 2.0), height)
    wide = min(wide, WIDEST * high)
    x = min(max((left + right - wide) / 2, 0.0), width - wide)
    y = min(max((top + bottom - high) / 2, 0.0), height - high)
    return int(x), int(y), min(width, int(x) + math.ceil(wide)), min(height, int(y) + math.ceil(high))


def strip_of_file(jpeg: bytes, frames: Any) -> Strip:
    """A strip that comes in a file of anyone's. Raises BadReferenceFile if it is none."""
    try:
        good = len(jpeg) <= LARGEST_BYTES and 1 <= len(frames) <= PICTURES
        good = good and all(type(number) is int and 0 <= number < 1 << 31 for number in frames)
        height, width, _, _ = simplejpeg.decode_jpeg_header(jpeg)
        good = good and height == HEIGHT and width <= _WIDEST_STRIP
        if good:
            simplejpeg.decode_jpeg(jpeg)
    except (ValueError, TypeError) as error:
        raise BadReferenceFile("the file's pictures cannot be read: export the reference again") from error
    if not good:
        raise BadReferenceFile("the file's pictures are not those of a reference: export it again")
    return Strip(jpeg, tuple(frames))
