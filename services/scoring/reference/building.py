"""Builds a template from the landmarks of a sample video.

Smooth, find the repetitions, drop those unlike the rest, align all to the most typical one and average; keep the spread.
One repetition works, on default tolerances. A video without movement becomes a hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.scoring import errors
from services.scoring.movement.alignment import onto_template, warping_path
from services.scoring.movement.features import (
    ANGLE,
    angles_of,
    bone_vectors,
    bone_visibility,
    feature_vectors,
    renormalised,
)
from services.scoring.movement.landmarks import Bools, Floats, Landmark, Recording
from services.scoring.movement.smoothing import fill_gaps, lowpass, resample
from services.scoring.movement.views import VISIBLE, angle_variance, heading, mean_heading
from services.scoring.reference.segmentation import Segment, find_repetitions
from services.scoring.reference.template import MOST_SAMPLES, RATE_HZ, Kind, Phase, Template
from services.scoring.reference.tolerance import one_view_variance

SHORTEST_S: Final = 0.8
"""A sample video must show a person for at least this long."""
SEEN_SHARE: Final = 0.5
"""… and in at least this share of its frames."""
TWO_PEOPLE_SHARE: Final = 0.2
"""More frames than this with a second person make it unclear whom to follow."""
HOLD_DEG: Final = 18.0
"""A video in which no two main angles swing further than this is a held pose."""
ALIKE: Final = 0.5
"""Share of a repetition's movement that the most typical one must explain, else it is something else."""
LOW_FPS: Final = 15.0
"""Below this frame rate quick movements fall between the frames, which the remarks say."""
ONE_REPETITION: Final = "Only one repetition was found; default tolerances are used."

_MAIN_ANGLES: Final = [
    ANGLE[name]
    for name in ANGLE
    if name not in ("neck", "shoulder_tilt", "hip_tilt", "left_ankle", "right_ankle")
]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recording brought to the template's rate."""

    features: Floats
    """(rows, 60)"""
    frames: Floats
    """(rows,) frame number of the video, fractional."""
    known: Bools
    """(60,) features visible in most frames."""
    image: Floats
    """(rows, 33, 2) pixels."""
    heading: float


def build_template(recording: Recording, exercise: str = "") -> Template:
    """The template of a sample video. Raises a ReferenceUnusable that says what is wrong with the video."""
    check(recording)
    prepared = prepare(recording)
    remarks: list[str] = []
    if recording.fps < LOW_FPS:
        remarks.append(f"The video has {recording.fps:g} frames a second; quick movements may be missed.")
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
        remarks.append(
            "No repetition that comes back to its start was found; the whole movement is the reference."
        )
    elif len(kept) == 1:
        remarks.append(ONE_REPETITION)
    return template_of(recording, prepared, typical, kept, exercise, remarks)


def prepare(recording: Recording) -> Prepared:
    """Fills gaps, resamples to 30 rows a second, smooths, and computes features."""
    found = recording.found
    first, last = np.flatnonzero(found)[[0, -1]]
    part = slice(int(first), int(last) + 1)
    times = recording.times_s[part]
    numbers = recording.frame_numbers
    if numbers is None:
        numbers = np.arange(len(found))
    at = np.arange(times[0], times[-1] + 1e-9, 1.0 / RATE_HZ)
    smooth = {
        name: lowpass(resample(times, fill_gaps(times, values[part]), at), RATE_HZ)
        for name, values in (("world", recording.world_m), ("image", recording.image_px))
    }
    bones = bone_vectors(smooth["world"])
    measured = np.isfinite(recording.world_m[found]).all(axis=2)
    visible = bone_visibility(np.where(measured, np.nan_to_num(recording.visibility[found]), 0.0))
    seen = (visible >= VISIBLE).mean(axis=0) >= SEEN_SHARE
    features = np.nan_to_num(feature_vectors(bones))
    return Prepared(
        features=features,
        frames=np.interp(at, times, numbers[part]),
        known=_known_features(seen),
        image=smooth["image"],
        heading=mean_heading(heading(bones)),
    )


def check(recording: Recording) -> None:
    """Raises a ReferenceUnusable that says why nobody can be judged by this video."""
    found = recording.found
    seconds = float(recording.times_s[-1] - recording.times_s[0]) if len(found) > 1 else 0.0
    if len(found) and found.mean() < SEEN_SHARE:
        raise errors.NobodyFound(
            f"a person is seen in {found.sum()} of {len(found)} frames; film the whole body, well lit and in the picture"
        )
    if seconds < SHORTEST_S or found.sum() < 4:
        raise errors.TooShort(
            f"the video shows a person for {seconds:.1f} s; at least {SHORTEST_S:g} s are needed, best 3 to 5 repetitions"
        )
    if recording.persons is not None and (recording.persons > 1).mean() > TWO_PEOPLE_SHARE:
        share = 100 * (recording.persons > 1).mean()
        raise errors.SeveralPeople(
            f"{share:.0f} % of the frames show more than one person; film one person alone"
        )
    head, hips, feet = (
        np.nanmedian(recording.image_px[found][:, marks, 1])
        for marks in (
            (Landmark.NOSE, Landmark.LEFT_EAR, Landmark.RIGHT_EAR),
            (Landmark.LEFT_HIP, Landmark.RIGHT_HIP),
            (Landmark.LEFT_ANKLE, Landmark.RIGHT_ANKLE),
        )
    )
    if head > hips > feet:
        raise errors.UpsideDown("the person's head is below their feet; turn the video and try again")


def _known_features(bones_seen: Bools) -> Bools:
    variance = np.where(bones_seen[:, None], 1.0, np.inf) * np.ones((1, 3))
    return np.isfinite(np.concatenate((variance.reshape(-1), angle_variance(variance))))


def rough_scale() -> Floats:
    """(60,) rough scale that makes features comparable before any template exists."""
    scale: Floats = np.sqrt(one_view_variance() + np.radians(5.0) ** 2)
    return scale


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
    )


def _ready_pose(features: Floats, kept: list[Segment]) -> Floats:
    """The pose repetitions start from: the mean of their first moments."""
    starts = [features[s.start : s.start + 3].mean(axis=0) for s in kept]
    return renormalised(np.mean(starts, axis=0))


def movement_axis(features: Floats, ready: Floats, known: Bools) -> tuple[Floats, NDArray[np.int8]]:
    """Principal axis of a repetition (0 at the ready pose, 1 at the far end) and the phase of each row."""
    sigma = rough_scale()
    rows = np.where(known, (features - ready) / sigma, 0.0)
    # About the ready pose, not the mean: the axis points from there to the far end.
    _, _, axes = np.linalg.svd(rows, full_matrices=False)
    axis = axes[0]
    level = rows @ axis
    if level[np.argmax(np.abs(level))] < 0:
        axis, level = -axis, -level
    top = float(level.max())
    scaled = axis / sigma / max(top, 1e-9)
    return scaled, phases_of(level / max(top, 1e-9))


def phases_of(level: Floats) -> NDArray[np.int8]:
    """Phase of each row from the position on the axis: velocity changes sign within the turn."""
    peak = int(np.argmax(level))
    phases = np.full(len(level), Phase.OUT, dtype=np.int8)
    phases[peak:] = Phase.BACK
    first = last = peak
    while first > 0 and level[first - 1] >= 0.92 * level[peak]:
        first -= 1
    while last + 1 < len(level) and level[last + 1] >= 0.92 * level[peak]:
        last += 1
    phases[first : last + 1] = Phase.TURN
    return phases


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
        remarks=(*remarks, "The video shows no movement; its pose is the reference, to be held."),
        samples=pose[None, None],
    )


def _ghost(image: Floats) -> Floats:
    """Landmarks in trunk lengths from the middle of the hips, for drawing over a live picture."""
    hips = image[:, (Landmark.LEFT_HIP, Landmark.RIGHT_HIP)].mean(axis=1)
    shoulders = image[:, (Landmark.LEFT_SHOULDER, Landmark.RIGHT_SHOULDER)].mean(axis=1)
    trunk = float(np.median(np.linalg.norm(shoulders - hips, axis=1)))
    ghost: Floats = (image - hips[:, None]) / max(trunk, 1.0)
    return ghost
