"""Channels to neighbours: client-side round robin, retries of calls that ask once, keepalive, deadlines."""

import contextvars
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Self

import grpc
from pydantic import SecretStr

DEFAULT_DEADLINE_S = 5.0
"""Deadline of a unary call that names none."""

time_remaining: contextvars.ContextVar[Callable[[], float | None] | None] = contextvars.ContextVar(
    "time_remaining", default=None
)
"""Set by the server for each call it handles, so that calls made on its behalf hand on what is left."""

STREAMED = {
    "komi.pose.v1.PoseService": ["StreamPoses"],
    "komi.scoring.v1.ScoringService": [
        "BuildReference",
        "CalibrateReference",
        "CompareVideos",
        "ImportReference",
    ],
    "komi.sync.v1.SyncService": ["IngestPoses"],
}
"""Calls whose requests are a stream. gRPC must not retry those: it would send again what it kept of the stream, and now and
then such a call never ends (seen on a busy machine, once in a dozen). Who opens them opens them again."""

OPTIONS: list[tuple[str, Any]] = [
    (
        "grpc.service_config",
        json.dumps(
            {
                "loadBalancingConfig": [{"round_robin": {}}],
                "methodConfig": [
                    {
                        "name": [
                            {"service": service, "method": method}
                            for service, methods in STREAMED.items()
                            for method in methods
                        ],
                        "waitForReady": True,
                    },
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
                    },
                ],
            }
        ),
    ),
    # As on the server: a window that fits a picture, and no ping beside every one to measure it.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 1 << 20),
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


class _WithToken(grpc.aio.Channel):
    """Another channel, on which every call brings a token.

    Interceptors could do that too, but put queues between a stream and its caller.
    """

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        self._channel = channel
        self._metadata = (("authorization", f"Bearer {token}"),)

    def _sending_token(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def with_token(
            *arguments: Any, metadata: Iterable[tuple[str, str]] | None = None, **options: Any
        ) -> Any:
            return call(*arguments, metadata=(*self._metadata, *(metadata or ())), **options)

        return with_token

    def unary_unary(self, *arguments: Any, **options: Any) -> Any:
        return self._sending_token(self._channel.unary_unary(*arguments, **options))

    def unary_stream(self, *arguments: Any, **options: Any) -> Any:
        return self._sending_token(self._channel.unary_stream(*arguments, **options))

    def stream_unary(self, *arguments: Any, **options: Any) -> Any:
        return self._sending_token(self._channel.stream_unary(*arguments, **options))

    def stream_stream(self, *arguments: Any, **options: Any) -> Any:
        return self._sending_token(self._channel.stream_stream(*arguments, **options))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        await self._channel.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._channel.channel_ready()


def open_channel(target: str, token: SecretStr | None = None) -> grpc.aio.Channel:
    """A channel to `target` (host:port, or dns:///name:port for all replicas behind a name).

    `token`, unless it is empty, goes with every call: `settings.api_token`, for whose access asks for one.
    """
    channel = grpc.aio.insecure_channel(target, options=OPTIONS, interceptors=[_Deadline()])
    secret = token.get_secret_value() if token is not None else ""
    return _WithToken(channel, secret) if secret else channel
