"""What scoring says: scores, repetitions, advice, notices."""

from services.gateway.documents.base import Document, Micros


class JointError(Document):
    """How far one joint is off."""

    joint: str
    degrees: float | None
    severity: float | None
    """In units of its tolerance."""


class SubScores(Document):
    """Parts of a score, 0 to 100."""

    form: float | None
    range: float | None
    tempo: float | None
    symmetry: float | None
    stability: float | None


class Advice(Document):
    """One thing to say to the person."""

    code: str
    """exercise.joint.direction.phase; stable, for a client's own texts."""
    text_ko: str
    text_en: str
    praise: bool
    """False: something to mend."""
    joints: list[str]
    repetition: int | None
    """Repetition that gave rise to it."""
    tip_ko: str
    """A further tip from the knowledge base; empty: none."""
    tip_en: str
    phrased: bool
    """A language model chose the words."""


class Notice(Document):
    """Something to know that is no correction of the movement."""

    code: str
    text_ko: str
    text_en: str


class Performed(Document):
    """A completed repetition, but for when it was."""

    number: int
    score: float | None
    sub_scores: SubScores
    out_s: float
    turn_s: float
    back_s: float
    range_of_motion: float | None
    joint_errors: list[JointError]
    worst_phase: str | None
    cosine: float | None
    faults: list[str]
    """Codes of the faults found, worst first."""
    cue: Advice | None
    """What is said of it."""
    silhouette_overlap: float | None
    """Mean overlap of the person's outline with the reference's, 0 to 1."""


class Repetition(Performed):
    """A completed repetition of a session."""

    start_us: Micros
    end_us: Micros


class VideoRepetition(Performed):
    """A completed repetition of a video."""

    start_s: float
    """From the video's first frame."""
    end_s: float


class Summary(Document):
    """A session so far."""

    session_id: str
    reference_id: str
    repetitions: list[Repetition]
    """Oldest first; at most the last 1000."""
    mean_score: float | None
    sets: int
