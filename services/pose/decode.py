"""JPEG bytes to pixels, within limits that are checked before a pixel is decoded."""

from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from services.pose.errors import BrokenImage, OversizedImage

Image = NDArray[np.uint8]
"""(height, width, 3) RGB, C-contiguous."""


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What is accepted. A JPEG of a few kilobytes can unpack to gigabytes, hence pixels too."""

    max_bytes: int
    max_pixels: int


def decode_jpeg(jpeg: bytes, limits: ImageLimits) -> Image:
    """Decode a baseline or progressive JPEG; releases the GIL.

    Raises OversizedImage, or BrokenImage for what is no JPEG, is cut off or damaged: half an image would give
    landmarks that look right and are not.
    """
    if len(jpeg) > limits.max_bytes:
        raise OversizedImage(
            f"the JPEG has {len(jpeg)} bytes, more than the {limits.max_bytes} allowed: lower its quality or size"
        )
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(jpeg, strict=True)
    except ValueError as error:
        raise BrokenImage(
            f"{len(jpeg)} bytes that are no JPEG ({error}): send baseline or progressive JPEG"
        ) from error
    if height * width > limits.max_pixels:
        raise OversizedImage(
            f"the image has {width}×{height} pixels, more than the {limits.max_pixels} allowed: make it smaller"
        )
    try:
        image: Image = simplejpeg.decode_jpeg(jpeg, "RGB", strict=True)
    except ValueError as error:
        raise BrokenImage(
            f"a damaged JPEG of {width}×{height} pixels ({error}): it may have been cut off"
        ) from error
    return image
