"""What was wrong with a repetition: joint by joint, and in which phase."""

from __future__ import annotations

import numpy as np

from services.scoring import knees
from services.scoring.calibration import DEEP
from services.scoring.comparison import Comparison
from services.scoring.deviation import FULL_RANGE
from services.scoring.joints import JOINTS, MAIN_ANGLES, JointError, joint_severity
from services.scoring.template import Phase, Template


def repetition_errors(comparison: Comparison, template: Template) -> tuple[tuple[JointError, ...], Phase]:
    """Joints worst first, each by its worst phase, and the phase that is worst of all."""
    z = comparison.relative / comparison.limits.relative
    phases = [phase for phase in (Phase.OUT, Phase.TURN, Phase.BACK) if (template.phases == phase).any()]
    table = np.nan_to_num(
        np.stack(
            [
                joint_severity(np.sqrt(np.square(z[template.phases == phase]).mean(axis=0)), comparison.known)
                for phase in phases
            ]
        )
    )
    errors = []
    for index, joint in enumerate(JOINTS):
        worst = int(np.argmax(table[:, index]))
        if table[worst, index] <= 0:
            continue
        rows = template.phases == phases[worst]
        degrees = np.degrees(comparison.relative[rows][:, MAIN_ANGLES[index]].mean())
        errors.append(JointError(joint.name, float(np.round(degrees)), float(table[worst, index])))
    worst_phase = phases[int(np.argmax(table.max(axis=1)))]
    errors.sort(key=lambda error: -error.severity)
    knees_in = knees.error(knees.inwards(comparison, template))
    if knees_in is not None:
        # Deep enough, the knees are the cause of what the hips show; else depth comes first, as it bends everything.
        deep = comparison.height >= DEEP.get(template.exercise, FULL_RANGE)
        errors.insert(0 if deep else len(errors), knees_in)
    return tuple(errors), worst_phase
