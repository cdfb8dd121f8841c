"""Listens, serves, stops: uvicorn under our own signals, on a socket that is ours before anything starts."""

import asyncio
import contextlib
import signal
import socket
import ssl
import sys
from collections.abc import Generator

import structlog
import uvicorn
import uvloop

from services.gateway.app import create_app
from services.gateway.config import GatewaySettings
from services.gateway.gateway import Gateway
from services.gateway.outlet import OutletProtocol
from services.mesh import memory, telemetry
from services.mesh.errors import KomiError, SettingsError, Unavailable
from services.mesh.tokens import Scope

log = structlog.get_logger()

PING_S = 20.0
TICKS_A_SECOND = 10
"""As uvicorn counts them: every tenth sets the date that answers carry."""


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, and say when it is done."""
        await super().startup(sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        """As uvicorn's, which looks ten times a second whether it shall stop; here it is told, and looks once."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += TICKS_A_SECOND
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._stopping.wait()

    def stop_soon(self) -> None:
        """Have `serve` end."""
        self.should_exit = True
        self._stopping.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals are handled by `serve`; uvicorn would raise them again at the end and spoil the exit status."""
        yield


class GatewayServer:
    """One running gateway; `serve` is the program around it, tests use it directly."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.settings = settings
        self.gateway: Gateway | None = None
        self.port = 0
        self._uvicorn: _Uvicorn | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """host:port it listens on."""
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        return f"{host}:{self.port}"

    @property
    def page_address(self) -> str | None:
        """The page's address with the token that was made for it. None: no token is asked for, or it was given."""
        tokens = self.gateway.tokens if self.gateway is not None else None
        if tokens is None or self.settings.api_token.get_secret_value():
            return None
        host = "127.0.0.1" if self.settings.host in ("0.0.0.0", "::") else self.settings.host
        host = f"[{host}]" if ":" in host else host
        scheme = "http" if self.settings.tls_certificate is None else "https"
        return f"{scheme}://{host}:{self.port}/ui/?token={tokens.of(Scope.ADMIN)}"

    async def start(self) -> None:
        """Listen and serve. Raises Unavailable when the port is in use, SettingsError for a certificate that is none."""
        await asyncio.to_thread(_check_certificate, self.settings)
        listener = await asyncio.to_thread(_listen, self.settings.host, self.settings.port)
        self.port = listener.getsockname()[1]
        self.gateway = Gateway(self.settings)
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                create_app(self.gateway),
                ssl_certfile=self.settings.tls_certificate,
                ssl_keyfile=self.settings.tls_key,
                ws=OutletProtocol,
                ws_max_size=self.settings.max_message_bytes,
                ws_ping_interval=PING_S,
                ws_ping_timeout=PING_S,
                # One frame for all viewers: a context for each would cost more than the bytes it saves.
                ws_per_message_deflate=False,
                log_config=None,
                access_log=self.settings.debug,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=max(1, round(self.settings.drain_s)),
            )
        )
        await self.gateway.start()
        self._serving = asyncio.create_task(self._uvicorn.serve(sockets=[listener]), name="uvicorn")
        await self._uvicorn.listening.wait()
        log.info("listening", address=self.address, replica_id=self.gateway.replica_id)

    async def stop(self) -> None:
        """Drain, end connections within `drain_s`, close."""
        if self.gateway is None or self._uvicorn is None or self._serving is None:
            return
        self.gateway.drain()
        self._uvicorn.stop_soon()
        await self._serving
        await self.gateway.close()
        self.gateway = None
        log.info("stopped")

    async def wait_ended(self) -> None:
        """Return when uvicorn ends by itself, which it should not."""
        if self._serving is not None:
            await asyncio.wait((self._serving,))


def _check_certificate(settings: GatewaySettings) -> None:
    """Before anything starts: what uvicorn would find halfway."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None:
        if key is not None:
            raise SettingsError("setting tls_key: there is no --tls-certificate that it belongs to")
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError) as error:  # SSLError is an OSError
        raise SettingsError(
            f"setting tls_certificate: {certificate} and its key cannot be used: {error}; both are PEM files without a "
            "password, the key in --tls-key or in the same file"
        ) from error


def _listen(host: str, port: int) -> socket.socket:
    listener: socket.socket | None = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        if listener is not None:
            listener.close()
        raise Unavailable(
            f"cannot listen on {host}:{port}: {error.strerror or error}; choose another port with --port, or stop what "
            "holds it",
            reason="PORT_IN_USE",
        ) from error
    return listener


async def _run(settings: GatewaySettings) -> None:
    server = GatewayServer(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    await server.start()
    memory.settle()
    if server.page_address is not None:
        # To the terminal of who started it, never to a log.
        print(f"gateway: open {server.page_address}", flush=True)
    try:
        await asyncio.wait(
            (asyncio.ensure_future(stop.wait()), asyncio.ensure_future(server.wait_ended())),
            return_when=asyncio.FIRST_COMPLETED,
        )
    finally:
        await server.stop()


def serve(settings: GatewaySettings) -> None:
    """Run the gateway until SIGTERM or SIGINT. Leaves with status 1 and one line when it cannot start."""
    telemetry.configure_logging("gateway", "debug" if settings.debug else settings.log_level)
    try:
        uvloop.run(_run(settings))
    except KomiError as error:
        print(f"gateway: {error.message}", file=sys.stderr)
        raise SystemExit(1) from None
