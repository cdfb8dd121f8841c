"""Channels to neighbours: client-side round robin, retries of what never started, keepalive, deadlines."""

import contextvars
import json
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

DEFAULT_DEADLINE_S = 5.0
"""Deadline of a unary call that names none."""

time_remaining: contextvars.ContextVar[Callable[[], float | None] | None] = contextvars.ContextVar(
    "time_remaining", default=None
)
"""Set by the server for each call it handles, so that calls made on its behalf hand on what is left."""

OPTIONS: list[tuple[str, Any]] = [
    (
        "grpc.service_config",
        json.dumps(
            {
                "loadBalancingConfig": [{"round_robin": {}}],
                "methodConfig": [
                    {
                        "name": [{}],
                        "waitForReady": True,
                        # No `timeout` here: from Python it fires about a second early (grpc#34547).
                        "retryPolicy": {
                            "maxAttempts": 5,
                            "initialBackoff": "0.05s",
                            "maxBackoff": "1s",
                            "backoffMultiplier": 2,
                            "retryableStatusCodes": ["UNAVAILABLE"],
                        },
                    }
                ],
            }
        ),
    ),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A restarted neighbour is found within a second, not after the default two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_send_message_length", 16 << 20),
    # Replicas of one process are told apart, and a test's servers never share a connection.
    ("grpc.use_local_subchannel_pool", 1),
]


class _Deadline(grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        if client_call_details.timeout is None:
            asked = time_remaining.get()
            left = asked() if asked is not None else None
            client_call_details = client_call_details._replace(  # type: ignore[attr-defined]
                timeout=DEFAULT_DEADLINE_S if left is None else min(left, DEFAULT_DEADLINE_S)
            )
        return await continuation(client_call_details, request)


def open_channel(target: str) -> grpc.aio.Channel:
    """A channel to `target` (host:port, or dns:///name:port for all replicas behind a name)."""
    return grpc.aio.insecure_channel(target, options=OPTIONS, interceptors=[_Deadline()])
