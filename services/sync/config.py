"""Settings of the sync service."""

from typing import ClassVar

from pydantic import Field

from services.mesh.settings import ServiceSettings, service_config
from services.sync.groups import MatchRules


class SyncSettings(ServiceSettings):
    """What sync can be told: KOMI_SYNC_<NAME> or --<name>."""

    model_config = service_config("sync")
    service: ClassVar[str] = "sync"

    port: int = Field(default=50053, ge=0, le=65535)
    """Port of the service. 0: any free one, which is printed."""

    metrics_port: int = Field(default=9053, ge=0, le=65535)
    """Port of Prometheus metrics (/metrics) over HTTP. 0: any free one."""

    tolerance_ms: float = Field(default=0, ge=0, le=1000)
    """Largest spread of a set, milliseconds. 0: half the period of the session's fastest camera, wider for more than
    two cameras that run freely."""

    lateness_min_ms: float = Field(default=0, ge=0, le=5000)
    """Least time to wait for a camera beyond the fastest one's usual delay, milliseconds. 0: 1.5 frames."""

    lateness_max_ms: float = Field(default=250, ge=1, le=5000)
    """Longest time to wait for a camera beyond the fastest one's usual delay, milliseconds. In between, the wait is
    the 99.5th percentile of what the camera's frames take."""

    idle_ms: float = Field(default=250, ge=10, le=10_000)
    """A camera silent for this long (or 2.2 of its frames, if longer) is not waited for, milliseconds."""

    lease_s: float = Field(default=1.0, ge=0.2, le=30)
    """Life of a session's lease: how soon another replica takes over from one that died, seconds."""

    most_frames: int = Field(default=512, ge=16, le=3_000)
    """Poses that may wait in one session; the oldest goes when there are more."""

    keep_bytes: int = Field(default=800_000, ge=10_000)
    """Size of a session's output stream, about, bytes: how far back a consumer may resume. Two cameras at 30 frames
    a second fill 90 kB a second."""

    life_s: int = Field(default=3600, ge=60)
    """What sync keeps of a session goes this long after its last pose, seconds."""

    buffer: int = Field(default=256, ge=8, le=10_000)
    """Poses of one session held while Redis is away or slow; the oldest goes when there are more."""

    future_ms: float = Field(default=250, ge=1, le=60_000)
    """A pose stamped further ahead of the server clock than this and its own uncertainty is refused, milliseconds."""

    past_s: float = Field(default=30, ge=1, le=3600)
    """A pose older than this is refused, seconds."""

    def rules(self) -> MatchRules:
        """How sessions are matched."""
        return MatchRules(
            tolerance_us=round(self.tolerance_ms * 1000),
            lateness_min_us=round(self.lateness_min_ms * 1000),
            lateness_max_us=round(self.lateness_max_ms * 1000),
            idle_us=round(self.idle_ms * 1000),
            most_frames=self.most_frames,
        )
