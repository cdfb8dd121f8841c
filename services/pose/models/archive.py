"""How models lie in a .task bundle: a zip archive of files that are stored as they are, aligned, to be used in place."""

import zipfile
from collections.abc import Iterable
from io import BytesIO

DETECTOR = "pose_detector.tflite"
LANDMARKS = "pose_landmarks_detector.tflite"

_ALIGNMENT = 64
_LOCAL_HEADER = 30
"""Bytes before an entry's name."""
_PADDING_ID = 0xD935
"""The extra field that Android's zipalign uses for the same purpose."""


def packed(entries: Iterable[tuple[str, bytes]]) -> bytes:
    """A bundle of these files; equal ones give equal bytes."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in entries:
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.extra = _padding(file.tell() + _LOCAL_HEADER + len(name))
            archive.writestr(entry, data)
    return file.getvalue()


def _padding(offset: int) -> bytes:
    """An extra field after which the entry's data, now at `offset`, starts at a multiple of the alignment."""
    size = -(offset + 4) % _ALIGNMENT
    return _PADDING_ID.to_bytes(2, "little") + size.to_bytes(2, "little") + bytes(size)
