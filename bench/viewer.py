"""A WebSocket client of the gateway that notes when each frame's score arrives."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from bench.stages import Stages
from komi.gateway.v1 import session_message_pb2
from komi.sync.v1 import sync_service_pb2
from services.mesh.stages import monotonic_ns

MOST_OPEN = 512
"""Sets that wait for their score."""


@dataclass
class Seen:
    """What arrived while `measuring`."""

    stages: Stages = field(default_factory=Stages)
    frames: int = 0
    """Frames whose score arrived."""
    sets: int = 0
    persons: int = 0
    by_camera: dict[str, int] = field(default_factory=dict)
    skipped: int = 0
    """Messages that the gateway left out, since this client was too slow."""


class Viewer:
    """Follows one session. `seen` is replaced by `begin`."""

    def __init__(self) -> None:
        self.seen = Seen()
        self.started = asyncio.Event()
        """The first score has arrived."""
        self._open: OrderedDict[int, sync_service_pb2.SyncedSet] = OrderedDict()
        self._measure_from_ns = 0

    def begin(self) -> Seen:
        """Measure anew: frames captured from now on."""
        self.seen, self._measure_from_ns = Seen(), monotonic_ns()
        return self.seen

    async def follow(self, address: str) -> None:
        """Until cancelled, or until the gateway goes."""
        protocol = Subprotocol("komi.v1.protobuf")
        async with connect(
            address, subprotocols=[protocol], max_size=1 << 24, compression=None, open_timeout=60
        ) as socket:
            async for raw in socket:
                now_ns = monotonic_ns()
                message = session_message_pb2.SessionMessage.FromString(_binary(raw))
                match message.WhichOneof("payload"):
                    case "poses":
                        self._take_set(message.poses)
                    case "score":
                        self._take_score(message, now_ns)
                    case _ if '"skipped"' in message.json:
                        self.seen.skipped += 1

    def _take_set(self, synced: sync_service_pb2.SyncedSet) -> None:
        self._open[synced.sequence] = synced
        if len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)

    def _take_score(self, message: session_message_pb2.SessionMessage, now_ns: int) -> None:
        synced = self._open.pop(message.score.set_sequence, None)
        if synced is None:
            return
        seen = self.seen
        seen.sets += 1
        self.started.set()
        for member in synced.members:
            if member.stamps.captured_monotonic_ns < self._measure_from_ns:
                continue
            seen.frames += 1
            seen.persons += member.HasField("pose")
            seen.by_camera[member.id.camera_id] = seen.by_camera.get(member.id.camera_id, 0) + 1
            seen.stages.add_frame(
                member.stamps, synced.stamps, message.score.stamps.scored_monotonic_ns, now_ns
            )


def _binary(raw: str | bytes) -> bytes:
    return raw.encode() if isinstance(raw, str) else raw


@asynccontextmanager
async def watching(gateway: str, session: str = "live") -> AsyncIterator[Viewer]:
    """A viewer of a running mesh, for as long as the block runs."""
    viewer = Viewer()
    address = f"ws{gateway.removeprefix('http')}/ws/v1/sessions/{session}?topics=poses,score"
    following = asyncio.create_task(viewer.follow(address), name="bench-viewer")
    try:
        yield viewer
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
