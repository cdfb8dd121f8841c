"""One connection to Redis, as bare as can be: what is sent leaves at once, answers come in the order of the calls.

redis-py gives every call a connection, a timer, a stream to read from and a dozen layers: several times the CPU, and more
still where caches are cold. It makes the connection here, and hands it over.
"""

import asyncio
from collections import deque
from typing import Any

import hiredis
from redis._parsers import BaseParser
from redis.asyncio import ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

CLOSE_S = 1.0
"""For so long what was sent may take to leave when a link is closed."""
_MORE = object()
"""What the parser says when an answer is not whole yet."""


class Link(asyncio.Protocol):
    """For as long as the connection holds: once it is `broken`, every call raises UNREACHABLE."""

    @classmethod
    async def connected(cls, pool: ConnectionPool, timeout_s: float) -> "Link":
        """A connection as this pool's, its protocol RESP 3. Raises UNREACHABLE; RedisError: Redis refuses it."""
        connection = pool.connection_class(**pool.connection_kwargs)
        try:
            await connection.connect()
        except BaseException:
            # Who is cancelled halfway would leave it open.
            await connection.disconnect(nowait=True)
            raise
        # redis-py has no word for handing a stream over; the connection would close what it still has.
        link = cls(connection._writer, timeout_s)  # noqa: SLF001
        connection._reader = connection._writer = None  # noqa: SLF001
        return link

    def __init__(self, writer: asyncio.StreamWriter, timeout_s: float) -> None:
        """`timeout_s`: a Redis that has not answered a call for so long is taken for away."""
        self._loop = asyncio.get_running_loop()
        self._timeout_s = timeout_s
        self._parser = hiredis.Reader(
            protocolError=RedisError, replyError=BaseParser.parse_error, notEnoughData=_MORE
        )
        self._waiting: deque[tuple[asyncio.Future[Any], float]] = deque()
        """Answers to come, and when each was asked for."""
        self._watch: asyncio.TimerHandle | None = None
        self._writer = writer  # which would close the transport when it is collected
        self._transport = writer.transport
        self._transport.set_protocol(self)
        self.broken = self._transport.is_closing()
        self._closed = asyncio.Event()
        if self.broken:
            self._closed.set()

    @property
    def backlog(self) -> int:
        """Bytes that the connection has not taken yet."""
        return self._transport.get_write_buffer_size()

    def call(self, *command: str | bytes | int) -> asyncio.Future[Any]:
        """The answer to come: as Redis gives it, text as bytes. Who no longer wants it may cancel it.

        It raises UNREACHABLE, and then it is not known whether the command ran; RedisError: Redis refused it.
        """
        return self.send(hiredis.pack_command(command))  # type: ignore[arg-type]  # typed as a tuple of one

    def send(self, command: bytes) -> asyncio.Future[Any]:
        """As `call`, of a command that is packed already."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        if self.broken:
            answer.set_exception(RedisConnectionError("the connection to Redis is closed"))
            return answer
        self._waiting.append((answer, self._loop.time()))
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeout_s, self._look)
        self._transport.write(command)
        return answer

    async def aclose(self) -> None:
        """What was sent still arrives, if Redis takes it; calls that wait raise UNREACHABLE."""
        self._break(RedisConnectionError("the connection to Redis was closed"))
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._closed.wait()
        except TimeoutError:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """From the transport."""
        self._parser.feed(data)
        try:
            while (answer := self._parser.gets()) is not _MORE:
                if not isinstance(answer, hiredis.PushNotification):
                    self._answer(answer)
        except (RedisError, IndexError) as error:
            self._break(RedisConnectionError(f"Redis' answer cannot be understood: {error}"))

    def connection_lost(self, error: Exception | None) -> None:
        """From the transport."""
        self._closed.set()
        self._break(RedisConnectionError(f"the connection to Redis broke: {error or 'Redis closed it'}"))

    def _answer(self, answer: Any) -> None:
        future, _ = self._waiting.popleft()
        if future.done():
            return  # nobody wants it any more
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)

    def _look(self) -> None:
        """Give up when the oldest call has waited for too long: one timer now and then in place of one a call."""
        self._watch = None
        if not self._waiting:
            return
        left_s = self._waiting[0][1] + self._timeout_s - self._loop.time()
        if left_s > 0:
            self._watch = self._loop.call_later(left_s, self._look)
        else:
            self._break(RedisTimeoutError(f"Redis has not answered for {self._timeout_s:.0f} s"))

    def _break(self, error: Exception) -> None:
        """Nothing that waits will be answered any more."""
        self.broken = True
        self._transport.close()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        while self._waiting:
            answer, _ = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(error)
