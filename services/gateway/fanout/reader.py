"""One loop reads the streams of all watched sessions from Redis; it waits for news and never polls."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from google.protobuf.message import DecodeError

from komi.scoring.v1 import scoring_service_pb2
from komi.sync.v1 import sync_service_pb2
from services.gateway import metrics
from services.gateway.fanout.feed import Sink
from services.mesh import keys
from services.mesh.redis import UNREACHABLE, RedisClient
from services.mesh.server_clock import ServerClock
from services.mesh.stages import monotonic_ns
from services.mesh.telemetry import DROPS

log = structlog.get_logger()

BLOCK_MS = 5_000
MOST_AT_ONCE = 64
STALE_MS = 2_000
"""Synced sets that piled up longer ago than this, during an outage, are of no interest but for the newest."""
RETRY_S = 0.2


@dataclass
class _Stream:
    """One stream of a session: where we are in it, and what an entry means."""

    key: str
    value: bytes
    watched: "_Watched"
    take: Callable[["_Watched", bytes, int], None]
    after: str | None = None
    """Id of the last entry seen; None: not yet placed at the stream's end."""


@dataclass
class _Watched:
    sinks: list[Sink] = field(default_factory=list)
    streams: list[_Stream] = field(default_factory=list)
    last_update: bytes | None = None
    """Newest ScoreUpdate, from which a new sink learns what stands."""


class StreamReader:
    """Hands every new synced set and score of a watched session to the session's sinks."""

    def __init__(self, redis: RedisClient, clock: ServerClock) -> None:
        self._redis = redis
        self._clock = clock
        self._watched: dict[str, _Watched] = defaultdict(_Watched)
        self._changed = asyncio.Event()
        self._changing: asyncio.Task[object] | None = None
        """Waits for `_changed` beside one read after the other."""

    def watch(self, session_id: str, sink: Sink) -> None:
        """Give `sink` what comes from now on."""
        watched = self._watched[session_id]
        watched.sinks.append(sink)
        if watched.last_update is not None:
            sink.on_baseline(scoring_service_pb2.ScoreUpdate.FromString(watched.last_update))
        if not watched.streams:
            watched.streams = [
                _Stream(keys.synced_sets(session_id), b"set", watched, _on_set),
                _Stream(keys.scores(session_id), b"update", watched, _on_update),
            ]
            self._changed.set()

    def unwatch(self, session_id: str, sink: Sink) -> None:
        """Give `sink` nothing more of the session."""
        watched = self._watched[session_id]
        if sink in watched.sinks:
            watched.sinks.remove(sink)
        if not watched.sinks:
            del self._watched[session_id]

    async def run(self) -> None:
        """Read until cancelled; while Redis is away, try again and go on where we were."""
        try:
            while True:
                try:
                    await self._turn()
                except UNREACHABLE as error:
                    log.warning("Redis cannot be read", error=type(error).__name__)
                    await asyncio.sleep(RETRY_S)
        finally:
            if self._changing is not None:
                await _ended(self._changing)

    async def _turn(self) -> None:
        self._changed.clear()
        streams = {stream.key: stream for watched in self._watched.values() for stream in watched.streams}
        if not streams:
            await self._changed.wait()
            return
        await self._place([stream for stream in streams.values() if stream.after is None])
        positions = {stream.key: stream.after for stream in streams.values()}
        answer = await self._unless_changed(positions)
        now_ns = monotonic_ns()
        for key, entries in answer or ():
            self._hand_out(streams[key.decode()], entries, now_ns)

    async def _place(self, streams: list[_Stream]) -> None:
        """Start at the present end of each stream: `$` in XREAD would lose what comes between two calls."""
        if not streams:
            return
        async with self._redis.pipeline(transaction=False) as pipe:
            for stream in streams:
                pipe.xrevrange(stream.key, count=1)
            for stream, newest in zip(streams, await pipe.execute(), strict=True):
                stream.after = newest[0][0].decode() if newest else "0-0"
                if newest and stream.value == b"update":
                    _on_baseline(stream.watched, newest[0][1].get(b"update", b""))

    async def _unless_changed(
        self, positions: dict[str, str | None]
    ) -> list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]] | None:
        """XREAD, given up as soon as another session is to be watched; positions make that harmless."""
        reading = asyncio.ensure_future(self._redis.xread(positions, count=MOST_AT_ONCE, block=BLOCK_MS))
        if self._changing is None or self._changing.done():
            self._changing = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait((reading, self._changing), return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else None
        finally:
            await _ended(reading)

    def _hand_out(
        self, stream: _Stream, entries: list[tuple[bytes, dict[bytes, bytes]]], now_ns: int
    ) -> None:
        stream.after = entries[-1][0].decode()
        if stream.value == b"set" and self._clock.ready:
            fresh_ms = self._clock.now_us() // 1000 - STALE_MS
            fresh = [entry for entry in entries[:-1] if int(entry[0].partition(b"-")[0]) >= fresh_ms]
            DROPS.labels(metrics.SERVICE, "reader", "superseded").inc(len(entries) - 1 - len(fresh))
            entries = [*fresh, entries[-1]]
        for _, fields in entries:
            raw = fields.get(stream.value)
            try:
                if raw is None:
                    raise DecodeError(f"no field {stream.value.decode()}")
                stream.take(stream.watched, raw, now_ns)
            except (DecodeError, ValueError) as error:
                DROPS.labels(metrics.SERVICE, "reader", "broken").inc()
                log.warning("an entry cannot be read", key=stream.key, error=str(error)[:200])


async def _ended(task: "asyncio.Future[object]") -> None:
    """Returns once it has ended, cancelled if need be."""
    if not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    elif not task.cancelled():
        task.exception()  # nobody else may ask


def _on_set(watched: _Watched, raw: bytes, now_ns: int) -> None:
    synced = sync_service_pb2.SyncedSet.FromString(raw)
    for sink in watched.sinks:
        sink.on_set(synced, now_ns)


def _on_update(watched: _Watched, raw: bytes, now_ns: int) -> None:
    update = scoring_service_pb2.ScoreUpdate.FromString(raw)
    watched.last_update = raw
    for sink in watched.sinks:
        sink.on_update(update, now_ns)


def _on_baseline(watched: _Watched, raw: bytes) -> None:
    update = scoring_service_pb2.ScoreUpdate.FromString(raw)
    watched.last_update = raw
    for sink in watched.sinks:
        sink.on_baseline(update)
