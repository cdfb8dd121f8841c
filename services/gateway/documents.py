"""Documents of the REST API: what OpenAPI shows and the routes answer. Unknown is null."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services.gateway.access.tokens import Scope
from services.mesh.errors import InvalidInput
from services.mesh.sessions import MOST_CAMERAS, Mode, SessionState, check_name


def _valid_name(name: str) -> str:
    try:
        return check_name(name, "the name")
    except InvalidInput as error:
        raise ValueError(error.message) from error


Name = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_valid_name)]
"""Name of a camera or session."""
Micros = int
"""Microseconds since the epoch, server clock."""


class Document(BaseModel):
    """Base of what is answered."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Problem(Document):
    """RFC 9457 problem."""

    type: str
    """Identifies the kind of problem; not an address to open."""
    title: str
    """The HTTP status in words."""
    status: int
    """The HTTP status."""
    detail: str
    """What happened, to what, and what to do."""
    reason: str
    """Stable name for programs."""
    errors: list[dict[str, Any]] | None = None
    """Fields that a validation refused."""


class Access(Document):
    """What the caller may do."""

    open: bool
    """No token is asked for."""
    scope: Scope
    """What the caller's token is for."""
    view_token: str | None
    """For viewers; told to admins only."""
    camera_token: str | None
    """For cameras; told to admins only."""


class Camera(Document):
    """A connected camera."""

    camera_id: str
    session_id: str
    connected_us: Micros
    last_frame_us: Micros | None
    """Capture time of the newest processed frame."""
    fps: float
    """Processed frames a second over the last seconds."""
    width: int
    height: int
    time_source: str
    """How its frames are timed: clock_probes, client_timestamps, arrival or media."""
    dropped: dict[str, int]
    """Frames dropped since it connected, by reason."""
    replica_id: str
    """Pose replica that serves it."""


class Cameras(Document):
    """The connected cameras, by name."""

    cameras: list[Camera]


class Session(Document):
    """Settings of a session."""

    session_id: str
    cameras: list[str]
    """Cameras it claims; empty: every camera that names it."""
    reference_id: str
    """Reference it follows; empty: none."""
    reference_version: int
    """0: the active one."""
    mode: Mode
    resample: bool | None
    """Interpolate all cameras to one instant; null: for more than two cameras."""
    state: SessionState
    created_us: Micros
    ended_us: Micros | None


class Sessions(Document):
    """A page of sessions, newest first."""

    sessions: list[Session]
    next_cursor: str | None


class _SessionInput(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    cameras: list[Name] | None = Field(default=None, max_length=MOST_CAMERAS)
    """Cameras to claim; empty: every camera that names the session."""
    reference_id: str | None = Field(default=None, max_length=64)
    """Reference to follow; empty: none."""
    reference_version: int | None = Field(default=None, ge=0, lt=2**31)
    """0: the active one."""
    mode: Mode | None = None
    """user: the person sets the pace. video: the person follows the sample."""
    resample: bool | None = None
    """Interpolate all cameras to one instant; null: for more than two cameras."""


class SessionCreate(_SessionInput):
    """A new session; what is not named takes its default."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"cameras": ["front", "side"], "reference_id": "r-2b91", "mode": "user"}]
        }
    )
    session_id: Name | None = None
    """Its name; without one it gets one."""


class SessionPatch(_SessionInput):
    """Changes of a session; what is not named stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reference_id": "r-2b91"}]})


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


class Repetition(Document):
    """A completed repetition."""

    number: int
    start_us: Micros
    end_us: Micros
    score: float | None
    sub_scores: SubScores
    out_s: float
    turn_s: float
    back_s: float
    range_of_motion: float | None
    joint_errors: list[JointError]
    worst_phase: str | None
    cosine: float | None


class Summary(Document):
    """A session so far."""

    session_id: str
    reference_id: str
    repetitions: list[Repetition]
    """Oldest first; at most the last 1000."""
    mean_score: float | None
    sets: int


class Curve(Document):
    """An angle over the frames of a template."""

    name: str
    degrees: list[float | None]


class Reference(Document):
    """A sample performance."""

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
    remarks: list[str]
    curves: list[Curve]
    """Empty in lists."""
    ghost: list[list[float | None]]
    """33 x, y pairs a template frame, in units of the trunk's length. Empty in lists."""


class References(Document):
    """A page of references, newest first."""

    references: list[Reference]
    next_cursor: str | None


class Build(Document):
    """How far the building of a reference is."""

    build_id: str
    state: Literal["running", "done", "failed"]
    stage: str | None
    """uploading, detecting or analysing."""
    fraction: float
    """Share of this stage done."""
    frames_done: int
    frames_total: int | None
    reference: Reference | None
    """Set when it is done."""
    problem: Problem | None
    """Set when it failed."""


class Clock(Document):
    """State of a camera's clock mapping."""

    offset_us: int
    drift_ppm: float
    round_trip_us: int
    jitter_us: int
    uncertainty_us: int
    probes: int


class CameraStatus(Document):
    """A camera's part in a session."""

    camera_id: str
    connected: bool
    fps: float | None
    width: int | None
    height: int | None
    time_source: str | None
    idle: bool | None
    completeness: float | None
    delay_median_ms: float | None
    delay_p99_ms: float | None
    last_us: Micros | None
    dropped: dict[str, int]
    clock: Clock | None


class SyncStatus(Document):
    """What sync says of a session."""

    watermark_us: Micros | None
    lateness_ms: float
    sets: int
    completeness: float
    spread_median_us: int
    replica_id: str | None


class Status(Document):
    """State of a session now."""

    type: Literal["status"] = "status"
    session: Session
    cameras: list[CameraStatus]
    sync: SyncStatus | None
    """Null while sync cannot be reached or knows nothing of the session."""
    viewers: int
    """WebSocket viewers of the session at this gateway."""
    server_us: Micros | None
    problems: list[str]
    """What cannot be reached now, a sentence each."""
