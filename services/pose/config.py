"""What the pose service can be told: KOMI_POSE_<NAME> or --name."""

from typing import ClassVar, Literal

from pydantic import Field

from services.mesh.settings import ServiceSettings, service_config


class PoseSettings(ServiceSettings):
    """Settings of `python -m services.pose`."""

    service: ClassVar[str] = "pose"
    model_config = service_config("pose")

    port: int = Field(default=50052, ge=0, le=65535)
    """Port of the service. 0: any free one, which is printed."""

    metrics_port: int = Field(default=9052, ge=0, le=65535)
    """Port of Prometheus metrics (/metrics) over HTTP. 0: any free one."""

    sync: str = "127.0.0.1:50053"
    """Where poses go: host:port, or dns:///name:port for all replicas of sync. Empty: nowhere."""

    model: str = "full"
    """Pose model: lite (fastest), full, heavy (most exact), or the path of a .task file."""

    inference: Literal["blazepose", "none"] = "blazepose"
    """none finds the same standing person in every frame without looking: only for benches of everything else."""

    workers: int = Field(default=0, ge=0, le=256)
    """Threads that decode and infer. 0: one for each core the process may use."""

    max_trackers: int = Field(default=16, ge=1, le=256)
    """Most streams at a time; they share the cores. More are refused: RESOURCE_EXHAUSTED."""

    credit: int = Field(default=2, ge=1, le=16)
    """Frames a live camera may have on the way. 1 spares bandwidth, 2 hides the round trip."""

    lossless_credit: int = Field(default=8, ge=1, le=64)
    """Frames a lossless stream may have on the way and waiting."""

    max_frame_bytes: int = Field(default=4 << 20, ge=1024, le=15 << 20)
    """Largest JPEG accepted, bytes."""

    max_frame_pixels: int = Field(default=3840 * 2160, ge=1024)
    """Largest image accepted, pixels."""

    idle_s: float = Field(default=15.0, gt=0)
    """A live stream that sends nothing, not even a clock probe, for so long is ended, seconds."""

    max_stream_age_s: float = Field(default=600.0, ge=0)
    """A live stream is asked to reconnect after about this long, so that new replicas get their share, seconds. 0: never."""

    buffered_poses: int = Field(default=64, ge=1, le=4096)
    """Poses of a session that wait while sync cannot be reached; then the oldest is given up."""
