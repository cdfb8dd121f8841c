"""Compresses pictures to JPEG; releases the GIL meanwhile."""

import simplejpeg

from services.capture.frames import Frame, Jpeg
from services.capture.metrics import ENCODE_SECONDS
from services.capture.sizing import fit_pixels, shrink
from services.mesh.stages import monotonic_ns

COARSER = 15
COARSEST = 20


def encode(frame: Frame, quality: int) -> Frame:
    """The frame with its JPEG (4:2:0). Blocks for half a millisecond at 640×480: call it from a thread."""
    began_ns = monotonic_ns()
    data = simplejpeg.encode_jpeg(frame.image, quality=quality, colorspace="BGR", colorsubsampling="420")
    encoded_ns = monotonic_ns()
    ENCODE_SECONDS.observe((encoded_ns - began_ns) / 1e9)
    return frame.with_jpeg(Jpeg(data, quality, encoded_ns))


def encode_within(frame: Frame, quality: int, most_bytes: int, most_pixels: int) -> Frame | None:
    """The frame with a JPEG that the server accepts: smaller or coarser if it must be. None: not even so."""
    if frame.size[0] * frame.size[1] > most_pixels:
        frame = frame.with_image(shrink(frame.image, *fit_pixels(*frame.size, most_pixels)))
    while True:
        frame = frame if frame.jpeg is not None else encode(frame, quality)
        assert frame.jpeg is not None
        if len(frame.jpeg.data) <= most_bytes:
            return frame
        if quality <= COARSEST:
            return None
        quality = max(COARSEST, quality - COARSER)
        frame = frame.with_image(frame.image)
