"""Names of cameras and sessions in addresses: any character, one segment."""

from urllib.parse import quote, unquote

from starlette.convertors import Convertor, register_url_convertor
from starlette.types import ASGIApp, Receive, Scope, Send


class NameConvertor(Convertor[str]):
    """`{camera_id:name}` matches one segment as it stands in the address, and hands on what it means."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        """What the segment means; KeepSegments has left these two encoded."""
        return value.replace("%2F", "/").replace("%25", "%")

    def to_string(self, value: str) -> str:
        """The name as one segment."""
        return quote(value, safe="")


register_url_convertor("name", NameConvertor())


class KeepSegments:
    """Routes by the segments of the address as sent: a `/` within a name (`%2F`) does not split it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Decode all of the path but what would change its segments."""
        raw = scope.get("raw_path")
        if scope["type"] in ("http", "websocket") and raw and b"%" in raw:
            path = raw.partition(b"?")[0].decode("ascii")
            if "%2F" in path.upper() or "%25" in path:
                scope = {**scope, "path": "/".join(_segment(part) for part in path.split("/"))}
        await self._app(scope, receive, send)


def _segment(part: str) -> str:
    return unquote(part).replace("%", "%25").replace("/", "%2F")
