"""What the scoring service can be told: KOMI_SCORING_<NAME> or --name."""

from typing import ClassVar

from pydantic import Field

from services.mesh.settings import ServiceSettings, service_config


class ScoringSettings(ServiceSettings):
    """Settings of `python -m services.scoring`."""

    service: ClassVar[str] = "scoring"
    model_config = service_config("scoring")

    port: int = Field(default=50054, ge=0, le=65535)
    """Port of the service. 0: any free one, which is printed."""

    metrics_port: int = Field(default=9054, ge=0, le=65535)
    """Port of Prometheus metrics (/metrics) over HTTP. 0: any free one."""

    pose: str = "127.0.0.1:50052"
    """Where sample videos are looked at: host:port, or dns:///name:port for all replicas of pose."""

    max_sessions: int = Field(default=32, ge=1, le=512)
    """Most sessions this replica scores at a time; others are left to other replicas."""

    lease_s: float = Field(default=2.0, ge=0.3, le=30)
    """A replica that dies is replaced after this long, seconds."""

    kept_updates: int = Field(default=4096, ge=16)
    """Scores of a session kept for those who resume watching."""

    kept_hours: float = Field(default=24.0, gt=0)
    """A session's scores are forgotten this long after its last one, hours."""

    max_video_mb: int = Field(default=200, ge=1, le=4096)
    """Largest sample video, megabytes."""

    max_video_s: float = Field(default=180.0, gt=0)
    """Longest sample video, seconds."""

    analysis_fps: float = Field(default=30.0, ge=5, le=120)
    """Sample videos with more frames a second than this are looked at frame by second, third, … frame."""
