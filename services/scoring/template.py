"""The reference a performance is compared with: one repetition, averaged, with what deviation is normal."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.scoring.errors import BadTemplate
from services.scoring.features import FEATURES
from services.scoring.landmarks import Bools, Floats

RATE_HZ: Final = 30.0
"""Rows a second of every template, whatever the frame rate of its video."""
FORMAT: Final = 1


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
    """What users should know, in English, one sentence each."""

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
    for field in fields(Template):
        value = getattr(template, field.name)
        if isinstance(value, np.ndarray):
            compact = value.astype(np.float32) if value.dtype == np.float64 else value
            arrays[field.name] = compact
        else:
            header[field.name] = value if not isinstance(value, float) or np.isfinite(value) else None
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def from_bytes(data: bytes) -> Template:
    """The template in bytes made by `to_bytes`. Raises BadTemplate on anything else; runs no code from the file."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        header = json.loads(arrays.pop("header").tobytes())
    except Exception as error:
        raise BadTemplate(f"these {len(data)} bytes are no KOMI reference: {error}") from error
    if header.pop("format", None) != FORMAT:
        raise BadTemplate("this reference was made by another version of KOMI; build it again from its video")
    try:
        header["kind"] = Kind(header["kind"])
        header["heading"] = float("nan") if header["heading"] is None else header["heading"]
        header["repetitions"] = tuple((int(a), int(b)) for a, b in header["repetitions"])
        header["remarks"] = tuple(header["remarks"])
        wide = {n: a.astype(np.float64) if a.dtype == np.float32 else a for n, a in arrays.items()}
        template = Template(**header, **wide)
    except (KeyError, TypeError, ValueError) as error:
        raise BadTemplate(f"this reference is incomplete: {error}") from error
    rows = len(template.features)
    if template.features.shape != (rows, FEATURES) or not rows or template.ghost.shape != (rows, 33, 2):
        raise BadTemplate(
            f"this reference has {template.features.shape} features where (rows, {FEATURES}) are needed"
        )
    return template
