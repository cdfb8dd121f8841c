"""Compresses pictures to JPEG, and unpacks them; releases the GIL meanwhile."""

import simplejpeg

from services.capture.frames import Frame, Jpeg
from services.capture.metrics import ENCODE_SECONDS
from services.capture.sizing import Image, fit_pixels, shrink
from services.mesh.stages import monotonic_ns

COARSER = 15
COARSEST = 20


def decode(jpeg: bytes) -> Image:
    """The picture. Raises ValueError for what is no JPEG of a usual kind. Blocks about as long as `encode`."""
    image: Image = simplejpeg.decode_jpeg(jpeg, "BGR")  # in half the time that OpenCV takes
    return image


def encode(frame: Frame, quality: int) -> Frame:
    """The frame with its JPEG (4:2:0). Blocks for half a millisecond at 640×480: call it from a thread."""
    assert frame.image is not None
    began_ns = monotonic_ns()
    data = simplejpeg.encode_jpeg(frame.image, quality=quality, colorspace="BGR", colorsubsampling="420")
    encoded_ns = monotonic_ns()
    ENCODE_SECONDS.observe((encoded_ns - began_ns) / 1e9)
    return frame.with_jpeg(Jpeg(data, frame.size, encoded_ns))


def encode_within(frame: Frame, quality: int, most_bytes: int, most_pixels: int) -> Frame | None:
    """The frame with a JPEG that the server accepts: smaller or coarser if it must be. None: not even so."""
    too_large = frame.size[0] * frame.size[1] > most_pixels
    if frame.jpeg is not None and not too_large and len(frame.jpeg.data) <= most_bytes:
        return frame
    image = frame.image
    if image is None:
        assert frame.jpeg is not None
        try:
            image = decode(frame.jpeg.data)
        except ValueError:
            return None
    if too_large:
        image = shrink(image, *fit_pixels(*frame.size, most_pixels))
    while True:
        frame = encode(frame.with_image(image), quality)
        assert frame.jpeg is not None
        if len(frame.jpeg.data) <= most_bytes:
            return frame
        if quality <= COARSEST:
            return None
        quality = max(COARSEST, quality - COARSER)
