"""Two videos laid onto each other."""

from typing import Literal

from services.gateway.documents.base import Document, example
from services.gateway.documents.jobs import Job
from services.gateway.documents.references import REFERENCE, Reference
from services.gateway.documents.scores import (
    JOINT_ERROR,
    NOTICE,
    PERFORMED,
    SUB_SCORES,
    JointError,
    Notice,
    SubScores,
    VideoRepetition,
)


class ComparedFrame(Document):
    """One instant of the attempt laid onto the sample."""

    attempt_frame: int
    sample_frame: float | None
    """Frame of the sample video that shows the same."""
    phase: str | None
    score: float | None
    """Of the last seconds."""
    joint_errors: list[JointError]
    """Worst first, at most 5."""
    silhouette_overlap: float | None
    """Intersection over union of the outlines, where both videos show one side of the person and they were asked for."""
    landmarks: list[int | None] | None
    """Where the attempt's picture shows the 33 landmarks: x, y pairs, thousandths of its width and of its height, y down;
    null where one is not seen, and for all where nobody is."""


class ComparedCurve(Document):
    """One angle in both videos, a value a frame of the attempt."""

    name: str
    attempt_degrees: list[float | None]
    sample_degrees: list[float | None]


class Comparison(Document):
    """How an attempt went beside its sample."""

    model_config = example(
        reference=REFERENCE | {"reference_id": "", "name": "sample.mp4"}, attempt_frames=300, attempt_fps=30.0,
        score=84.0, sub_scores=SUB_SCORES, cosine=0.981, silhouette_overlap=None,
        repetitions=[PERFORMED | {"start_s": 1.2, "end_s": 4.1}],
        frames=[
            {"attempt_frame": 36, "sample_frame": 31.5, "phase": "out", "score": 84.0, "joint_errors": [JOINT_ERROR],
             "silhouette_overlap": None, "landmarks": [501, 211]}
        ],
        curves=[{"name": "left_knee", "attempt_degrees": [171.2, None], "sample_degrees": [174.0, None]}],
        notices=[NOTICE],
    )  # fmt: skip

    reference: Reference
    """What was compared with; its reference_id is empty if it was a video."""
    attempt_frames: int
    attempt_fps: float | None
    score: float | None
    sub_scores: SubScores
    cosine: float | None
    silhouette_overlap: float | None
    repetitions: list[VideoRepetition]
    frames: list[ComparedFrame]
    """Every frame of the attempt."""
    curves: list[ComparedCurve]
    notices: list[Notice]


class Compare(Job):
    """How far a comparison is."""

    model_config = example(
        compare_id="c-5d21", state="running", video="attempt", stage="detecting", fraction=0.5, frames_done=120,
        frames_total=240, comparison=None, problem=None,
    )  # fmt: skip

    compare_id: str
    video: Literal["sample", "attempt"] | None = None
    """Which of the two is worked on."""
    comparison: Comparison | None = None
    """Set when it is done."""

    @property
    def job_id(self) -> str:
        return self.compare_id

    @property
    def has_result(self) -> bool:
        return self.comparison is not None
