"""How cameras and servers are named on the command line, and how they are shown without their secrets."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from services.capture.errors import BadAddress

NETWORK_SCHEMES = ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "srt")
VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg")
GYM_SCHEME = "gym"

# A name has none of the characters that an address has before its first colon, so that a comma or colon inside an
# address does not start another camera.
_NAMED = re.compile(r"(?P<name>[^:/,?=&]+):(?P<source>(?!//).+)", re.DOTALL)
_GYM_LIST = re.compile(r"(^|:)gym:[^?]*\?")
_DIAL = re.compile(r"[\d.]+(&.*)?", re.DOTALL)
_URL = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://")


@dataclass(frozen=True)
class Device:
    """A camera of this machine."""

    index: int | None
    """N of /dev/videoN. None: the first that gives pictures."""


@dataclass(frozen=True)
class Network:
    """A live camera behind an address."""

    url: str


@dataclass(frozen=True)
class Recording:
    """A video file, a folder of images, or a video file behind an HTTP address; played at its own pace."""

    location: str
    loop: bool | None = None
    """Start again at the end. None: as the settings say."""
    fps: float | None = None
    """Images of a folder a second. None: the camera's rate. A video has its own."""


@dataclass(frozen=True)
class Virtual:
    """A camera of the virtual gym."""

    address: str
    """As `gym.open_address` takes it: gym:…"""


Address = Device | Network | Recording | Virtual


@dataclass(frozen=True)
class NamedAddress:
    """One camera as asked for."""

    camera_id: str
    address: Address


def parse_cameras(text: str) -> tuple[NamedAddress, ...]:
    """`NAME:INDEX|URL|FILE,…` in order.

    A comma starts a new camera only where `NAME:` follows it; elsewhere it belongs to the address. After a gym address
    with options a camera number is written /dev/videoN, because there NAME:N is one of the options. Raises BadAddress.
    """
    cameras: list[NamedAddress] = []
    for entry in _entries(text):
        match = _NAMED.fullmatch(entry)
        if match is None or match["name"] == GYM_SCHEME:
            raise BadAddress(f"camera {redact(entry)!r} has no name: write NAME:{redact(entry)}")
        name = check_name(match["name"].strip())
        if any(camera.camera_id == name for camera in cameras):
            raise BadAddress(f"two cameras are named {name!r}: give each its own name")
        cameras.append(NamedAddress(name, parse_address(match["source"].strip())))
    return tuple(cameras)


def _entries(text: str) -> list[str]:
    entries: list[str] = []
    for piece in text.split(","):
        if entries and not _begins_camera(piece, entries[-1]):
            entries[-1] += "," + piece
        else:
            entries.append(piece)
    return [entry for entry in entries if entry.strip()]


def _begins_camera(piece: str, before: str) -> bool:
    if _URL.match(piece):
        return True
    named = _NAMED.fullmatch(piece)
    # In a gym address `form=shallow:0.3,knees_in:1&seed=7` is a list of faults with a dial each.
    return named is not None and not (_GYM_LIST.search(before) and _DIAL.fullmatch(named["source"]))


def check_name(name: str) -> str:
    """The camera's name as it is. Raises BadAddress unless it has 1 to 64 printable characters."""
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise BadAddress(f"camera name {name[:80]!r} is not of 1 to 64 printable characters")
    return name


def parse_address(text: str) -> Address:
    """`0`, `/dev/video0`, `rtsp://…`, `http://…`, `gym:…`, or the path of a file or folder. Raises BadAddress."""
    device = re.fullmatch(r"(?:/dev/video)?(\d{1,3})", text)
    if device:
        return Device(int(device[1]))
    if text.startswith(GYM_SCHEME + ":"):
        return Virtual(text)
    url = _URL.match(text)
    if url is None:
        return _recording(text)
    scheme = url["scheme"].lower()
    if scheme == "file":
        return _recording(text[url.end() :])
    if scheme not in NETWORK_SCHEMES:
        known = ", ".join(f"{each}://" for each in NETWORK_SCHEMES)
        raise BadAddress(f"address {redact(text)!r} is of no kind that can be read: use {known}, or a file")
    path = text.partition("?")[0].partition("#")[0]
    if scheme in {"http", "https"} and path.lower().endswith(VIDEO_SUFFIXES):
        return Recording(text)
    return Network(text)


def _recording(text: str) -> Recording:
    path, mark, options = text.partition("?")
    if not path:
        raise BadAddress("a camera has an empty address: write NAME:INDEX, NAME:URL or NAME:FILE")
    if not mark:
        return Recording(path)
    loop: bool | None = None
    fps: float | None = None
    for key, value in parse_qsl(options, keep_blank_values=True):
        if key == "loop" and value in {"0", "1"}:
            loop = value == "1"
        elif key == "fps" and re.fullmatch(r"\d+(\.\d+)?", value) and 0 < float(value) <= 240:
            fps = float(value)
        else:
            raise BadAddress(
                f"{path!r} has an option {key}={value} that is unknown: use loop=0, loop=1 or fps=1..240"
            )
    return Recording(path, loop, fps)


def redact(address: str) -> str:
    """The address as it may be shown: without user name, password and query."""
    name, source = "", address
    named = _NAMED.fullmatch(address)
    if named and _URL.match(named["source"]):
        name, source = named["name"] + ":", named["source"]
    if not _URL.match(source):
        return address
    scheme, _, rest = source.partition("://")
    at, query = rest.rfind("@"), rest.find("?")
    if 0 <= query < at:
        # A "?" in a password, or an "@" in a query: not told apart, so nothing is shown.
        return f"{name}{scheme}://…"
    return f"{name}{scheme}://{rest[at + 1 :]}".partition("?")[0].partition("#")[0]


def show(address: Address) -> str:
    """The address as it may be shown, see `redact`."""
    match address:
        case Device(index):
            return "first camera found" if index is None else str(index)
        case Network(url):
            return redact(url)
        case Recording(location):
            return redact(location)
        case Virtual(text):
            return text


def default_name(address: Address) -> str:
    """What a camera is called that was given without a name."""
    match address:
        case Device(index):
            return f"camera{index or 0}"
        case Virtual():
            return GYM_SCHEME
        case _:
            return "camera0"


@dataclass(frozen=True)
class Server:
    """Where frames go."""

    protocol: str
    """`grpc`: a pose service. `websocket`: a gateway's /ws/camera."""
    target: str
    """What a gRPC channel takes, or the whole ws:// address."""


def parse_server(text: str) -> Server:
    """`grpc://host:port`, `dns:///host:port`, `host:port`, `ws://host:port` or `wss://…`. Raises BadAddress."""
    scheme = (text.partition("://")[0] if "://" in text else "").lower()
    if scheme in {"ws", "wss"}:
        try:
            parts = urlsplit(text)
        except ValueError:
            parts = None
        if parts is None or not parts.hostname:
            raise BadAddress(f"server {redact(text)!r} names no host: write {scheme}://HOST:PORT")
        path = parts.path if parts.path.strip("/") else "/ws/camera"
        return Server("websocket", parts._replace(path=path).geturl())
    if scheme == "grpc":
        text = text.partition("://")[2].rstrip("/")
    elif re.match(r"(dns|ipv4|ipv6|unix|unix-abstract):(?!\d+$)", text):
        return Server("grpc", text)
    elif scheme:
        raise BadAddress(
            f"server {redact(text)!r} is of no known kind: write grpc://HOST:PORT or ws://HOST:PORT"
        )
    if not re.fullmatch(r"[^/@\s]+:\d{1,5}", text):
        raise BadAddress(
            f"server {redact(text)!r} names no host and port: write grpc://HOST:PORT or ws://HOST:PORT"
        )
    # Through DNS every replica behind a name is found; an address alone would be one of them.
    return Server("grpc", f"dns:///{text}")
