"""The connection to Redis: bounded in time, quick to notice a dead server and to come back."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from services.mesh.errors import Unavailable

RedisClient = Redis
UNREACHABLE = (RedisConnectionError, RedisTimeoutError, OSError)
"""What a call raises while Redis is away."""

__all__ = ["UNREACHABLE", "RedisClient", "RedisError", "connect", "hide_password"]


def connect(
    url: str, *, connections: int = 32, timeout_s: float = 2.0, read_timeout_s: float = 10.0
) -> Redis:
    """A client for `url` that answers bytes. Nothing is sent yet; calls raise UNREACHABLE while Redis is away.

    `read_timeout_s` must exceed the longest BLOCK asked of an XREAD on this client.
    """
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            socket_timeout=read_timeout_s,
            health_check_interval=15,
            # One quick retry covers a connection that Redis closed while it was idle.
            retry=Retry(ExponentialBackoff(cap=0.1, base=0.01), retries=1),
            decode_responses=False,
        )
    except ValueError as error:
        raise Unavailable(f"cannot use {hide_password(url)} as address of Redis: {error}") from error
    return Redis.from_pool(pool)


def hide_password(url: str) -> str:
    """`url` fit for a log: whatever stands before an @ is left out."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
