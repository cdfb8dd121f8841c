"""A reference as one file, to be kept or taken to another installation.

`KOMIREF` and a zero byte, then the form (u16), the length of what follows (u64) and its SHA-256, all big-endian; then
the length of a JSON header (u32), the header (name, videos, and from form 2 on strip_bytes, strip_frames, calibration_bytes, labels), the JPEG of
the strip, the calibration and the template's bytes (`template.to_bytes`). Nothing in it is run when it is read.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass, field
from typing import Final

from services.scoring.errors import BadReferenceFile
from services.scoring.judging.calibration import Calibration
from services.scoring.library.calibrations import Labels, calibration_from_bytes, calibration_to_bytes
from services.scoring.library.strip import Strip, strip_of_file
from services.scoring.reference.template import Template, from_bytes, to_bytes

MAGIC: Final = b"KOMIREF\0"
FORM: Final = 2
LARGEST_BYTES: Final = 32 << 20
"""Larger files are refused while they arrive."""
LONGEST_NAME: Final = 100
MOST_VIDEOS: Final = 1000
_ENVELOPE: Final = struct.Struct(">8sHQ32s")
_HEADER: Final = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Carried:
    """What a file holds."""

    name: str
    videos: int
    template: Template
    strip: Strip | None = None
    calibration: Calibration | None = None
    labels: Labels = field(default_factory=Labels)
    """What the calibration was made from; the repetitions themselves stay behind."""


def to_file(carried: Carried) -> bytes:
    """The file's bytes."""
    jpeg, frames = (carried.strip.jpeg, carried.strip.frames) if carried.strip is not None else (b"", ())
    calibration = calibration_to_bytes(carried.calibration) if carried.calibration is not None else b""
    about = {
        "name": carried.name,
        "videos": carried.videos,
        "strip_bytes": len(jpeg),
        "strip_frames": frames,
        "calibration_bytes": len(calibration),
        "labels": [carried.labels.right, carried.labels.wrong, carried.labels.people],
    }
    header = json.dumps(about, ensure_ascii=False).encode()
    body = _HEADER.pack(len(header)) + header + jpeg + calibration + to_bytes(carried.template)
    return _ENVELOPE.pack(MAGIC, FORM, len(body), hashlib.sha256(body).digest()) + body


def from_file(data: bytes) -> Carried:
    """What a file made by `to_file` holds. Raises BadReferenceFile, or BadTemplate, saying what is wrong with it."""
    if len(data) < _ENVELOPE.size or not data.startswith(MAGIC):
        raise BadReferenceFile(
            "this is no reference exported by KOMI: export one and send that file as it is"
        )
    _, form, length, digest = _ENVELOPE.unpack_from(data)
    if form > FORM:
        raise BadReferenceFile(
            f"this reference is of form {form}, and this KOMI reads up to form {FORM}: use a newer KOMI",
            reason="REFERENCE_FILE_NEWER",
        )
    body = memoryview(data)[_ENVELOPE.size :]
    if len(body) < length:
        raise BadReferenceFile(
            f"the file was cut off after {len(data)} of {_ENVELOPE.size + length} bytes: send it again",
            reason="REFERENCE_FILE_CUT_OFF",
        )
    if len(body) > length or hashlib.sha256(body).digest() != digest or form < 1:
        raise BadReferenceFile("the file was changed since it was exported: export the reference again")
    try:
        (head,) = _HEADER.unpack_from(body)
        header = json.loads(bytes(body[_HEADER.size : _HEADER.size + head]))
        name, videos = header["name"], header["videos"]
        pictures, frames = header.get("strip_bytes", 0), header.get("strip_frames", [])
        learnt, labels = header.get("calibration_bytes", 0), Labels(*header.get("labels", ()))
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadReferenceFile("the file's header cannot be read: export the reference again") from error
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= LONGEST_NAME or not name.isprintable():
        raise BadReferenceFile(f"the file gives the reference no name of 1 to {LONGEST_NAME} characters")
    if not isinstance(videos, int) or not 1 <= videos <= MOST_VIDEOS:
        raise BadReferenceFile("the file does not say how many videos the reference was made from")
    counts = (pictures, learnt, labels.right, labels.wrong, labels.people)
    if any(type(count) is not int or not 0 <= count < 1 << 31 for count in counts):
        raise BadReferenceFile("the file does not say how large its pictures and its calibration are")
    rest = bytes(body[_HEADER.size + head :])
    strip = strip_of_file(rest[:pictures], frames) if pictures else None
    template = from_bytes(rest[pictures + learnt :])
    calibration = calibration_from_bytes(rest[pictures : pictures + learnt], template) if learnt else None
    return Carried(name.strip(), videos, template, strip, calibration, labels)
