"""What scoring says: scores, repetitions, advice, notices."""

from typing import Any

from services.gateway.documents.base import Document, Micros, example

SUB_SCORES = {"form": 85.0, "range": 90.0, "tempo": 78.0, "symmetry": 92.0, "stability": None}
JOINT_ERROR = {"joint": "left_knee", "degrees": -12.0, "severity": 1.3}
ADVICE = {
    "code": "squat.knees.in.out", "text_ko": "무릎을 바깥으로 밀어 주세요.", "text_en": "Push your knees out.", "praise": False,
    "joints": ["left_knee", "right_knee"], "repetition": 2, "tip_ko": "", "tip_en": "", "phrased": False,
}  # fmt: skip
NOTICE = {
    "code": "unlike_reference", "text_ko": "참고 동작과 다릅니다.", "text_en": "This does not look like the reference.",
}  # fmt: skip
PERFORMED: dict[str, Any] = {
    "number": 2, "score": 84.0, "sub_scores": SUB_SCORES, "out_s": 1.1, "turn_s": 0.3, "back_s": 1.2,
    "range_of_motion": 0.97, "joint_errors": [JOINT_ERROR], "worst_phase": "turn", "cosine": 0.981,
    "faults": ["squat.knees.in.out"], "cue": ADVICE, "silhouette_overlap": None,
}  # fmt: skip
REPETITION = PERFORMED | {"start_us": 1795219211000000, "end_us": 1795219213600000}


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

    model_config = example(**NOTICE)

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

    model_config = example(
        session_id="s-7f3a9c2e", reference_id="r-2b91", repetitions=[REPETITION], mean_score=84.0, sets=1830
    )

    session_id: str
    reference_id: str
    repetitions: list[Repetition]
    """Oldest first; at most the last 1000."""
    mean_score: float | None
    sets: int
