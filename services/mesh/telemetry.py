"""Logs and metrics. Logs are JSON lines; nothing of a person, no image and no secret may be passed to them."""

import contextlib
import json
import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import Counter, make_wsgi_app

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

DROPS = Counter(
    "komi_dropped_total",
    "Frames, poses and messages given up, by service, stage and reason",
    ["service", "stage", "reason"],
)
RPCS = Counter(
    "komi_rpc_total", "gRPC calls ended, by service, method and status", ["service", "method", "code"]
)


@cache
def drops(service: str, stage: str, reason: str) -> Counter:
    """What counts one kind of drop: to look its labels up takes longer than to count."""
    return DROPS.labels(service, stage, reason)


LATENCY_BUCKETS_S = (
    0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5
)  # fmt: skip
"""Histogram buckets of every stage, seconds."""


def configure_logging(service: str, level: str) -> None:
    """JSON lines on stderr with time, level and service; the standard library's loggers go the same way."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        lambda _logger, _method, event: {"service": service, **event},
    ]
    threshold = getattr(logging, level.upper())
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(threshold, logging.WARNING), force=True)


WaitingFor = Callable[[], Mapping[str, str]]
"""What keeps a service from being ready; empty when it is. See services.mesh.readiness."""


def serve_metrics(host: str, port: int, waiting_for: WaitingFor) -> tuple[int, "MetricsServer"]:
    """Serve /metrics and /readyz from a thread of its own; returns the port and the server. Raises OSError: port in use."""
    kind = _ServerV6 if ":" in host else _Server
    server = make_server(host, port, _with_readiness(make_wsgi_app(), waiting_for), kind, _SilentHandler)
    # prometheus_client's own wakes twice a second to see whether it shall stop, in every service; this one is told.
    thread = threading.Thread(target=server.serve_forever, args=(3600.0,), name="metrics", daemon=True)
    thread.start()
    return server.server_port, MetricsServer(server, thread, host)


def _with_readiness(metrics: "WSGIApplication", waiting_for: WaitingFor) -> "WSGIApplication":
    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/readyz":
            return metrics(environ, start_response)
        waiting = waiting_for()
        status = "503 Service Unavailable" if waiting else "200 OK"
        start_response(status, [("content-type", "application/json")])
        return [json.dumps({"ready": not waiting, "waiting_for": waiting}).encode()]

    return answer


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _ServerV6(_Server):
    address_family = socket.AF_INET6


class _SilentHandler(WSGIRequestHandler):
    def log_message(self, *_arguments: Any) -> None:
        """Nothing of a request belongs into the log."""


class MetricsServer:
    """The metrics' HTTP server, to be closed on shutdown."""

    def __init__(self, server: WSGIServer, thread: threading.Thread, host: str) -> None:
        self._server = server
        self._address = (host, server.server_port)
        self._thread = thread

    def close(self) -> None:
        """Stop serving; returns once the thread has ended."""
        stopping = threading.Thread(target=self._server.shutdown, name="metrics-stop")
        stopping.start()
        # By itself the server hardly ever looks whether it shall stop; a connection has it look now.
        while stopping.is_alive():
            with contextlib.suppress(OSError):
                socket.create_connection(self._address, timeout=0.1).close()
            stopping.join(0.02)
        self._server.server_close()
        self._thread.join()
