"""What capture can be told: KOMI_CAPTURE_<NAME> or --name."""

from typing import ClassVar

from pydantic import Field, SecretStr, field_validator, model_validator

from services.capture import addresses, quality
from services.capture.addresses import NamedAddress, Server
from services.capture.errors import BadAddress
from services.mesh.settings import ServiceSettings, service_config


class CaptureSettings(ServiceSettings):
    """Settings of `python -m services.capture`."""

    service: ClassVar[str] = "capture"
    uses_redis: ClassVar[bool] = False
    model_config = service_config("capture")

    port: int = Field(default=50051, ge=0, le=65535)
    """Port of the service. 0: any free one, which is printed."""

    metrics_port: int = Field(default=9051, ge=0, le=65535)
    """Port of Prometheus metrics (/metrics) over HTTP. 0: any free one."""

    server: str = "dns:///127.0.0.1:50052"
    """Where frames go: grpc://host:port of a pose service (all replicas behind the name are used), or ws://host:port
    of a gateway, which is how to get through a firewall that lets only HTTP pass."""

    token: SecretStr = SecretStr("")
    """Token sent to the server, where it asks for one: a camera's is enough. Better given as KOMI_CAPTURE_TOKEN, where no
    list of processes shows it. Empty: KOMI_API_TOKEN."""

    cameras: str = ""
    """NAME:INDEX|URL|FILE,…: camera number, rtsp:// or http:// address, video file, folder of images, or gym: address.
    FILE?loop=0 plays once, FOLDER?fps=10 sets a folder's pace. A comma starts another camera only where NAME: follows."""

    camera: str = ""
    """A single camera without a name. With neither --camera nor --cameras the first one found is used."""

    fps: float = Field(default=15.0, gt=0, le=240)
    """Most frames to send a second. A source that gives fewer stays as it is."""

    width: int = Field(default=640, ge=16, le=4096)
    """Largest width to send, pixels. Pictures keep their aspect and are never enlarged."""

    height: int = Field(default=480, ge=16, le=4096)
    """Largest height to send, pixels."""

    session: str = Field(default="live", min_length=1, max_length=64)
    """Session the cameras join, unless another one claims them."""

    loop: bool = True
    """Start recordings again when the last of them has ended. --no-loop: play once, then end with status 0."""

    print_poses: bool = False
    """Have poses sent back and print them to standard output, one JSON line each."""

    segmentation: bool = False
    """Have the silhouette computed too (costs half as much inference again)."""

    max_persons: int = Field(default=1, ge=1, le=4)
    """Persons to look for; the most prominent is tracked."""

    quality_min: int = Field(default=quality.LOWEST, ge=20, le=100)
    """Lowest JPEG quality, for a link that carries no more."""

    quality_max: int = Field(default=quality.HIGHEST, ge=20, le=100)
    """Highest JPEG quality."""

    @field_validator("server")
    @classmethod
    def _server_is_known(cls, value: str) -> str:
        return _checked(value, addresses.parse_server)

    @field_validator("cameras")
    @classmethod
    def _cameras_are_known(cls, value: str) -> str:
        return _checked(value, addresses.parse_cameras)

    @field_validator("camera")
    @classmethod
    def _camera_is_known(cls, value: str) -> str:
        return _checked(value, addresses.parse_address) if value else value

    @model_validator(mode="after")
    def _one_way_of_naming(self) -> "CaptureSettings":
        if self.camera and self.cameras:
            raise ValueError("--camera and --cameras exclude each other: use --cameras NAME:…,NAME:…")
        if self.quality_min > self.quality_max:
            raise ValueError("quality_min is above quality_max")
        return self

    def named_cameras(self) -> tuple[NamedAddress, ...]:
        """The cameras asked for; the first one found when none is."""
        if self.cameras:
            return addresses.parse_cameras(self.cameras)
        address = addresses.parse_address(self.camera) if self.camera else addresses.Device(None)
        return (NamedAddress(addresses.default_name(address), address),)

    def parsed_server(self) -> Server:
        """Where frames go."""
        return addresses.parse_server(self.server)


def _checked(value: str, parse: object) -> str:
    assert callable(parse)
    try:
        parse(value)
    except BadAddress as error:
        # pydantic knows ValueError; its text is shown, the value (which may hold a password) is not.
        raise ValueError(error.message) from None
    return value
