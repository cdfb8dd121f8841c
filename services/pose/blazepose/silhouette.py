"""A person's outline as yes and no, thinned to what a viewer needs."""

import math
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

from services.pose.blazepose.region import Region
from services.pose.tracker import Mask

Floats = NDArray[np.float32]

MOST_WIDE = 320
"""The network draws masks of 256 by 256: more would only be larger."""


def silhouette(drawn: Floats, region: Region, width: int, height: int) -> Mask:
    """What the network drew over a region of an image, (256, 256) before the sigmoid, as a mask of that image."""
    step = max(1, -(-width // MOST_WIDE))
    size = (-(-width // step), -(-height // step))
    scale = len(drawn) / region.side
    cos, sin = math.cos(region.turn) * scale, math.sin(region.turn) * scale
    half = len(drawn) / 2
    to_drawn = np.array(
        [
            [cos * step, sin * step, half - cos * region.x - sin * region.y],
            [-sin * step, cos * step, half + sin * region.x - cos * region.y],
        ]
    )
    placed = cv2.warpAffine(
        drawn,
        to_drawn,
        size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(-1.0,),
    )
    bits = np.packbits(placed > 0, axis=1)
    return Mask(*size, zlib.compress(bits.tobytes(), level=1))
