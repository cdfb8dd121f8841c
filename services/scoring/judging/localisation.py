"""Which joint was wrong, and when: every "this joint, in this phase" is a hypothesis, and evidence ranks them.

A repetition is boiled down to residuals: the mean difference of each bone's direction from the reference's, in each
phase. They are never zero. People differ from the reference's person (mostly the same in all phases: build, stance,
clothes), repetitions of one person differ from each other, and cameras err. A difference is suspicious as far as these
three do not explain it, so each bone has a 3 x 3 covariance between phases: a part common to all phases, plus a part of
each phase's own.

The hypothesis "joint j turned wrongly in phase p" adds an unknown shift of about FAULT_DEG to phase p of the bones that
hang from j: a wrong shoulder carries the forearm along, a wrong elbow leaves the upper arm. Its evidence is the log
Bayes factor against "nothing is wrong", summed over these bones. For a residual r with covariance S and a shift along
the phase's unit vector e with variance s² it has a closed form (the matched filter; Kay, Fundamentals of Statistical
Signal Processing II, 4.3 and 5.3), where w = eᵀS⁻¹r and i = eᵀS⁻¹e:

    ½ s²|w|² / (1 + s² i)  -  ½ · 2 · log(1 + s² i)

with a factor 2 for the two directions in which a bone can turn.

What a user does in repetitions that pass is their usual, and no fault. It enters as in any Gaussian hierarchy (Gelman et
al., Bayesian Data Analysis, 5.4): it shifts what is expected and takes the differences between people out of S.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np

from services.scoring.judging.comparison import Comparison
from services.scoring.movement.features import BONE, BONE_COUNT, BONES
from services.scoring.movement.joints import JOINTS
from services.scoring.movement.landmarks import Bools, Floats
from services.scoring.reference.template import Phase, Template

PHASES: Final = (Phase.OUT, Phase.TURN, Phase.BACK)
FAULT_DEG: Final = 15.0
"""Standard deviation, in each direction, of the shift that a fault is."""
PRIOR_WEIGHT: Final = 4.0
"""Repetitions of one's own that weigh as much as what is known of everybody's."""
REMEMBERED: Final = 10.0
"""Repetitions a usual stands for at most: older ones fade, as people settle in and tire."""
VIEW_PHASE_SHARE: Final = 0.05
"""Share of the views' error variance that differs from phase to phase: jitter averages out, a camera's bias does not."""


def covariance(common_deg: Floats, phase_deg: Floats) -> Floats:
    """(14, 3, 3) rad² between phases, from standard deviations (14,) common to all phases and of each one's own."""
    return _between_phases(np.radians(common_deg) ** 2, np.radians(phase_deg) ** 2)


def _between_phases(common: Floats, own: Floats) -> Floats:
    return common[:, None, None] * np.ones((3, 3)) + own[:, None, None] * np.eye(3)


def _by_bone(**degrees: float) -> Floats:
    """(14,) from a figure for each kind of bone, left and right alike."""
    return np.array([degrees[bone.name.removeprefix("left_").removeprefix("right_")] for bone in BONES])


# Measured on UI-PRMD m01-m05 (correct repetitions, marker truth), rounded by hand.
REPETITION: Final = covariance(
    _by_bone(trunk=1, head=6, shoulders=1, hips=1, upper_arm=4, forearm=5, thigh=2, shin=2, foot=4),
    _by_bone(trunk=1, head=3, shoulders=1, hips=1, upper_arm=2, forearm=3, thigh=1.5, shin=1.5, foot=1.5),
)
"""(14, 3, 3) between correct repetitions of one person."""
PERSON: Final = covariance(
    _by_bone(trunk=4, head=10, shoulders=4, hips=4, upper_arm=13, forearm=13, thigh=12, shin=10, foot=14),
    _by_bone(trunk=2, head=3, shoulders=2, hips=3, upper_arm=2.5, forearm=2.5, thigh=6, shin=5, foot=5),
)
"""(14, 3, 3) between what is usual for two people."""


def _downstream() -> Floats:
    """(joints, 14) 1 for the bones that turn with a joint: its own and those further out on its limb."""
    moved = np.zeros((len(JOINTS), BONE_COUNT))
    for row, joint in enumerate(JOINTS):
        outward = [other for other in JOINTS[row:] if other.part == joint.part]
        moved[row, [BONE[bone] for other in outward for bone in other.bones]] = 1.0
    return moved


_DOWNSTREAM: Final = _downstream()
_OWN_BONES: Final = [[BONE[bone] for bone in joint.bones] for joint in JOINTS]


@dataclass(frozen=True, slots=True)
class Residuals:
    """What is left of a repetition to explain."""

    mean: Floats
    """(3, 14, 3) mean difference of each bone's direction from the template's in each of PHASES; 0 where unknown."""
    known: Bools
    """(14,) bones seen."""
    present: Bools
    """(3,) phases the template has."""
    view: Floats
    """(14,) error variance of a component as the views see it, rad²."""


def residuals(comparison: Comparison, template: Template) -> Residuals:
    """Of a repetition laid onto the template's rows."""
    bones = comparison.absolute[:, : 3 * BONE_COUNT]
    rows = [np.asarray(template.phases == phase) for phase in PHASES]
    mean = np.stack([bones[r].mean(axis=0) if r.any() else np.zeros(3 * BONE_COUNT) for r in rows])
    return Residuals(
        mean=mean.reshape(3, BONE_COUNT, 3),
        known=np.asarray(comparison.known[: 3 * BONE_COUNT].reshape(BONE_COUNT, 3).all(axis=1)),
        present=np.array([r.any() for r in rows]),
        view=comparison.limits.variance[: 3 * BONE_COUNT].reshape(BONE_COUNT, 3).mean(axis=1),
    )


@dataclass(frozen=True)
class Usual:
    """What somebody's good repetitions have in common: sums that stand for them, so it never grows."""

    count: Floats = field(default_factory=lambda: np.zeros(BONE_COUNT))
    """(14,) repetitions that showed each bone, faded."""
    mean: Floats = field(default_factory=lambda: np.zeros((3, BONE_COUNT, 3)))
    """(3, 14, 3) of their residuals."""
    scatter: Floats = field(default_factory=lambda: np.zeros((BONE_COUNT, 3, 3)))
    """(14, 3, 3) sum of squares and products about the mean between phases, per direction a bone can turn."""

    def after(self, seen: Residuals) -> Usual:
        """With one more repetition (Welford's update, older ones fading)."""
        fade = np.where(seen.known, np.minimum(1.0, (REMEMBERED - 1.0) / np.maximum(self.count, 1.0)), 1.0)
        before = self.count * fade
        count = before + seen.known
        step = (seen.mean - self.mean) * seen.known[:, None]
        share = before / np.maximum(count, 1.0)
        return Usual(
            count=count,
            mean=self.mean + step / np.maximum(count, 1.0)[:, None],
            scatter=self.scatter * fade[:, None, None]
            + share[:, None, None] * np.einsum("pbk,qbk->bpq", step, step) / 2.0,
        )

    def expected(self, view: Floats, person: Floats = PERSON) -> tuple[Floats, Floats]:
        """Mean (3, 14, 3) and covariance (14, 3, 3) of the next repetition's residuals if nothing is wrong with it.

        `view` (14,) is the views' error variance, `person` how people differ from the reference's person.
        """
        within = REPETITION + _between_phases((1.0 - VIEW_PHASE_SHARE) * view, VIEW_PHASE_SHARE * view)
        count = self.count[:, None, None]
        freedom = np.maximum(count - 1.0, 0.0)
        within = (PRIOR_WEIGHT * within + self.scatter) / (PRIOR_WEIGHT + freedom)
        # Kalman's gain: how far the user's mean is believed against "as everybody".
        gain = count * person @ np.linalg.inv(count * person + within)
        mean = np.einsum("bpq,qbk->pbk", gain, self.mean)
        return mean, within + person - gain @ person

    @cached_property
    def state(self) -> dict[str, Any]:
        """As plain JSON values, to 1e-5: about 2 kB."""
        parts = {"count": self.count, "mean": self.mean, "scatter": self.scatter}
        return {name: [round(value, 5) for value in part.ravel().tolist()] for name, part in parts.items()}

    @classmethod
    def of(cls, state: object) -> Usual:
        """From `state`; from nothing if it is none, since a usual is quickly learnt again."""
        try:
            found = [
                np.asarray(state[name], dtype=np.float64).reshape(shape)  # type: ignore[index]
                for name, shape in (
                    ("count", (BONE_COUNT,)),
                    ("mean", (3, BONE_COUNT, 3)),
                    ("scatter", (BONE_COUNT, 3, 3)),
                )
            ]
        except (KeyError, TypeError, ValueError):
            return cls()
        return cls(*found) if all(np.isfinite(part).all() for part in found) else cls()


def evidence(seen: Residuals, usual: Usual | None = None, person: Floats = PERSON) -> Floats:
    """(12, 3) log Bayes factor of "this joint went wrong in this phase" for JOINTS and PHASES.

    -inf for joints of which no own bone was seen and for phases the template has not.
    """
    mean, spread = (usual or Usual()).expected(seen.view, person)
    there = np.flatnonzero(seen.present)
    precision = np.linalg.inv(spread[:, there[:, None], there])
    strange = np.einsum("bpq,qbk->pbk", precision, (seen.mean - mean)[there])
    size = np.radians(FAULT_DEG) ** 2
    gain = size * np.diagonal(precision, axis1=1, axis2=2).T
    factors = 0.5 * size * np.square(strange).sum(axis=2) / (1.0 + gain) - np.log1p(gain)
    out = np.full((len(JOINTS), len(PHASES)), -np.inf)
    out[:, there] = _DOWNSTREAM @ (factors * seen.known).T
    out[[not seen.known[bones].any() for bones in _OWN_BONES]] = -np.inf
    return out


def most_suspicious(table: Floats) -> Sequence[tuple[int, int]]:
    """(joint, phase) of each joint's likeliest phase, likeliest joint first; joints that cannot be judged left out."""
    phase = table.argmax(axis=1)
    best = table.max(axis=1)
    order = np.argsort(-best, kind="stable")
    return [(int(joint), int(phase[joint])) for joint in order if np.isfinite(best[joint])]
