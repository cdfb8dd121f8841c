"""From the landmarks of a sample video to smooth features at the template's rate, once the video is found fit for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring import errors
from services.scoring.movement.features import bone_vectors, bone_visibility, feature_vectors
from services.scoring.movement.landmarks import Bools, Floats, Landmark, Recording
from services.scoring.movement.smoothing import fill_gaps, lowpass, resample
from services.scoring.movement.views import VISIBLE, angle_variance, heading, mean_heading
from services.scoring.reference.template import RATE_HZ
from services.scoring.reference.tolerance import one_view_variance

SHORTEST_S: Final = 0.8
"""A sample video must show a person for at least this long."""
SEEN_SHARE: Final = 0.5
"""… and in at least this share of its frames."""
KNOWN_SHARE: Final = 0.25
"""… and this share of what scoring compares in most of those."""
TWO_PEOPLE_SHARE: Final = 0.2
"""More frames than this with a second person make it unclear whom to follow."""
LOW_FPS: Final = 15.0
"""Below this frame rate quick movements fall between the frames, which the remarks say."""


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


def prepare(recording: Recording) -> Prepared:
    """Fills gaps, resamples to 30 rows a second, smooths, and computes features. Raises NobodyFound."""
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
    known = _known_features(seen & (np.isfinite(bones).all(axis=2).mean(axis=0) >= SEEN_SHARE))
    if known.mean() < KNOWN_SHARE:
        raise errors.NobodyFound(
            "too little of the body is seen to tell its movement; film the whole body, well lit and in the picture"
        )
    return Prepared(
        features=features,
        frames=np.interp(at, times, numbers[part]),
        known=known,
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
