"""Settings of the gateway: `KOMI_GATEWAY_PORT=8000`, `--port 8000`."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from services.mesh.settings import ServiceSettings, service_config


class GatewaySettings(ServiceSettings):
    """What the gateway can be told."""

    model_config = service_config("gateway")
    service: ClassVar[str] = "gateway"
    makes_token: ClassVar[bool] = True

    port: int = Field(default=8000, ge=0, le=65535)
    """Port of everything: REST, WebSocket, page. 0: any free one, which is printed."""

    metrics_port: int = Field(default=0, ge=0, le=0)
    """Not used: the gateway's metrics are at /metrics of its one port."""

    debug: bool = False
    """Log every request, and debug messages."""

    pose: str = "127.0.0.1:50052"
    """Address of pose: host:port, or dns:///name:port for all replicas behind a name."""

    sync: str = "127.0.0.1:50053"
    """Address of sync, as for pose."""

    scoring: str = "127.0.0.1:50054"
    """Address of scoring, as for pose."""

    tls_certificate: Path | None = None
    """PEM file of a certificate: with one, everything is served over HTTPS and WSS, and nothing without. Browsers give
    their camera only to pages that come so, or from localhost."""

    tls_key: Path | None = None
    """PEM file of its key; unset: in the certificate's file."""

    cors_origins: tuple[str, ...] = ()
    """Origins of pages that may use the API from elsewhere, as in https://app.example; `*` for all. Comma-separated."""

    requests_per_s: float = Field(default=100.0, gt=0)
    """Requests a second that one address may make over time; four times as many at once."""

    costly_per_s: float = Field(default=2.0, gt=0)
    """Sessions, builds, comparisons and imports a second that one address may start over time; sixty times as many at
    once."""

    max_upload_bytes: int = Field(default=2 << 30, ge=1)
    """Largest video taken, bytes."""

    upload_idle_s: float = Field(default=30.0, gt=0)
    """An upload that brings nothing for this long is given up, seconds."""

    max_upload_s: float = Field(default=3600.0, gt=0)
    """An upload that takes longer than this is given up, seconds."""

    max_builds: int = Field(default=4, ge=1)
    """References built and videos compared at the same time through this gateway."""

    max_message_bytes: int = Field(default=8 << 20, ge=1 << 16)
    """Largest WebSocket message taken, bytes; a base64 image is a third larger than its JPEG."""

    max_viewers: int = Field(default=2000, ge=1)
    """WebSocket viewers served at the same time."""
