"""One version of a reference: what it consists of, and each part as it is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from services.scoring.errors import BadCalibration
from services.scoring.judging.calibration import Calibration
from services.scoring.judging.examples import Example, calibrated
from services.scoring.library.calibrations import (
    Labels,
    calibration_from_bytes,
    calibration_to_bytes,
    examples_to_bytes,
)
from services.scoring.library.strip import Strip
from services.scoring.reference.template import Template, to_bytes

log = structlog.get_logger()

PARTS: Final = ("template", "made_us", "videos", "strip_frames", "calibration", "labels")
"""What is read of a version; its pictures (`strip`) and labelled repetitions (`examples`) are asked for by name."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of a reference."""

    reference_id: str
    version: int
    name: str
    made_us: int
    """When it was made, microseconds since the epoch, server clock."""
    template: Template
    active: bool = True
    """Sessions follow it unless they name another version."""
    videos: int = 1
    """Sample videos it was made from."""
    strip_frames: tuple[int, ...] = ()
    """Frames of the sample video that its pictures show, see `ReferenceStore.strip`; empty: it has none."""
    calibration: Calibration | None = None
    """Where right ends; None: the defaults."""
    labels: Labels = field(default_factory=Labels)
    """Repetitions it has learnt from."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What labelled repetitions have made of a version."""

    calibration: Calibration | None
    """None: too few as yet."""
    examples: Sequence[Example]
    """None of them: they stayed where the version was exported."""
    labels: Labels

    @classmethod
    def of(cls, examples: Sequence[Example], template: Template) -> Learnt:
        """What these make of this template. Raises BadCalibration."""
        return cls(calibrated(examples, template), examples, Labels.of(examples))


def parts_of(
    template: Template, made_us: int, videos: int, strip: Strip | None, learnt: Learnt | None
) -> dict[str, bytes]:
    """A version's parts, by name; what it does not have is left out."""
    parts = {"template": to_bytes(template), "made_us": b"%d" % made_us, "videos": b"%d" % videos}
    if strip is not None:
        parts |= {"strip": strip.jpeg, "strip_frames": json.dumps(strip.frames).encode()}
    if learnt is None:
        return parts
    labels = learnt.labels
    parts["labels"] = json.dumps([labels.right, labels.wrong, labels.people]).encode()
    if learnt.examples:
        parts["examples"] = examples_to_bytes(learnt.examples)
    if learnt.calibration is not None:
        parts["calibration"] = calibration_to_bytes(learnt.calibration)
    return parts


def stored_of(
    reference_id: str,
    version: int,
    name: str,
    parts: Mapping[str, bytes],
    template: Template,
    *,
    active: bool,
) -> Stored:
    """A version from its parts, of which the template has been read."""
    return Stored(
        reference_id=reference_id,
        version=version,
        name=name,
        made_us=int(parts["made_us"]),
        template=template,
        active=active,
        videos=int(parts.get("videos", 1)),
        strip_frames=tuple(json.loads(parts.get("strip_frames", b"[]"))),
        calibration=_calibration(parts.get("calibration"), template, reference_id),
        labels=Labels(*json.loads(parts.get("labels", b"[]"))),
    )


def _calibration(data: bytes | None, template: Template, reference_id: str) -> Calibration | None:
    """One that cannot be used any more leaves the reference to its defaults."""
    if data is None:
        return None
    try:
        return calibration_from_bytes(data, template)
    except BadCalibration as error:
        log.warning("left a calibration out", reference=reference_id, message=error.message)
        return None
