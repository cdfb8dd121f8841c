"""A scoring service on free ports, and synced sets put where sync would put them."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import grpc
import numpy as np
from redis.asyncio import Redis

from komi.common.v1 import pose_pb2
from komi.scoring.v1 import scoring_service_pb2 as pb
from komi.scoring.v1 import scoring_service_pb2_grpc
from komi.sync.v1 import sync_service_pb2
from services.mesh import keys
from services.mesh.redis import RedisClient, connect
from services.mesh.server import Service
from services.mesh.times import to_timestamp
from services.scoring.build import build
from services.scoring.config import ScoringSettings
from services.scoring.movement.landmarks import SyncedViews
from tests.support.waiting import eventually

START_US = 2_100_000_000_000_000
"""In 2036: reports of what was long ago count as over."""


@dataclass
class Running:
    """A service, a stub for it, and its Redis."""

    service: Service
    stub: "scoring_service_pb2_grpc.ScoringServiceAsyncStub"
    redis: RedisClient

    async def updates(self, session_id: str = "live") -> list[pb.ScoreUpdate]:
        """All scores published so far."""
        entries = await self.redis.xrange(keys.scores(session_id))
        return [pb.ScoreUpdate.FromString(fields[b"update"]) for _, fields in entries]

    async def scored(self, session_id: str = "live") -> int:
        """How many sets were scored."""
        return int(await self.redis.xlen(keys.scores(session_id)))


@asynccontextmanager
async def running(
    redis_url: str, *, pose: str = "127.0.0.1:1", lease_s: float = 8.0
) -> AsyncIterator[Running]:
    """A ready scoring service. Its leases outlast a machine that stands still for a moment."""
    settings = ScoringSettings(
        redis_url=redis_url,
        port=0,
        metrics_port=0,
        pose=pose,
        lease_s=lease_s,
        drain_s=0.5,
        _cli_parse_args=[],
    )
    service = Service(settings, partial(build, settings))
    await service.start()
    try:
        await eventually(lambda: service.context and service.context.readiness.ready, what="readiness")
        async with (
            grpc.aio.insecure_channel(service.address) as channel,
            aclosing(connect(redis_url)) as client,
        ):
            yield Running(service, scoring_service_pb2_grpc.ScoringServiceStub(channel), client)
    finally:
        await service.stop()


def synced_set(seen: SyncedViews, sequence: int, session_id: str = "live") -> sync_service_pb2.SyncedSet:
    """What sync would emit of these views."""
    at_us = START_US + round(seen.time_s * 1e6)
    message = sync_service_pb2.SyncedSet(
        session_id=session_id, sequence=sequence, server_time=to_timestamp(at_us)
    )
    for view in seen.views:
        member = message.members.add()
        member.id.camera_id = view.camera_id
        member.time.server_time.CopyFrom(to_timestamp(at_us))
        member.traceparent = f"00-{sequence:032x}-{1:016x}-00"
        member.pose.CopyFrom(
            pose_pb2.Pose(
                image_px=view.image_px.ravel().tolist(),
                world_m=view.world_m.ravel().tolist(),
                visibility=np.asarray(view.visibility).tolist(),
            )
        )
    return message


async def publish(client: Redis, seen: list[SyncedViews], first: int = 1, session_id: str = "live") -> None:
    """Put sets into the session's stream, numbered from `first`."""
    pipe = client.pipeline(transaction=False)
    for number, one in enumerate(seen, start=first):
        pipe.xadd(
            keys.synced_sets(session_id), {"set": synced_set(one, number, session_id).SerializeToString()}
        )
    await pipe.execute()
