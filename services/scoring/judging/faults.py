"""What was wrong with a repetition: joint by joint, and in which phase."""

from __future__ import annotations

import numpy as np

from services.scoring.judging import knees
from services.scoring.judging.calibration import DEEP
from services.scoring.judging.comparison import Comparison
from services.scoring.judging.deviation import FULL_RANGE
from services.scoring.judging.localisation import PHASES, Residuals, Usual, evidence, most_suspicious
from services.scoring.movement.joints import JOINTS, MAIN_ANGLES, JointError, joint_severity
from services.scoring.reference.template import Phase, Template


def repetition_errors(
    comparison: Comparison, template: Template, seen: Residuals, usual: Usual | None = None
) -> tuple[tuple[JointError, ...], Phase]:
    """Joints most suspicious first, each as it was in its own worst phase, and the phase that is worst of all.

    `seen`: the repetition's residuals; `usual`: what the user does in repetitions that pass. The order comes from the
    evidence, how much each is off from the template alone.
    """
    suspects = most_suspicious(evidence(seen, usual))
    errors = []
    for joint, phase in suspects:
        rows = np.asarray(template.phases == PHASES[phase])
        z = np.sqrt(np.square(comparison.relative[rows] / comparison.limits.relative).mean(axis=0))
        severity = joint_severity(z, comparison.known)[joint]
        if not severity > 0:
            continue
        degrees = np.degrees(comparison.relative[rows][:, MAIN_ANGLES[joint]].mean())
        errors.append(JointError(JOINTS[joint].name, float(np.round(degrees)), float(severity)))
    knees_in = knees.error(knees.inwards(comparison, template))
    if knees_in is not None:
        # Deep enough, the knees are the cause of what the hips show; else depth comes first, as it bends everything.
        deep = comparison.height >= DEEP.get(template.exercise, FULL_RANGE)
        errors.insert(0 if deep else len(errors), knees_in)
    return tuple(errors), PHASES[suspects[0][1]] if suspects else Phase.UNKNOWN
