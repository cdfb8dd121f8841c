"""What a camera's own JPEG says of itself, and whether it can be handed on as it is. Pure: no pixel is unpacked."""

from dataclasses import dataclass

MOST_BYTES_A_PIXEL = 0.4
"""About quality 97. A larger one is cheaper compressed anew than sent, and unpacked, as it is."""

_BEGIN, _END = b"\xff\xd8", b"\xff\xd9"
_FILL, _SCAN, _TABLES, _EXIF = 0xFF, 0xDA, 0xC4, 0xE1
_BASELINE, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_COMPONENTS = (1, 3)
"""Grey, or YCbCr: four would be CMYK."""


@dataclass(frozen=True, slots=True)
class CameraJpeg:
    """A whole JPEG as a camera made it."""

    data: bytes
    width: int
    height: int


def ready_to_send(data: bytes) -> CameraJpeg | None:
    """`data` as a JPEG that every decoder reads alike; what a camera appends after its end is cut off.

    None for what must be unpacked first: no JPEG, one that is cut short, of a rare kind, turned by EXIF, without its own
    Huffman tables (allowed in Motion JPEG only), or needlessly large.
    """
    if not data.startswith(_BEGIN):
        return None
    at, width, height, kind, tables = 2, 0, 0, 0, False
    while at + 4 <= len(data) and data[at] == _FILL:
        marker = data[at + 1]
        if marker == _FILL:
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4])
        if marker == _EXIF or length < 2:
            return None
        if marker in _BASELINE or marker == _PROGRESSIVE:
            if length < 8 or data[at + 4] != 8 or data[at + 9] not in _COMPONENTS:
                return None
            kind = marker
            height, width = int.from_bytes(data[at + 5 : at + 7]), int.from_bytes(data[at + 7 : at + 9])
        tables = tables or marker == _TABLES
        at += 2 + length
        if marker == _SCAN:
            if data.endswith(_END):
                end = len(data) - 2
            else:
                # In the one scan of a baseline JPEG no such pair of bytes stands but at its end.
                end = data.rfind(_END, at) if kind == _PROGRESSIVE else data.find(_END, at)
            whole = kind and tables and width and height and end > 0
            if not whole or end > MOST_BYTES_A_PIXEL * width * height + 1024:
                return None
            return CameraJpeg(data if end + 2 == len(data) else data[: end + 2], width, height)
    return None
