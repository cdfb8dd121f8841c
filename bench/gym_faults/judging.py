"""A scene through a session's scorer: what is counted, and what is said of every repetition."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.gym_faults.looking import look
from bench.gym_faults.scenes import FPS, HOLDS, VIEWS, Scene, Split, answer
from gym.recording import cameras_of
from gym.timeline import Repetition
from services.scoring.live.outcome import Outcome
from services.scoring.live.session import Rules, SessionScorer
from services.scoring.movement.landmarks import Floats, Recording, SyncedViews
from services.scoring.reference.building import build_template
from services.scoring.reference.template import Template

CAMERAS: Final = (1, 2, 3)
PRONE: Final = frozenset({"push_up"})
"""Movements that are shown without lying down and getting up."""
OF_PACE: Final = frozenset({"too_fast"})
"""Faults where the video leads only: else the pace is the user's own."""
SETTLED_S: Final = 2.0
"""What was said of the rest before stands until a second after it is mended: the first moments of a hold do not count."""
APART_S: Final = 0.6 / FPS
"""Frames of several cameras further apart than this are not of one set."""


@dataclass(frozen=True, slots=True)
class Performed:
    """One repetition as it was judged; a hold counts as one."""

    score: float
    faults: tuple[str, ...]
    """Codes, as in `Repetition.faults`; of a hold, of all cues that were given while it was held."""


@dataclass(frozen=True, slots=True)
class Result:
    """A scene looked at by some cameras."""

    scene: Scene
    cameras: int
    due: int
    """Repetitions that were done."""
    counted: tuple[Performed, ...]
    video_leads: bool
    unlike: bool
    """It was said that this does not look like the reference."""


def template_of(movement: str, split: Split, source: str) -> Template:
    """The reference that users of this split follow, built from one view of the answer."""
    shown = answer(movement, split)
    recording = look(shown, VIEWS[0], source)
    if movement in HOLDS:
        held = repetitions(shown)[0]
        recording = cropped(recording, held.lowest + 0.5, held.rise - 0.2)
    elif movement in PRONE:
        done = repetitions(shown)
        recording = cropped(recording, done[0].start - 0.3, done[-1].end + 0.3)
    return build_template(recording, movement)


def repetitions(scene: Scene) -> tuple[Repetition, ...]:
    """Those that are done in truth."""
    camera = next(iter(cameras_of(scene.script()).values()))
    return tuple(camera.stage.timeline.repetitions())


def judged(
    scene: Scene, cameras: int, template: Template, source: str, *, video_leads: bool = False
) -> Result:
    """Feeds the scene's sets to a fresh session."""
    scorer = SessionScorer(template, rules=Rules(video_leads=video_leads))
    outcomes = [scorer.feed(one) for one in sets(scene, cameras, source)]
    due = repetitions(scene)
    hold = scene.movement in HOLDS
    counted = _held(outcomes, due) if hold else _repeated(outcomes)
    unlike = any(one.notice is not None and one.notice.code == "unlike_reference" for one in outcomes)
    return Result(scene, cameras, len(due), counted, video_leads, unlike)


def sets(scene: Scene, cameras: int, source: str) -> list[SyncedViews]:
    """What sync would emit: the first camera's frames with the nearest ones of the others."""
    looks = [look(scene, view, source) for view in VIEWS[:cameras]]
    times = looks[0].times_s
    members = [(_nearest(one.times_s, times), one) for one in looks]
    found = []
    for row, time_s in enumerate(times):
        views = tuple(
            one.view(int(rows[row]), str(view))
            for view, (rows, one) in zip(VIEWS, members, strict=False)
            if abs(one.times_s[rows[row]] - time_s) <= APART_S and one.found[rows[row]]
        )
        found.append(SyncedViews(float(time_s), views))
    return found


def _nearest(times: Floats, wanted: Floats) -> NDArray[np.intp]:
    after = np.clip(np.searchsorted(times, wanted), 1, len(times) - 1)
    before = after - 1
    return np.where(wanted - times[before] <= times[after] - wanted, before, after)


def _repeated(outcomes: list[Outcome]) -> tuple[Performed, ...]:
    done = [one.completed for one in outcomes if one.completed is not None]
    return tuple(Performed(one.verdict.score, one.faults) for one in done)


def _held(outcomes: list[Outcome], due: tuple[Repetition, ...]) -> tuple[Performed, ...]:
    counted = []
    for one in due:
        held = [o for o in outcomes if one.lowest + SETTLED_S <= o.time_s <= one.rise]
        codes = dict.fromkeys(o.advice.code for o in held if o.advice is not None and not o.advice.praise)
        scores = [o.score for o in held if o.score is not None]
        if scores:
            counted.append(Performed(float(np.median(scores)), tuple(codes)))
    return tuple(counted)


def cropped(recording: Recording, start_s: float, end_s: float) -> Recording:
    """Part of a recording."""
    rows = (recording.times_s >= start_s) & (recording.times_s <= end_s)
    return replace(
        recording,
        times_s=recording.times_s[rows] - start_s,
        image_px=recording.image_px[rows],
        world_m=recording.world_m[rows],
        visibility=recording.visibility[rows],
    )
