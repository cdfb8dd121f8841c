"""A replica that leaves takes nothing more, and leaves nothing behind."""

import asyncio

from services.mesh import keys
from services.mesh.redis import connect
from services.scoring.config import ScoringSettings
from services.scoring.sessions.roster import Roster


async def test_a_replica_that_is_stopped_while_it_takes_a_session_leaves_neither_worker_nor_lease(
    redis_url: str,
) -> None:
    """One that took a session while it drained told nobody to end its worker, which outlived the service."""
    redis = connect(redis_url)
    before = asyncio.all_tasks()
    try:
        for steps in range(0, 60, 2):
            roster = Roster(ScoringSettings(redis_url=redis_url), redis, f"replica-{steps}")
            running = asyncio.create_task(roster.run())
            for _ in range(steps):
                await asyncio.sleep(0)
            await roster.drain()
            await running
            await roster.close()
            assert not await redis.exists(keys.scoring_lease(keys.LIVE_SESSION)), steps
            left = asyncio.all_tasks() - before
            assert not [task for task in left if task.get_name().startswith("score ")], steps
    finally:
        await redis.aclose()
