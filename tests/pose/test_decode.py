"""A JPEG becomes pixels, or an error that says what is wrong with it."""

import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st

from services.pose.decode import ImageLimits, decode_jpeg
from services.pose.errors import BrokenImage, FrameError, OversizedImage

LIMITS = ImageLimits(max_bytes=200_000, max_pixels=400 * 300)


def jpeg_of(height: int, width: int, **options: object) -> bytes:
    image = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    jpeg: bytes = simplejpeg.encode_jpeg(image, quality=80, **options)
    return jpeg


def test_a_jpeg_becomes_rgb_pixels_of_its_size() -> None:
    red = np.zeros((40, 60, 3), dtype=np.uint8)
    red[..., 0] = 255
    image = decode_jpeg(simplejpeg.encode_jpeg(red, quality=95), LIMITS)
    assert image.shape == (40, 60, 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert np.abs(image.astype(int) - red).max() < 8


def test_a_grey_jpeg_becomes_rgb_too() -> None:
    grey = np.full((20, 30, 1), 99, dtype=np.uint8)
    image = decode_jpeg(simplejpeg.encode_jpeg(grey, colorspace="GRAY"), LIMITS)
    assert image.shape == (20, 30, 3)
    assert np.ptp(image) <= 2


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda jpeg: b"", id="empty"),
        pytest.param(lambda jpeg: b"GIF89a" + bytes(100), id="another format"),
        pytest.param(lambda jpeg: jpeg[:100], id="only the beginning of its header"),
        pytest.param(lambda jpeg: jpeg[: len(jpeg) // 2], id="cut in the middle"),
        pytest.param(lambda jpeg: jpeg[:-20], id="cut at the end"),
        pytest.param(lambda jpeg: jpeg[:1000] + bytes(200) + jpeg[1200:], id="damaged within"),
    ],
)
def test_a_damaged_jpeg_is_refused_whole(damage: object) -> None:
    with pytest.raises(BrokenImage) as caught:
        decode_jpeg(damage(jpeg_of(120, 160)), LIMITS)  # type: ignore[operator]
    assert caught.value.reason == "IMAGE_BROKEN"


def test_too_many_bytes_are_refused_without_a_look() -> None:
    with pytest.raises(OversizedImage, match="200001 bytes, more than the 200000 allowed"):
        decode_jpeg(bytes(200_001), LIMITS)


def test_too_many_pixels_are_refused_before_any_is_decoded() -> None:
    bomb = simplejpeg.encode_jpeg(np.zeros((4000, 4000, 3), dtype=np.uint8), quality=1)
    assert len(bomb) < 500_000
    with pytest.raises(OversizedImage, match="4000×4000 pixels"):
        decode_jpeg(bomb, ImageLimits(max_bytes=1 << 20, max_pixels=400 * 300))


@given(st.binary(max_size=300), st.integers(0, 2000), st.integers(0, 40))
def test_whatever_arrives_is_an_image_or_a_frame_error(noise: bytes, at: int, cut: int) -> None:
    jpeg = jpeg_of(48, 64)
    mixed = jpeg[:at] + noise + jpeg[at + cut :]
    try:
        assert decode_jpeg(mixed, LIMITS).ndim == 3
    except FrameError as error:
        assert error.message  # noqa: PT017 - either outcome is right
