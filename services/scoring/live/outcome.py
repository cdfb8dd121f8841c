"""What scoring says: of every frame, and of every completed repetition."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

from services.scoring.judging.score import Verdict
from services.scoring.judging.technique import Flaw
from services.scoring.movement.joints import JointError
from services.scoring.reference.template import Phase


class State(IntEnum):
    """What the person is doing; the numbers are those of komi.scoring.v1.TrackingState."""

    NOT_VISIBLE = 1
    READY = 2
    TRACKING = 3
    HOLD = 4
    LOST = 5
    REST = 6
    DONE = 7


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to say."""

    code: str
    """exercise.part.direction.phase, stable."""
    text_ko: str
    text_en: str
    praise: bool
    joints: tuple[str, ...]
    repetition: int
    """Number of the repetition that gave rise to it; 0 none."""
    tip_ko: str = ""
    """A further tip; empty: none."""
    tip_en: str = ""
    degrees: float = math.nan
    """What gave rise to it: mean signed difference of its joints from the reference; NaN: no angle did."""
    phase: Phase = Phase.UNKNOWN
    """In which part of the repetition that was worst."""
    phrased: bool = False
    """A language model chose the words."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to know that is no correction of the movement."""

    code: str
    """safety.stop, …, stable."""
    text_ko: str
    text_en: str


@dataclass(frozen=True, slots=True)
class CompletedRepetition:
    """A repetition, once it is over."""

    number: int
    start_s: float
    """On the session's clock, as the synced sets are."""
    end_s: float
    verdict: Verdict
    joint_errors: tuple[JointError, ...]
    """Worst first."""
    worst_phase: Phase
    flaws: tuple[Flaw, ...] = ()
    """How far it goes towards the faults its exercise is known for, furthest first."""
    likeness: float = math.nan
    """Cosine between this movement and the reference's as a whole; NaN: not known."""
    settled: bool = True
    """It ended in the pose it began in; if not, what is measured from its beginning is not known."""
    faults: tuple[str, ...] = ()
    """Codes of the faults worth a word, as in `Advice.code`, worst first; none if it passes."""
    cue: Advice | None = None
    """What is said of it; None: nothing."""
    silhouette_overlap: float | None = None
    """Mean intersection over union of the outlines, see `overlap.py`; None: not known."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is said of one synced set."""

    time_s: float
    state: State
    phase: Phase
    reference_frame: float | None
    confidence: float
    score: float | None
    joint_errors: tuple[JointError, ...]
    repetitions: int
    completed: CompletedRepetition | None
    advice: Advice | None
    latest: Verdict | None
    """Verdict on the newest repetition, whose parts stand until the next."""
    notice: Notice | None = None
    """What stands besides the advice."""
    cosine: float | None = None
    """Mean cosine between the person's bones and the reference's now; None: not tracking."""
    silhouette_overlap: float | None = None
    """Intersection over union of the outlines now; None: not known."""
