"""One loop reads the streams of all watched sessions from Redis; it waits for news and never polls."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from google.protobuf.message import DecodeError

from komi.scoring.v1 import scoring_service_pb2
from komi.sync.v1 import sync_service_pb2
from services.gateway import metrics
from services.gateway.fanout.feed import Sink
from services.mesh import keys
from services.mesh.link import Link
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
    placed: asyncio.Event = field(default_factory=asyncio.Event)
    """Its streams have their places: whatever comes from now on is read."""


class StreamReader:
    """Hands every new synced set and score of a watched session to the session's sinks."""

    def __init__(self, redis: RedisClient, clock: ServerClock) -> None:
        self._redis = redis
        self._clock = clock
        self._watched: dict[str, _Watched] = defaultdict(_Watched)
        self._changed = asyncio.Event()
        self._link: Link | None = None
        self._reading: asyncio.Future[Any] | None = None

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
            if self._reading is not None and not self._reading.done():
                self._reading.set_result(None)

    async def placed(self, session_id: str) -> None:
        """Return once nothing of a watched session's that is emitted from now on is missed."""
        await self._watched[session_id].placed.wait()

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
            await self._hang_up()

    async def _turn(self) -> None:
        self._changed.clear()
        streams = {stream.key: stream for watched in self._watched.values() for stream in watched.streams}
        if not streams:
            await self._changed.wait()
            return
        await self._place([stream for stream in streams.values() if stream.after is None])
        answer = await self._read(streams)
        now_ns = monotonic_ns()
        for key, entries in (answer or {}).items():
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
                stream.watched.placed.set()
                if newest and stream.value == b"update":
                    _on_baseline(stream.watched, newest[0][1].get(b"update", b""))

    async def _read(self, streams: dict[str, _Stream]) -> dict[bytes, list[tuple[bytes, list[bytes]]]] | None:
        """XREAD, given up as soon as another session is to be watched; positions make that harmless."""
        if self._link is None or self._link.broken:
            self._link = await self._redis.link()
        if self._changed.is_set():
            return None
        places = (stream.after or "" for stream in streams.values())
        self._reading = self._link.call(
            "XREAD", "COUNT", MOST_AT_ONCE, "BLOCK", BLOCK_MS, "STREAMS", *streams, *places
        )
        answer: dict[bytes, list[tuple[bytes, list[bytes]]]] | None = await self._reading
        if self._changed.is_set():
            await self._hang_up()
        return answer

    async def _hang_up(self) -> None:
        """Let the connection go: an answer may still be to come on it."""
        link, self._link = self._link, None
        if link is not None:
            await link.aclose()

    def _hand_out(self, stream: _Stream, entries: list[tuple[bytes, list[bytes]]], now_ns: int) -> None:
        stream.after = entries[-1][0].decode()
        if stream.value == b"set" and self._clock.ready:
            fresh_ms = self._clock.now_us() // 1000 - STALE_MS
            fresh = [entry for entry in entries[:-1] if int(entry[0].partition(b"-")[0]) >= fresh_ms]
            DROPS.labels(metrics.SERVICE, "reader", "superseded").inc(len(entries) - 1 - len(fresh))
            entries = [*fresh, entries[-1]]
        for _, fields in entries:
            try:
                if fields[0] != stream.value:
                    raise DecodeError(f"no field {stream.value.decode()}")
                stream.take(stream.watched, fields[1], now_ns)
            except (DecodeError, ValueError) as error:
                DROPS.labels(metrics.SERVICE, "reader", "broken").inc()
                log.warning("an entry cannot be read", key=stream.key, error=str(error)[:200])


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
