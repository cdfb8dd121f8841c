"""Puts the service together."""

import asyncio
import time

from komi.sync.v1 import sync_service_pb2, sync_service_pb2_grpc
from services.mesh.redis import connect
from services.mesh.server import Build, ServiceContext
from services.mesh.sessions import SessionStore
from services.sync.config import SyncSettings
from services.sync.feed import Feed
from services.sync.load import Load
from services.sync.parts import Parts
from services.sync.pulse import Pulse
from services.sync.service import SyncService
from services.sync.sessions import Sessions
from services.sync.store import SyncStore
from services.sync.watch import Watcher

FOLLOWERS = 64
"""WatchSession calls at a time."""


def builder(settings: SyncSettings) -> Build:
    """What `serve` needs to start sync."""

    async def build(context: ServiceContext) -> None:
        clock, feed = context.clock, Feed(context.redis)
        store = SyncStore(
            context.redis,
            most_frames=settings.most_frames,
            keep_bytes=settings.keep_bytes,
            life_s=settings.life_s,
            lease_s=settings.lease_s,
        )
        parts = Parts(
            replica_id=context.replica_id,
            settings=settings,
            redis=context.redis,
            store=store,
            sessions=SessionStore(context.redis),
            clock=clock,
            feed=feed,
            pulse=Pulse(time.monotonic, asyncio.get_running_loop().call_soon),
            load=Load(time.monotonic(), time.process_time()),
            looking=asyncio.Lock(),
        )
        sessions = Sessions(parts, context.tasks)
        watching = connect(settings.redis_url, connections=FOLLOWERS)
        watcher = Watcher(watching)
        service = SyncService(parts, sessions, watcher)
        sync_service_pb2_grpc.add_SyncServiceServicer_to_server(service, context.server)
        context.add_service(sync_service_pb2.DESCRIPTOR.services_by_name["SyncService"].full_name)
        context.tasks.start("sync-feed", feed.run)
        context.tasks.start("sync-sessions", sessions.run)
        context.on_drain(service.drain)
        context.on_drain(watcher.drain)
        context.on_drain(sessions.hand_over)
        context.on_close(store.aclose)
        context.on_close(watching.aclose)
        context.on_close(sessions.close)

    return build
