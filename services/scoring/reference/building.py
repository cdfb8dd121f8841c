"""Builds a template from the landmarks of a sample video.

Smooth, find the repetitions, drop those unlike the rest, align all to the most typical one and average; keep the spread.
One repetition works, on default tolerances. A video without movement becomes a hold.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.scoring.movement.features import (
    ANGLE,
    angles_of,
    renormalised,
)
from services.scoring.movement.landmarks import Floats, Recording
from services.scoring.movement.outline import PACKED_BYTES, hips_and_trunk, outline_of, packed
from services.scoring.movement.smoothing import lowpass
from services.scoring.movement.warping import onto_template, warping_path
from services.scoring.reference.phases import movement_axis
from services.scoring.reference.preparation import LOW_FPS, Prepared, check, prepare, rough_scale
from services.scoring.reference.remarks import LOW_FRAME_RATE, NO_MOVEMENT, NO_REPETITION, ONE_REPETITION
from services.scoring.reference.segmentation import Segment, find_repetitions
from services.scoring.reference.sides import other_side
from services.scoring.reference.template import MOST_SAMPLES, RATE_HZ, Kind, Phase, Template

HOLD_DEG: Final = 18.0
"""A video in which no two main angles swing further than this is a held pose."""
ALIKE: Final = 0.5
"""Share of a repetition's movement that the most typical one must explain, else it is something else."""

_MAIN_ANGLES: Final = [
    ANGLE[name]
    for name in ANGLE
    if name not in ("neck", "shoulder_tilt", "hip_tilt", "left_ankle", "right_ankle")
]


def build_template(recording: Recording, exercise: str = "") -> Template:
    """The template of a sample video. Raises a ReferenceUnusable that says what is wrong with the video."""
    check(recording)
    prepared = prepare(recording)
    remarks: list[str] = []
    if recording.fps < LOW_FPS:
        remarks.append(LOW_FRAME_RATE)
    rows = (prepared.features / rough_scale())[:, prepared.known]
    swings = np.sort(
        np.ptp(np.percentile(angles_of(prepared.features), (3, 97), axis=0), axis=0)[_MAIN_ANGLES]
    )
    if swings[-2] < np.radians(HOLD_DEG):
        return _hold(recording, prepared, exercise, remarks)
    found, _ = find_repetitions(rows, RATE_HZ)
    typical, kept = typical_of(rows, found)
    if not kept:
        whole = _moving_part(rows)
        typical, kept = whole, [whole]
        remarks.append(NO_REPETITION)
    elif len(kept) == 1:
        remarks.append(ONE_REPETITION)
    template = template_of(recording, prepared, typical, kept, exercise, remarks)
    return replace(template, other_side=other_side(template, prepared.features, kept))


def typical_of(rows: Floats, found: list[Segment]) -> tuple[Segment, list[Segment]]:
    """The repetition nearest to all others, and those that are the same movement."""
    if len(found) < 2:
        return (found[0] if found else Segment(0, 0, 0)), found
    parts = [rows[s.start : s.end + 1] - rows[s.start] for s in found]
    distance = np.zeros((len(parts), len(parts)))
    for i, one in enumerate(parts):
        for j in range(i + 1, len(parts)):
            a, b, cost = warping_path(one, parts[j])
            energy = 0.5 * (np.square(one[a]).sum() + np.square(parts[j][b]).sum())
            distance[i, j] = distance[j, i] = cost / max(energy, 1e-9)
    # Energy breaks ties between two: the fuller movement is the sample, the lesser one perhaps a stray gesture.
    reach = np.array([np.square(part).sum(axis=1).max() for part in parts])
    medoid = int(np.argmin(np.median(distance, axis=1) - 0.1 * reach / reach.max()))
    kept = [s for s, gap in zip(found, distance[medoid], strict=True) if gap <= 1.0 - ALIKE]
    return found[medoid], kept


def _moving_part(rows: Floats) -> Segment:
    """From the first to the last movement, for what does not come back to where it began."""
    speed = np.linalg.norm(np.gradient(rows, axis=0), axis=1)
    moving = np.flatnonzero(speed > 0.1 * np.percentile(speed, 95))
    start, end = int(moving[0]), int(moving[-1])
    return Segment(start, (start + end) // 2, end)


def template_of(
    recording: Recording,
    prepared: Prepared,
    typical: Segment,
    kept: list[Segment],
    exercise: str,
    remarks: list[str],
) -> Template:
    """The template of known repetitions (rows of `prepared`), averaged on the time of the typical one."""
    span = slice(typical.start, typical.end + 1)
    base = prepared.features[span] / rough_scale()
    aligned = []
    for segment in kept:
        part = prepared.features[segment.start : segment.end + 1]
        a, b, _ = warping_path(part / rough_scale(), base)
        aligned.append(onto_template(part, a, b, len(base)))
    stack = np.stack(aligned)
    features = renormalised(lowpass(stack.mean(axis=0), RATE_HZ))
    spread = stack.std(axis=0, ddof=1).mean(axis=0) if len(kept) > 1 else np.zeros(features.shape[1])
    ready = _ready_pose(prepared.features, kept)
    gap = np.linalg.norm((features[-1] - features[0]) / rough_scale())
    reach = np.linalg.norm((features - features[0]) / rough_scale(), axis=1).max()
    returns = bool(gap < 0.35 * reach)
    axis, phases = movement_axis(features, ready, prepared.known)
    return Template(
        exercise=exercise,
        kind=Kind.REPETITIONS,
        features=features,
        frames=prepared.frames[span],
        ready=ready,
        spread=spread,
        known=prepared.known,
        axis=axis,
        phases=phases,
        heading=prepared.heading,
        returns=returns,
        repetitions=tuple((round(prepared.frames[s.start]), round(prepared.frames[s.end])) for s in kept),
        fps=recording.fps,
        video_frames=recording.video_frames or len(recording.times_s),
        ghost=_ghost(prepared.image[span]),
        remarks=tuple(remarks),
        samples=stack[:MOST_SAMPLES],
        outlines=_outlines(recording, prepared, span),
    )


def _ready_pose(features: Floats, kept: list[Segment]) -> Floats:
    """The pose repetitions start from: the mean of their first moments."""
    starts = [features[s.start : s.start + 3].mean(axis=0) for s in kept]
    return renormalised(np.mean(starts, axis=0))


def _hold(recording: Recording, prepared: Prepared, exercise: str, remarks: list[str]) -> Template:
    rows = prepared.features
    middle = slice(len(rows) // 4, max(len(rows) // 4 + 1, (3 * len(rows)) // 4))
    pose = renormalised(np.median(rows[middle], axis=0))
    count = min(len(rows[middle]), round(2 * RATE_HZ))
    span = slice(middle.start, middle.start + count)
    return Template(
        exercise=exercise,
        kind=Kind.HOLD,
        features=np.repeat(pose[None], count, axis=0),
        frames=prepared.frames[span],
        ready=pose,
        spread=rows[middle].std(axis=0),
        known=prepared.known,
        axis=np.zeros(rows.shape[1]),
        phases=np.full(count, Phase.TURN, dtype=np.int8),
        heading=prepared.heading,
        returns=True,
        repetitions=(),
        fps=recording.fps,
        video_frames=recording.video_frames or len(recording.times_s),
        ghost=_ghost(prepared.image[span]),
        remarks=(*remarks, NO_MOVEMENT),
        samples=pose[None, None],
        outlines=_outlines(recording, prepared, span),
    )


def _ghost(image: Floats) -> Floats:
    """Landmarks in trunk lengths from the middle of the hips, for drawing over a live picture."""
    hips, trunk = hips_and_trunk(image)
    ghost: Floats = (image - hips[:, None]) / _usual_length(trunk)
    return ghost


def _usual_length(trunk_px: Floats) -> float:
    """Of a trunk that is foreshortened at times, pixels."""
    return max(float(np.median(trunk_px)), 1.0)


def _outlines(recording: Recording, prepared: Prepared, span: slice) -> NDArray[np.uint8]:
    """(rows, 512) the person at each row, from the nearest frame's mask; empty if there are no masks."""
    frames = prepared.frames[span]
    if not any(mask is not None for mask in recording.masks):
        return np.zeros((0, PACKED_BYTES), dtype=np.uint8)
    numbers = recording.frame_numbers
    if numbers is None:
        numbers = np.arange(len(recording.times_s))
    outlines = np.zeros((len(frames), PACKED_BYTES), dtype=np.uint8)
    hips, trunk = hips_and_trunk(prepared.image[span])
    length = _usual_length(trunk)
    for row, nearest in enumerate(np.abs(frames[:, None] - numbers).argmin(axis=1)):
        mask = recording.masks[nearest]
        outline = outline_of(mask, hips[row], length) if mask is not None else None
        if outline is not None:
            outlines[row] = packed(outline.person)
    return outlines
