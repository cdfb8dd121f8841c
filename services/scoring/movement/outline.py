"""Outlines of people, brought to one place and size so that two can be laid over each other.

The grid has its middle at the middle of the hips and is measured in trunk lengths, so that neither where somebody stands
nor how near they are matters.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.scoring.movement.landmarks import Bools, Floats, Landmark, Mask

SIDE: Final = 64
"""Cells of the grid in each direction."""
REACH: Final = 2.6
"""Trunk lengths from the middle of the hips to the edge of the grid: raised hands and pointed feet stay within."""
PACKED_BYTES: Final = SIDE * SIDE // 8
LARGEST_SIDE: Final = 4096
"""Masks of more pixels in either direction are taken for broken."""
_CENTRES: Final = ((np.arange(SIDE) + 0.5) / SIDE * 2.0 - 1.0) * REACH
_HIPS: Final = [Landmark.LEFT_HIP, Landmark.RIGHT_HIP]
_SHOULDERS: Final = [Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER]

Packed = NDArray[np.uint8]
"""(512,) the grid row by row from the top, one bit a cell, most significant bit first."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A person on the grid."""

    person: Bools
    """(64, 64) cells the person covers."""
    pictured: Bools
    """(64, 64) cells that lie within the picture; of others nothing is known."""

    def mirrored(self) -> Outline:
        """Left and right of the picture exchanged."""
        return Outline(self.person[:, ::-1], self.pictured[:, ::-1])


def hips_and_trunk(image_px: Floats) -> tuple[Floats, Floats]:
    """Middle of the hips (…, 2) and length of the trunk (…) of landmarks (…, 33, 2), all in pixels."""
    hips = image_px[..., _HIPS, :].mean(axis=-2)
    shoulders = image_px[..., _SHOULDERS, :].mean(axis=-2)
    return hips, np.linalg.norm(shoulders - hips, axis=-1)


def outline_of(mask: Mask, hips_px: Floats, trunk_px: float) -> Outline | None:
    """A mask on the grid of a person whose hips (2,) and trunk are these; None if the mask or they are unusable."""
    if not (np.isfinite(hips_px).all() and np.isfinite(trunk_px) and trunk_px > 1.0):
        return None
    pixels = unpacked(mask)
    if pixels is None:
        return None
    columns, inside_x = _cells(hips_px[0], trunk_px, mask.width / mask.image_width, mask.width)
    rows, inside_y = _cells(hips_px[1], trunk_px, mask.height / mask.image_height, mask.height)
    pictured = inside_y[:, None] & inside_x[None, :]
    return Outline(pixels[rows[:, None], columns[None, :]] & pictured, pictured)


def _cells(middle_px: float, trunk_px: float, scale: float, size: int) -> tuple[NDArray[np.intp], Bools]:
    """Pixels of the mask that the cells lie on, in one direction, and which of them it has."""
    at = np.floor((middle_px + _CENTRES * trunk_px) * scale)
    return np.clip(at, 0, size - 1).astype(np.intp), (at >= 0) & (at < size)


def unpacked(mask: Mask) -> Bools | None:
    """(height, width) of a mask; None if its bytes are not what it says, which are never unpacked further than that."""
    sides = (mask.width, mask.height, mask.image_width, mask.image_height)
    if not all(1 <= side <= LARGEST_SIDE for side in sides):
        return None
    stride = -(-mask.width // 8)
    try:
        data = zlib.decompressobj().decompress(mask.bits_zlib, stride * mask.height)
    except zlib.error:
        return None
    if len(data) != stride * mask.height:
        return None
    bits = np.frombuffer(data, dtype=np.uint8).reshape(mask.height, stride)
    return np.unpackbits(bits, axis=1, count=mask.width).astype(np.bool_)


def packed(person: Bools) -> Packed:
    """Cells (64, 64) as bits."""
    return np.packbits(person.ravel())


def cells(bits: Packed) -> Bools:
    """Cells (64, 64) of what `packed` made."""
    return np.unpackbits(bits).astype(np.bool_).reshape(SIDE, SIDE)


def overlap(outline: Outline, other: Bools) -> float:
    """Intersection over union (Jaccard 1912) of two outlines where the first one's picture reaches; NaN: too little."""
    total = int(np.count_nonzero(other))
    there = other & outline.pictured
    if not total or np.count_nonzero(there) < 0.8 * total:
        return float("nan")
    return float(np.count_nonzero(outline.person & there) / np.count_nonzero(outline.person | there))
