"""The other side of a one-sided movement, as the sample's own camera saw it.

People who show lunges change legs. What a camera shows of the far leg is biased otherwise than what it shows of the near
one (a knee is bent 15 degrees more or less by the same lunge), so a mirror image of one side is a poor reference for the
other. Where the sample shows both, each side is compared with its own.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from services.scoring.movement.features import FEATURES, renormalised
from services.scoring.movement.landmarks import Floats
from services.scoring.movement.smoothing import lowpass
from services.scoring.movement.warping import onto_template, warping_path
from services.scoring.reference.mirror import mirror_image, one_sided
from services.scoring.reference.preparation import rough_scale
from services.scoring.reference.segmentation import Segment, segments_of
from services.scoring.reference.template import RATE_HZ, Template

ALIKE: Final = 0.5
"""Share of the mirror image's movement that a repetition to the other side must explain."""


def other_side(template: Template, sample: Floats, own: list[Segment]) -> Floats:
    """(rows, 60) mean of the sample's repetitions to the other side on the template's time; (0, 60) if it shows none.

    `sample` (n, 60) are the features of the whole video, `own` the template's repetitions in it.
    """
    nothing = np.zeros((0, FEATURES))
    if not one_sided(template):
        return nothing
    image = mirror_image(template)
    axis = np.where(image.known, image.axis, 0.0)
    rest = float((template.ready - image.ready) @ axis)
    scale = rough_scale()
    wanted = (image.relative() / scale)[:, image.known]
    aligned = []
    for segment in segments_of(np.maximum((sample - image.ready) @ axis, rest), RATE_HZ):
        if any(_overlap(segment, one) > 0.5 for one in own):
            continue
        part = sample[segment.start : segment.end + 1]
        moved = ((part - part[0]) / scale)[:, image.known]
        a, b, cost = warping_path(moved, wanted)
        energy = 0.5 * float(np.square(moved[a]).sum() + np.square(wanted[b]).sum())
        if cost <= (1.0 - ALIKE) * energy:
            aligned.append(onto_template(part, a, b, len(wanted)))
    return renormalised(lowpass(np.mean(aligned, axis=0), RATE_HZ)) if aligned else nothing


def _overlap(one: Segment, other: Segment) -> float:
    """Share of the shorter one that lies in both."""
    both = min(one.end, other.end) - max(one.start, other.start)
    return both / max(1, min(one.end - one.start, other.end - other.start))
