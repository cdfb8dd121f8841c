"""The WebSocket side of uvicorn, with a way around ASGI for frames that are the same for every viewer.

ASGI would encode and frame each message anew for each viewer. Here a frame is made once and written to each transport;
a viewer whose transport does not take it is known at once, so that its backlog can be bounded.
"""

import socket
from asyncio.transports import BaseTransport
from typing import cast

from starlette.websockets import WebSocket
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

EXTENSION = "komi.outlet"
SEND_BUFFER_BYTES = 128 << 10
"""Of the kernel, a viewer; what does not fit waits in its mailbox, where the newest wins."""
HIGH_WATER_BYTES = 64 << 10
"""Of the transport, above which nothing more is written."""


class OutletProtocol(WebSocketsSansIOProtocol):
    """Offers itself to the application as scope["extensions"]["komi.outlet"], a services.gateway.fanout.viewer.Outlet."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Bound what a peer that does not read may pile up."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    async def run_asgi(self) -> None:
        """Run the application with the outlet in reach."""
        extensions = cast("dict[str, object]", self.scope["extensions"])
        extensions[EXTENSION] = self
        await super().run_asgi()

    async def send(self, message: ASGISendEvent) -> None:
        """As uvicorn's, which takes a refusal before the handshake for a forgotten one."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and self.close_sent:
            self.handshake_complete = True

    def try_write(self, frame: bytes) -> bool:
        """Write one whole frame, unless the peer has yet to take what was written before or is gone."""
        if not self.writable.is_set() or self._over():
            return False
        self.transport.write(frame)
        return True

    async def wait_writable(self) -> bool:
        """Return once a frame would be taken. False: the connection is over."""
        await self.writable.wait()
        return not self._over()

    def _over(self) -> bool:
        return self.close_sent or self.disconnected or self.transport.is_closing()


def outlet_of(websocket: WebSocket) -> OutletProtocol:
    """The outlet of an accepted WebSocket."""
    return cast(OutletProtocol, websocket.scope["extensions"][EXTENSION])
