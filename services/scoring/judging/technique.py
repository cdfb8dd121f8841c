"""Faults that have a name: what coaches look at in an exercise, told by one measure each.

Bone by bone a lean of the trunk is one difference among fourteen, and a body built otherwise differs as much. A measure
(`measures.py`) looks at what the fault is: how deep, how far forward, how far apart. A rule (`rules.py`) says in which
exercise it counts, when, and how much more or less of it than expected passes. At that limit a repetition is worth 70, as
everywhere; three quarters of the way there, 90.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.scoring.advice.knowledge import canonical
from services.scoring.judging.comparison import READY_ROWS, Comparison, pace, phase_times
from services.scoring.judging.measures import MEASURES, Body, Measure, seen_by_one_camera
from services.scoring.judging.oneside import Told, of_one_side
from services.scoring.judging.pictured import PICTURED, picture_of_reference, shown
from services.scoring.judging.rules import RULES, Rule
from services.scoring.judging.stance import Stand, excesses
from services.scoring.movement.features import BONE, BONE_COUNT
from services.scoring.movement.landmarks import Bools, Floats
from services.scoring.movement.pictures import Picture
from services.scoring.movement.views import Observed
from services.scoring.reference.template import RATE_HZ, Phase, Template

WORST: Final = 0.24
"""A repetition with one clear fault that is else as it should be is worth 41 at least: wrong, but no collapse."""
ANOTHER: Final = 3.0
"""A reference this many limits from what coaches ask for shows another movement: a press with one arm is not uneven."""
IN_STEP: Final = 0.8
"""Who keeps pace with a playing video and takes less than this share of its time, or so much more, is out of step."""
DROPPED: Final = 0.5
"""Who takes less than this share of the reference's time for the way down falls rather than lowers, at any pace."""
LOWERING: Final[Mapping[str, Phase]] = {
    **dict.fromkeys(("squat", "lunge", "push_up"), Phase.OUT),
    **dict.fromkeys(("biceps_curl", "lateral_raise", "shoulder_press"), Phase.BACK),
}
"""The phase in which gravity would do the work. Elsewhere control is no matter of time."""
_FAST: Final = Rule("tempo", "fast", "time", "whole", math.log(IN_STEP), ())
_SLOW: Final = Rule("tempo", "slow", "time", "whole", -math.log(IN_STEP), ())
_DROP: Final = Rule("tempo", "fast", "time", "lowering", math.log(DROPPED), ())

SETTLED_ROWS: Final = 3
SETTLED: Final = 0.33
"""Root mean square difference between the first and last moments, in tolerances, up to which they are one pose. On the
virtual gym repetitions from a ready pose have 0.05 to 0.28, the first after lying down 0.33 to 0.53."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A fault with a name, as far as it goes."""

    rule: Rule | Stand
    excess: float
    """1 at the limit of what passes."""
    degrees: float
    """Difference of the measure from the reference's, whole degrees; NaN where it is no angle."""


def flaws(comparison: Comparison, template: Template, *, timed: bool = False) -> tuple[Flaw, ...]:
    """How far a repetition goes towards each fault of its exercise, furthest first; those not seen are left out.

    `timed`: the video leads, so that the user's own pace is a fault.
    """
    user = Body(comparison.user, comparison.user[:READY_ROWS].mean(axis=0))
    reference = Body(template.features, template.ready)
    turn = np.asarray(template.phases == Phase.TURN)
    found = _told(template, comparison.known, user, turn, reference, turn, comparison.pictures)
    found = _with_stance(found, comparison, template)
    found += _of_time(comparison, template, timed=timed)
    return _furthest_first(found)


def _with_stance(found: list[Flaw], comparison: Comparison, template: Template) -> list[Flaw]:
    """With what is seen of where knees, hips and feet stand; a fault told twice is told by what shows it more clearly."""
    for told in of_one_side(comparison, template):
        found = _with_told(found, told)
    for stand, excess in excesses(comparison, template):
        same = _same(found, stand)
        if not stand.alone and any(flaw.excess > excess for flaw in same):
            continue
        found = [flaw for flaw in found if flaw not in same] + [Flaw(stand, excess, math.nan)]
    return found


def _with_told(found: list[Flaw], told: Told) -> list[Flaw]:
    """With what pictures from one side show, in place of bones or averaged with them; unknown is not told."""
    same = _same(found, told.stand)
    excess = 0.5 * (told.excess + same[0].excess) if told.half and same else told.excess
    others = [flaw for flaw in found if flaw not in same]
    return [*others, Flaw(told.stand, max(0.0, excess), math.nan)] if math.isfinite(excess) else others


def _same(found: list[Flaw], stand: Stand) -> list[Flaw]:
    """Those of the same name."""
    return [flaw for flaw in found if (flaw.rule.part, flaw.rule.direction) == (stand.part, stand.direction)]


def _of_time(comparison: Comparison, template: Template, *, timed: bool) -> list[Flaw]:
    """Out of step with a video that leads, and dropped where one should lower oneself, if it is known when that began."""
    whole = pace(comparison, template)
    rules = [(_FAST, whole), (_SLOW, whole)] if timed else []
    lowering = LOWERING.get(canonical(template.exercise))
    if lowering is not None and settled(comparison, template):
        shown_s = float((template.phases == lowering).sum()) / RATE_HZ
        out_s, _, back_s = phase_times(comparison, template)
        done_s = out_s if lowering is Phase.OUT else back_s
        rules.append((_DROP, done_s / max(shown_s, 1.0 / RATE_HZ)))
    return [Flaw(rule, max(0.0, math.log(max(share, 0.05)) / rule.passes), math.nan) for rule, share in rules]


def settled(comparison: Comparison, template: Template) -> bool:
    """Whether a movement ends in the pose it began in, as the reference does.

    If not, its beginning was no ready pose: the person was still taking it up, or the tracker had only just found them
    (lying down for push-ups). What is measured from there is then not known; how fast the rest was, is.
    """
    if not template.returns or not comparison.known.any():
        return True
    rows = comparison.user / comparison.limits.relative
    shown = template.features / comparison.limits.relative
    ends = [one[:SETTLED_ROWS].mean(axis=0) - one[-SETTLED_ROWS:].mean(axis=0) for one in (rows, shown)]
    return bool(np.sqrt(np.square(ends[0] - ends[1])[comparison.known].mean()) <= SETTLED)


def held_flaws(seen: Observed, template: Template) -> tuple[Flaw, ...]:
    """How far a held pose goes towards each fault of its exercise now."""
    user, reference = (Body(pose[None], pose) for pose in (seen.features, template.ready))
    now = np.ones(1, dtype=np.bool_)
    return _furthest_first(_told(template, seen.known & template.known, user, now, reference, now))


def _furthest_first(found: list[Flaw]) -> tuple[Flaw, ...]:
    return tuple(sorted(found, key=lambda flaw: -flaw.excess))


def _told(
    template: Template,
    known: Bools,
    user: Body,
    turn: Bools,
    reference: Body,
    reference_turn: Bools,
    pictures: tuple[Picture, ...] = (),
) -> list[Flaw]:
    """`known` (60,) features seen in both; `turn`, `reference_turn`: rows of either at the far end; `pictures`: what the
    cameras showed of the user, on the template's rows.
    """
    seen = np.asarray(known[: 3 * BONE_COUNT].reshape(BONE_COUNT, 3).all(axis=1))
    found = []
    for rule in RULES.get(canonical(template.exercise), ()):
        if rule.measure in PICTURED:
            found += _in_pictures(rule, pictures, template, turn)
            continue
        measure = _seen(MEASURES[rule.measure], seen)
        if measure is None or (rule.when in ("turn", "change") and not turn.any()):
            continue
        expected = _expected(rule, measure, reference, reference_turn)
        more = _value(measure.of(user), rule.when, turn) - expected
        degrees = float(round(more)) if measure.unit == "degrees" else math.nan
        found.append(Flaw(rule, max(0.0, more / rule.passes), degrees))
    return found


def _in_pictures(rule: Rule, pictures: tuple[Picture, ...], template: Template, turn: Bools) -> list[Flaw]:
    """By a measure that cameras' pictures show; none: they, or the reference's, do not show enough of it."""
    measure = PICTURED[rule.measure]
    done, showed = (
        shown(measure, some, lambda rows: _value(rows, rule.when, turn))
        for some in (pictures, picture_of_reference(template))
    )
    if done is None or (showed is None and rule.usual is None):
        return []
    expected = _averaged(rule, showed.value, showed.error) if showed is not None else _usual(rule)
    if showed is not None and abs(showed.value - _usual(rule)) > ANOTHER * abs(rule.passes):
        return []
    more = done.value - expected
    degrees = float(round(more)) if measure.unit == "degrees" else math.nan
    return [Flaw(rule, max(0.0, more / rule.passes), degrees)]


def _expected(rule: Rule, measure: Measure, reference: Body, turn: Bools) -> float:
    """What the reference shows and what is usual, averaged by their variances."""
    seen = _value(measure.of(reference), rule.when, turn)
    if rule.usual is None:
        return seen
    error = seen_by_one_camera(measure, reference.features[turn].mean(axis=0), reference.ready)
    return _averaged(rule, seen, error)


def _averaged(rule: Rule, seen: float, error: float) -> float:
    if rule.usual is None:
        return seen
    usual, spread = rule.usual
    share = spread**2 / (spread**2 + error**2)
    return share * seen + (1.0 - share) * usual


def _usual(rule: Rule) -> float:
    return rule.usual[0] if rule.usual is not None else math.nan


def deviation(found: tuple[Flaw, ...]) -> float:
    """What the furthest is worth, as a share of the boundary's deviation: 1 at its limit, at most 1 + WORST."""
    excess = found[0].excess if found else 0.0
    return excess if excess <= 1.0 else 1.0 + WORST * math.tanh(excess - 1.0)


def _seen(measure: Measure, seen: Bools) -> Measure | None:
    """The measure, or one that tells as much, of which all bones are seen."""
    for one in (measure, *(MEASURES[name] for name in measure.instead)):
        if all(seen[BONE[name]] for name in one.bones):
            return one
    return None


def _value(values: Floats, when: str, turn: Bools) -> float:
    start = float(values[:READY_ROWS].mean()) if when in ("change", "sinking") else 0.0
    if when in ("turn", "change"):
        return float(values[turn].mean()) - start if turn.any() else math.nan
    if when == "whole":
        return float(values.mean())
    return float(values.max() if when == "most" else values.min()) - start
