"""References and their building."""

from pydantic import BaseModel, ConfigDict, Field

from services.gateway.documents.base import Document, Micros, example
from services.gateway.documents.jobs import Job
from services.gateway.documents.scores import Notice

NOTICE = {
    "code": "one_repetition", "text_ko": "반복이 한 번만 있어서 기본 허용 범위를 씁니다.",
    "text_en": "Only one repetition was found; default tolerances are used.",
}  # fmt: skip
REFERENCE = {
    "reference_id": "r-2b91", "version": 1, "name": "Squat", "exercise": "squat", "kind": "repetitions",
    "created_us": 1795219200000000, "frames": 240, "fps": 30.0, "repetitions": 2, "template_first_frame": 31,
    "template_frames": 88, "view_degrees": 87.0, "remarks": [NOTICE], "active": True, "videos": 1, "silhouettes": False,
    "strip": True, "calibration": {"source": "correct", "right": 12, "wrong": 0, "people": 3},
    "curves": [{"name": "left_knee", "degrees": [178.1, 177.9]}], "ghost": [[0.02, -1.31, 0.05, -1.35]],
}  # fmt: skip


class Curve(Document):
    """An angle over the frames of a template."""

    name: str
    degrees: list[float | None]


class ReferenceCalibration(Document):
    """What a version knows of right and wrong."""

    source: str
    """defaults; correct: at least 5 right repetitions; labelled: at least 5 of each kind."""
    right: int
    """Repetitions given."""
    wrong: int
    people: int


class Reference(Document):
    """A sample performance."""

    model_config = example(**REFERENCE)

    reference_id: str
    version: int
    name: str
    exercise: str
    kind: str
    created_us: Micros
    frames: int
    fps: float | None
    repetitions: int
    template_first_frame: int
    template_frames: int
    view_degrees: float | None
    """0 front, 90 their left side; null: unknown."""
    remarks: list[Notice]
    """What to know of it: one_repetition, no_repetition, no_movement, low_frame_rate."""
    active: bool
    """Sessions follow this version unless they name another."""
    videos: int
    """Videos it was made from."""
    silhouettes: bool
    """It has outlines of the person."""
    strip: bool
    """strip.jpg has pictures of it."""
    calibration: ReferenceCalibration
    curves: list[Curve]
    """Empty in lists."""
    ghost: list[list[float | None]]
    """33 x, y pairs a template frame, in units of the trunk's length. Empty in lists."""


class References(Document):
    """A page of references, newest first."""

    references: list[Reference]
    next_cursor: str | None


class Versions(Document):
    """The versions of one reference, newest first."""

    references: list[Reference]


class Activation(BaseModel):
    """Which version is to be the active one."""

    model_config = ConfigDict(
        extra="forbid", use_attribute_docstrings=True, json_schema_extra={"examples": [{"version": 1}]}
    )
    version: int = Field(ge=1, lt=2**31)


class Build(Job):
    """How far the building of a reference is."""

    model_config = example(
        build_id="b-91c0de", state="running", stage="detecting", fraction=0.31, frames_done=75, frames_total=240,
        reference=None, problem=None,
    )  # fmt: skip

    build_id: str
    reference: Reference | None = None
    """Set when it is done."""

    @property
    def job_id(self) -> str:
        return self.build_id

    @property
    def has_result(self) -> bool:
        return self.reference is not None
