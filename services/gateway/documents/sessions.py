"""Settings of sessions, and what may be asked of them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.gateway.documents.base import Document, Micros, Name, example
from services.mesh.sessions import MOST_CAMERAS, Mode, SessionState

FARTHEST_LAG_US = 5_000_000
MOST_REPETITIONS = 1000

Lag = Annotated[int, Field(ge=-FARTHEST_LAG_US, le=FARTHEST_LAG_US)]
"""Microseconds by which a camera's pictures come late; negative: early."""


SESSION = {
    "session_id": "s-7f3a9c2e", "cameras": ["front", "side"], "reference_id": "r-2b91", "reference_version": 0,
    "mode": "user", "resample": None, "target_repetitions": None, "allow_mirror": True, "silhouettes": None,
    "lag_us": {"side": 44000}, "apply_content_lag": False, "calibration": None, "state": "open", "created_us": 1795219200000000, "ended_us": None,
}  # fmt: skip


class Session(Document):
    """Settings of a session."""

    model_config = example(**SESSION)

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
    target_repetitions: int | None
    """Repetitions after which it is done; null: no end."""
    allow_mirror: bool
    """The person may follow the sample as in a mirror."""
    silhouettes: bool | None
    """Cameras send the person's outlines: true all, false none; null: those that stand where the reference's stood, if it
    has outlines."""
    lag_us: dict[str, int]
    """What is taken off the capture times of a camera's frames; cameras that are not named: nothing."""
    apply_content_lag: bool
    """Sync corrects by itself what it is sure of."""
    calibration: list[str] | None
    """Cameras of its calibration; null: it has none, and `fused` is no triangulation."""
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
    target_repetitions: int | None = Field(default=None, ge=1, le=MOST_REPETITIONS)
    """Repetitions after which it is done; null: no end."""
    allow_mirror: bool | None = None
    """The person may follow the sample as in a mirror; null: they may."""
    silhouettes: bool | None = None
    """Have cameras send the person's outlines (half as much inference again): true all, false none; null: those that
    stand where the reference's stood, if it has outlines."""
    lag_us: dict[Name, Lag] | None = Field(default=None, max_length=MOST_CAMERAS)
    """By camera, microseconds by which its pictures come late, to be taken off their times; null: nothing."""
    apply_content_lag: bool | None = None
    """Let sync correct by itself what it is sure of; null: no."""


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
    """Changes of a session; what is not named stays, null takes the default."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reference_id": "r-2b91"}, {"lag_us": {"side": 44000}}]}
    )


class Calibration(Document):
    """Where the cameras of a session stand, as far as it says so."""

    model_config = example(session_id="s-7f3a9c2e", cameras=["cam01", "cam02"], unmatched=["phone"])

    session_id: str
    cameras: list[str]
    """Cameras of the calibration, by their names in it."""
    unmatched: list[str]
    """Cameras of the session that it does not know: they take no part in the triangulation."""
