"""The reference a performance is compared with: one repetition, averaged, with what deviation is normal."""

from __future__ import annotations

import io
import json
import math
import zipfile
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.scoring.errors import BadTemplate
from services.scoring.movement.features import FEATURES
from services.scoring.movement.landmarks import Bools, Floats
from services.scoring.movement.outline import PACKED_BYTES

RATE_HZ: Final = 30.0
"""Rows a second of every template, whatever the frame rate of its video."""
FORMAT: Final = 3
"""2 added `joined` and `outlines`, 3 `other_side`."""
_READ: Final = (1, 2, 3)
LARGEST_BYTES: Final = 64 << 20
"""A template takes no more than this unpacked; ten minutes of one movement are 10 MB."""
MOST_SAMPLES: Final = 12
"""Repetitions kept of all videos of a reference."""
MOST_REMARKS: Final = 32
LONGEST_TEXT: Final = 500


class Kind(IntEnum):
    """What a reference is made of."""

    REPETITIONS = 1
    HOLD = 2


class Phase(IntEnum):
    """Part of a repetition; the numbers are those of komi.scoring.v1.Phase."""

    UNKNOWN = 0
    READY = 1
    OUT = 2
    TURN = 3
    BACK = 4


@dataclass(frozen=True)
class Template:
    """A reference, in its own camera's axes (see `views`). Rows are 1/30 s apart."""

    exercise: str
    """squat, lunge, …; empty: any."""
    kind: Kind
    features: Floats
    """(rows, 60) the averaged repetition, or the held pose (one row a sample frame, at most 2 s)."""
    frames: Floats
    """(rows,) frame number of the sample video each row stands for: the session's time base."""
    ready: Floats
    """(60,) the pose the repetition starts from; the held pose itself for a hold."""
    spread: Floats
    """(60,) the trainer's own standard deviation from repetition to repetition, radians; 0 with one repetition."""
    known: Bools
    """(60,) features the sample video shows."""
    axis: Floats
    """(60,) principal axis of the movement in tolerance-scaled features relative to the ready pose, scaled so that the
    ready pose projects to 0 and the far end to 1. Zeros for a hold."""
    phases: NDArray[np.int8]
    """(rows,) `Phase` of each row."""
    heading: float
    """Direction the person was seen from, radians, see `views.heading`; NaN unknown."""
    returns: bool
    """The repetition ends in the pose it starts from, so that repetitions follow each other without a jump."""
    repetitions: tuple[tuple[int, int], ...]
    """First and last video frame of each repetition found."""
    fps: float
    """Frame rate of the sample video."""
    video_frames: int
    """Length of the sample video."""
    ghost: Floats
    """(rows, 33, 2) landmarks for drawing: trunk lengths from the middle of the hips, x right, y down."""
    remarks: tuple[str, ...] = ()
    """What users should know: codes, see `remarks`."""
    joined: int = 0
    """Repetitions of further videos that joined."""
    samples: Floats = field(default_factory=lambda: np.zeros((0, 0, FEATURES)))
    """(at most 12, rows, 60) the repetitions it is the mean of, on its own time, so that further ones can join; (…, 1, 60)
    for a hold. Empty where they were not kept."""
    outlines: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, PACKED_BYTES), np.uint8))
    """(rows, 512) what the person covers, see `movement.outline`; a row of zeros: not known. Empty: not asked for."""
    other_side: Floats = field(default_factory=lambda: np.zeros((0, FEATURES)))
    """(rows, 60) the sample's repetitions to the other side, on the same rows, see `sides`. Empty: it shows none."""

    @property
    def duration_s(self) -> float:
        """Length of one repetition as shown."""
        return (len(self.features) - 1) / RATE_HZ

    def relative(self) -> Floats:
        """(rows, 60) features less the ready pose."""
        return self.features - self.ready


def to_bytes(template: Template) -> bytes:
    """One self-contained file: numpy arrays and a JSON header in a zip (npz); read it with `from_bytes`."""
    arrays: dict[str, Any] = {}
    header: dict[str, Any] = {"format": FORMAT}
    for part in fields(Template):
        value = getattr(template, part.name)
        if isinstance(value, np.ndarray):
            compact = value.astype(np.float32) if value.dtype == np.float64 else value
            arrays[part.name] = compact
        else:
            header[part.name] = value if not isinstance(value, float) or np.isfinite(value) else None
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def from_bytes(data: bytes) -> Template:
    """The template in bytes made by `to_bytes`.

    Raises BadTemplate on anything else. Runs no code from the data, and unpacks at most `LARGEST_BYTES` of it.
    """
    try:
        arrays = unpacked(data, most=2 * len(fields(Template)))
        header = json.loads(arrays.pop("header").tobytes())
        form = header.pop("format", None)
    except Exception as error:
        raise BadTemplate(f"these {len(data)} bytes are no KOMI reference: {error}") from error
    if form not in _READ:
        raise BadTemplate("this reference was made by another version of KOMI; build it again from its video")
    try:
        header["kind"] = Kind(header["kind"])
        header["heading"] = math.nan if header["heading"] is None else float(header["heading"])
        header["repetitions"] = tuple((int(a), int(b)) for a, b in header["repetitions"])
        header["remarks"] = tuple(str(one)[:LONGEST_TEXT] for one in header["remarks"][:MOST_REMARKS])
        header["exercise"] = str(header["exercise"])[:LONGEST_TEXT]
        header["returns"] = bool(header["returns"])
        header["fps"] = float(header["fps"])
        header["video_frames"] = int(header["video_frames"])
        header["joined"] = int(header.get("joined", 0))
        wide: dict[str, Any] = {
            n: a.astype(np.float64) if a.dtype == np.float32 else a for n, a in arrays.items()
        }
        template = Template(**header, **wide)
        _check(template)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BadTemplate(f"this reference is incomplete: {error}") from error
    return template


def unpacked(data: bytes, *, most: int) -> dict[str, NDArray[Any]]:
    """The arrays of an npz, at most so many. Raises what zipfile and numpy raise, and ValueError.

    Sizes are looked at before anything is unpacked: a small file can hold a large one.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if len(entries) > most or sum(one.file_size for one in entries) > LARGEST_BYTES:
            raise ValueError("it holds more than a reference can")
        return {one.filename.removesuffix(".npy"): _array(archive.read(one)) for one in entries}


def _array(npy: bytes) -> NDArray[Any]:
    """One array, whose header may claim no more than there is: numpy makes room for what it claims."""
    stream = io.BytesIO(npy)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("an array is of another form")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(npy) - stream.tell():
        raise ValueError("an array is not as long as it says")
    stream.seek(0)
    array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    return array


def _check(template: Template) -> None:
    """Raises ValueError or TypeError if a part is not what `Template` says: it may come from a file of anyone's."""
    rows = len(template.features)
    wanted: dict[str, tuple[tuple[int, ...], type]] = {
        "features": ((rows, FEATURES), np.float64),
        "frames": ((rows,), np.float64),
        "ready": ((FEATURES,), np.float64),
        "spread": ((FEATURES,), np.float64),
        "known": ((FEATURES,), np.bool_),
        "axis": ((FEATURES,), np.float64),
        "phases": ((rows,), np.int8),
        "ghost": ((rows, 33, 2), np.float64),
    }
    samples = 1 if template.kind is Kind.HOLD else rows
    optional: dict[str, tuple[tuple[int, ...], type]] = {
        "outlines": ((rows, PACKED_BYTES), np.uint8),
        "other_side": ((rows, FEATURES), np.float64),
        "samples": ((min(len(template.samples), MOST_SAMPLES), samples, FEATURES), np.float64),
    }
    wanted |= {name: form for name, form in optional.items() if len(getattr(template, name))}
    if not rows:
        raise ValueError("it has no rows")
    for name, (shape, dtype) in wanted.items():
        values = getattr(template, name)
        if values.shape != shape or values.dtype != dtype:
            raise ValueError(
                f"{name} is {values.dtype} {values.shape} where {np.dtype(dtype)} {shape} is needed"
            )
        if name != "ghost" and not np.isfinite(values).all():
            raise ValueError(f"{name} holds what is no number")
    if not (math.isfinite(template.fps) and 0 < template.fps <= 1000):
        raise ValueError(f"{template.fps} is no frame rate")
    for count in (template.video_frames, template.joined):
        if not 0 <= count < 1 << 31:
            raise ValueError(f"{count} is no number of frames or repetitions")
    if template.frames.min() < 0 or template.frames.max() >= 1 << 31 or (np.diff(template.frames) < 0).any():
        raise ValueError("its frames are not in order")
    if not np.isin(template.phases, list(Phase)).all():
        raise ValueError("it has phases that do not exist")
