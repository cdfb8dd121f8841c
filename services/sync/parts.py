"""What every session of a replica shares."""

import asyncio
from dataclasses import dataclass

from services.mesh.redis import RedisClient
from services.mesh.server_clock import ServerClock
from services.mesh.sessions import SessionStore
from services.sync.config import SyncSettings
from services.sync.feed import Feed
from services.sync.load import Load
from services.sync.pulse import Pulse
from services.sync.store import SyncStore


@dataclass(frozen=True, slots=True)
class Parts:
    """Made once by build."""

    replica_id: str
    settings: SyncSettings
    redis: RedisClient
    store: SyncStore
    sessions: SessionStore
    clock: ServerClock
    feed: Feed
    pulse: Pulse
    load: Load
    looking: asyncio.Lock
    """Held by the session whose pictures are being compared."""
