"""Which joint was wrong, and when: every "this joint, in this phase" is a hypothesis, and evidence ranks them.

A repetition is boiled down to residuals: the mean difference of each bone's direction from the reference's, in each
phase. For this it is laid onto the reference by how each bone lies between its own extremes. Laid by how each differs
from the ready pose, as the score wants it, an arm that begins wrong is off from then on, and pulls the rest out of step
with the phases.

Residuals are never zero: people differ from the reference's person, repetitions of one person differ from each other
(both in `variation`), and cameras err. A difference is suspicious as far as these three do not explain it: each bone has
a 9 x 9 covariance S of its three components in the three phases.

The hypothesis "joint j turned wrongly in phase p" adds an unknown rotation of about FAULT_DEG in that phase to the bones
that hang from j: a wrong shoulder carries the forearm along, a wrong elbow leaves the upper arm. A small rotation w moves a
direction u by w x u, so the residuals r of these bones shift by a matrix H times w. The evidence is the log Bayes factor
against "nothing is wrong", in closed form (the matched filter; Kay, Fundamentals of Statistical Signal Processing II, 4.3
and 5.3), where v = Hᵀ S⁻¹ r and I = Hᵀ S⁻¹ H are sums over the bones, and s is the size of a fault:

    ½ vᵀ (I + 1/s²)⁻¹ v  -  ½ log det(1 + s² I)

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
from services.scoring.judging.memory import Clip
from services.scoring.judging.variation import PERSON, REPETITION, Variation, between
from services.scoring.movement.features import BONE, BONE_COUNT
from services.scoring.movement.joints import JOINTS
from services.scoring.movement.landmarks import Bools, Floats
from services.scoring.movement.warping import onto_template, warping_path
from services.scoring.reference.template import Phase, Template

PHASES: Final = (Phase.OUT, Phase.TURN, Phase.BACK)
FAULT_DEG: Final = 15.0
"""Standard deviation, about each axis, of the rotation that a fault is."""
PRIOR_WEIGHT: Final = 4.0
"""Repetitions of one's own that weigh as much as what is known of everybody's."""
REMEMBERED: Final = 10.0
"""Repetitions a usual stands for at most: older ones fade, as people settle in and tire."""
VIEW_PHASE_SHARE: Final = 0.05
"""Share of the views' error variance that differs from phase to phase: jitter averages out, a camera's bias does not."""
_COMPONENTS: Final = 3 * BONE_COUNT
_CROSS: Final = np.cross(np.eye(3)[:, None], np.eye(3))
"""(3, 3, 3) how far a small rotation about one axis moves a direction along another."""
_FREEDOMS: Final = 2.0 * len(PHASES)
"""Of a bone: two directions to turn in, in each phase."""
_VIEW_PHASES: Final = (1.0 - VIEW_PHASE_SHARE) + VIEW_PHASE_SHARE * np.eye(len(PHASES))


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
    """What is left of a repetition to explain, and what the template does meanwhile."""

    mean: Floats
    """(3, 14, 3) mean difference of each bone's direction from the template's in each of PHASES; 0 where unknown."""
    shown: Floats
    """(3, 14, 3) the template's mean direction of each bone in each of PHASES."""
    moved: Floats
    """(3, 14, 3) how that differs from its ready pose."""
    known: Bools
    """(14,) bones seen."""
    present: Bools
    """(3,) phases the template has."""
    view: Floats
    """(14, 3) error variance of each component as the views see it, rad²."""


def residuals(clip: Clip, comparison: Comparison, template: Template) -> Residuals:
    """Of a repetition, which `comparison` is of too."""
    known = comparison.known[:_COMPONENTS]
    user, shown = clip.features[:, :_COMPONENTS], template.features[:, :_COMPONENTS]
    scale = np.where(known, comparison.limits.scale[:_COMPONENTS], 0.0)
    at, onto, _ = warping_path(_about_middle(user) * scale, _about_middle(shown) * scale)
    off = np.where(known, onto_template(user, at, onto, len(shown)) - shown, 0.0)
    rows = [np.asarray(template.phases == phase) for phase in PHASES]

    def means(values: Floats) -> Floats:
        bones = values.reshape(-1, BONE_COUNT, 3)
        return np.stack([bones[r].mean(axis=0) if r.any() else np.zeros((BONE_COUNT, 3)) for r in rows])

    return Residuals(
        mean=means(off),
        shown=means(shown),
        moved=means(template.relative()[:, :_COMPONENTS]),
        known=np.asarray(known.reshape(BONE_COUNT, 3).all(axis=1)),
        present=np.array([r.any() for r in rows]),
        view=comparison.limits.variance[:_COMPONENTS].reshape(BONE_COUNT, 3),
    )


def _about_middle(rows: Floats) -> Floats:
    """Less the middle between each column's extremes, which does not ask how long somebody stays where, as a mean does."""
    middle: Floats = 0.5 * (rows.min(axis=0) + rows.max(axis=0))
    return rows - middle


@dataclass(frozen=True)
class Usual:
    """What somebody's good repetitions have in common: sums that stand for them, so it never grows."""

    count: Floats = field(default_factory=lambda: np.zeros(BONE_COUNT))
    """(14,) repetitions that showed each bone, faded."""
    mean: Floats = field(default_factory=lambda: np.zeros((len(PHASES), BONE_COUNT, 3)))
    """(3, 14, 3) of their residuals."""
    scatter: Floats = field(default_factory=lambda: np.zeros(BONE_COUNT))
    """(14,) sum of squares about the mean, in what is expected of everybody's repetitions."""

    def after(self, seen: Residuals, repetition: Variation = REPETITION) -> Usual:
        """With one more repetition (Welford's update, older ones fading)."""
        fade = np.where(seen.known, np.minimum(1.0, (REMEMBERED - 1.0) / np.maximum(self.count, 1.0)), 1.0)
        before = self.count * fade
        count = before + seen.known
        step = (seen.mean - self.mean) * seen.known[:, None]
        share = before / np.maximum(count, 1.0)
        of_bones = _by_bone(step)[:, :, None]
        size = (of_bones * np.linalg.solve(_within(seen, repetition), of_bones)).sum(axis=(1, 2)) / _FREEDOMS
        return Usual(
            count=count,
            mean=self.mean + step / np.maximum(count, 1.0)[:, None],
            scatter=self.scatter * fade + share * size,
        )

    def expected(
        self, seen: Residuals, person: Variation = PERSON, repetition: Variation = REPETITION
    ) -> tuple[Floats, Floats]:
        """Mean (14, 9) and covariance (14, 9, 9) of a repetition's residuals if nothing is wrong with it, phase by phase.

        Of `seen` only what the views and the template are is looked at. `person` is how people differ from the
        reference's person, `repetition` how repetitions of one person do.
        """
        freedom = np.maximum(self.count - 1.0, 0.0)
        scale = (PRIOR_WEIGHT + self.scatter) / (PRIOR_WEIGHT + freedom)
        within = scale[:, None, None] * _within(seen, repetition)
        people = person.covariance(seen.moved)
        count = self.count[:, None, None]
        mean = _by_bone(self.mean)[:, :, None]
        believed = np.linalg.inv(count * people + within)
        # Who differs more than people do is believed sooner; a single repetition may be an accident.
        strange = freedom * (mean * (believed @ mean)).sum(axis=(1, 2)) / _FREEDOMS
        if (odd := strange > 1.0).any():
            people[odd] *= strange[odd, None, None]
            believed[odd] = np.linalg.inv((count * people + within)[odd])
        # Kalman's gain: how far the user's mean is believed against "as everybody".
        gain = count * people @ believed
        mean = gain @ mean
        return mean[:, :, 0], within + people - gain @ people

    @cached_property
    def state(self) -> dict[str, Any]:
        """As plain JSON values, to 1e-5: about 1.5 kB."""
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
                    ("mean", (len(PHASES), BONE_COUNT, 3)),
                    ("scatter", (BONE_COUNT,)),
                )
            ]
        except (KeyError, TypeError, ValueError):
            return cls()
        return cls(*found) if all(np.isfinite(part).all() for part in found) else cls()


def _within(seen: Residuals, repetition: Variation) -> Floats:
    """(14, 9, 9) covariance between repetitions of anybody, as the views see them."""
    views = between(np.broadcast_to(_VIEW_PHASES, (BONE_COUNT, *_VIEW_PHASES.shape)), seen.view)
    return repetition.covariance(seen.moved) + views


def _by_bone(phases: Floats) -> Floats:
    """(14, 9) from (3, 14, 3)."""
    return phases.transpose(1, 0, 2).reshape(BONE_COUNT, -1)


def evidence(
    seen: Residuals,
    usual: Usual | None = None,
    person: Variation = PERSON,
    repetition: Variation = REPETITION,
) -> Floats:
    """(12, 3) log Bayes factor of "this joint went wrong in this phase" for JOINTS and PHASES.

    -inf for joints of which no own bone was seen and for phases the template has not.
    """
    mean, spread = (usual or Usual()).expected(seen, person, repetition)
    there = np.flatnonzero(seen.present)
    parts = (3 * there[:, None] + np.arange(3)).ravel()
    precision = np.linalg.inv(spread[:, parts[:, None], parts])
    off = (_by_bone(seen.mean) - mean)[:, parts]
    strange = (precision @ off[:, :, None]).reshape(BONE_COUNT, len(there), 3)
    # Each phase's own block of the precision.
    blocks = precision.reshape(BONE_COUNT, len(there), 3, len(there), 3)[
        :, range(len(there)), :, range(len(there))
    ]
    shown = seen.shown[there] * seen.known[:, None]
    turn = np.einsum("wuc,pbu->pbcw", _CROSS, shown)
    moment = np.einsum("pbcw,bpc->pbw", turn, strange)
    stiffness = turn.swapaxes(2, 3) @ blocks @ turn
    moments = np.einsum("jb,pbw->jpw", _DOWNSTREAM, moment)[..., None]
    stiff = np.einsum("jb,pbvw->jpvw", _DOWNSTREAM, stiffness)
    size = np.radians(FAULT_DEG) ** 2
    found = moments * np.linalg.solve(stiff + np.eye(3) / size, moments)
    out = np.full((len(JOINTS), len(PHASES)), -np.inf)
    out[:, there] = 0.5 * found.sum(axis=(2, 3)) - 0.5 * np.linalg.slogdet(np.eye(3) + size * stiff)[1]
    out[[not seen.known[bones].any() for bones in _OWN_BONES]] = -np.inf
    return out


def most_suspicious(table: Floats) -> Sequence[tuple[int, int]]:
    """(joint, phase) of each joint's likeliest phase, likeliest joint first; joints that cannot be judged left out."""
    phase = table.argmax(axis=1)
    best = table.max(axis=1)
    order = np.argsort(-best, kind="stable")
    return [(int(joint), int(phase[joint])) for joint in order if np.isfinite(best[joint])]
