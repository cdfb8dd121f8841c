"""The connection to Redis: bounded in time, quick to notice a dead server and to come back."""

import asyncio
from contextlib import suppress
from typing import Any

import hiredis
from redis.asyncio import Connection, ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MaxConnectionsError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from services.mesh.errors import Unavailable
from services.mesh.link import Link

UNREACHABLE = (RedisConnectionError, RedisTimeoutError, OSError)
"""What a call raises while Redis is away."""

AT_ONCE_BYTES = 32 << 10
"""Well below what a transport takes before it makes a writer wait."""
_WAIT_IN_REDIS = frozenset({"XREAD", "BLPOP"})
"""Commands that may wait for news there, and hold up whoever comes after them."""
_KEYS = frozenset({"keys"})
"""Options of a call that are for redis-py's cache, and mean nothing here."""

__all__ = ["UNREACHABLE", "RedisClient", "RedisError", "connect", "hide_password"]


class _Connection(Connection):  # type: ignore[misc]  # ships no types that hold here
    """Writes what is small at once.

    redis-py makes a task with a timer of every write, 20 of its 60 CPU µs a command, for the one that has to wait.
    """

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """As redis-py's. An error of what was written at once shows where the answer is read."""
        now_s = asyncio.get_running_loop().time()
        if self.is_connected and now_s <= self.next_health_check and isinstance(command, list):
            waiting = self._writer.transport.get_write_buffer_size()
            if waiting + sum(map(len, command)) <= AT_ONCE_BYTES:
                self._writer.writelines(command)
                return
        task = asyncio.current_task()
        assert task is not None
        asked = task.cancelling()
        await super().send_packed_command(command, check_health)
        if task.cancelling() > asked:
            # asyncio.wait_for, before Python 3.12, gives its result to who is cancelled just as it comes, who goes on.
            await self.disconnect(nowait=True)
            raise asyncio.CancelledError


class _Pool(ConnectionPool):  # type: ignore[misc]  # ships no types that hold here
    """Waits for a connection while all are in use, and only then.

    redis-py's own pool that waits takes a lock and sets a timer at every command, and each of its pools tells a
    telemetry that nobody asked for: 40 CPU µs.
    """

    def __init__(self, *, wait_s: float, **settings: Any) -> None:
        super().__init__(**settings)
        self._wait_s = wait_s
        self._released = asyncio.Event()

    async def get_connection(self, *_arguments: Any, **_options: Any) -> Any:
        """A connected connection. Raises RedisConnectionError when none comes free in time."""
        try:
            connection = self.get_available_connection()
        except MaxConnectionsError:
            connection = await self._freed()
        try:
            await self.ensure_connection(connection)
        except BaseException:
            # Who is cancelled while it is made would leave one on which an answer is still to come.
            await connection.disconnect(nowait=True)
            await self.release(connection)
            raise
        return connection

    async def _freed(self) -> Any:
        try:
            async with asyncio.timeout(self._wait_s):
                while True:
                    self._released.clear()
                    await self._released.wait()
                    with suppress(MaxConnectionsError):
                        return self.get_available_connection()
        except TimeoutError as error:
            raise RedisConnectionError("every connection to Redis is in use") from error

    async def release(self, connection: Any) -> None:
        """Give a connection back."""
        self._in_use_connections.remove(connection)
        if connection.should_reconnect():
            await connection.disconnect()
        self._available_connections.append(connection)
        self._released.set()


class RedisClient(Redis):  # type: ignore[misc]  # ships no types that hold here
    """redis-py's, whose plain calls share one link. Those that wait in Redis, transactions and subscriptions take a
    connection of the pool, as does what is large: its writer is made to wait.
    """

    _link: Link | None = None
    _linking: asyncio.Task[Link] | None = None
    _closed = False

    async def link(self) -> Link:
        """A connection of the caller's own, to be closed. Raises UNREACHABLE."""
        pool = self.connection_pool
        return await Link.connected(pool, pool.connection_kwargs["socket_timeout"])

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """As redis-py's."""
        name = args[0]
        if name in _WAIT_IN_REDIS or not options.keys() <= _KEYS:
            return await super().execute_command(*args, **options)
        command = hiredis.pack_command((*name.split(), *args[1:]))
        link = await self._linked()
        if link.backlog + len(command) > AT_ONCE_BYTES:
            return await super().execute_command(*args, **options)
        try:
            answer = await link.send(command)
        except RedisConnectionError:
            # One quick retry covers a connection that Redis closed while it was idle.
            answer = await (await self._linked()).send(command)
        read = self.response_callbacks.get(name)
        return answer if read is None else read(answer)

    async def together(self, *commands: tuple[str | bytes | int, ...]) -> list[Any]:
        """The answers to small commands sent in one go, as Redis gives them: a third of the CPU of a pipeline.

        What does not change when it is done twice, as after a connection that broke it is.
        """
        packed = [hiredis.pack_command(command) for command in commands]  # type: ignore[arg-type]  # as Link.call's
        try:
            link = await self._linked()
            return await asyncio.gather(*map(link.send, packed))
        except RedisConnectionError:
            link = await self._linked()
            return await asyncio.gather(*map(link.send, packed))

    async def _linked(self) -> Link:
        """The link that plain calls share; who finds it broken waits for the one that is made."""
        if self._closed:
            # Who tries once more would make a link that nobody closes.
            raise RedisConnectionError("the connection to Redis was closed")
        link = self._link
        if link is None or link.broken:
            if self._linking is None:
                self._linking = asyncio.create_task(self.link(), name="redis-link")
                self._linking.add_done_callback(self._made)
            link = await asyncio.shield(self._linking)
        return link

    def _made(self, linking: asyncio.Task[Link]) -> None:
        self._linking = None
        if not linking.cancelled() and linking.exception() is None:
            self._link = linking.result()

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """As redis-py's. Calls that wait raise UNREACHABLE, and so do those that come later."""
        self._closed = True
        if self._linking is not None:
            self._linking.cancel()
            await asyncio.gather(self._linking, return_exceptions=True)
        if self._link is not None:
            await self._link.aclose()
        await super().aclose(close_connection_pool)


def connect(
    url: str, *, connections: int = 32, timeout_s: float = 2.0, read_timeout_s: float = 10.0
) -> RedisClient:
    """A client for `url` that answers bytes. Nothing is sent yet; calls raise UNREACHABLE while Redis is away.

    `read_timeout_s` must exceed the longest BLOCK asked of an XREAD on this client.
    """
    try:
        pool = _Pool.from_url(
            url,
            connection_class=_Connection,  # one with TLS is redis-py's own
            max_connections=connections,
            wait_s=timeout_s,
            socket_connect_timeout=timeout_s,
            socket_timeout=read_timeout_s,
            health_check_interval=15,
            # One quick retry covers a connection that Redis closed while it was idle.
            retry=Retry(ExponentialBackoff(cap=0.1, base=0.01), retries=1),
            decode_responses=False,
        )
    except ValueError as error:
        raise Unavailable(f"cannot use {hide_password(url)} as address of Redis: {error}") from error
    client: RedisClient = RedisClient.from_pool(pool)
    return client


def hide_password(url: str) -> str:
    """`url` fit for a log: whatever stands before an @ is left out."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
