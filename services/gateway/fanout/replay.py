"""What a viewer missed: the events of the sets after a sequence number, from the session's score stream."""

from dataclasses import dataclass

from komi.scoring.v1 import scoring_service_pb2
from services.gateway.fanout.feed import events_of
from services.gateway.shaping import scores
from services.gateway.shaping.encoding import Document
from services.mesh import keys
from services.mesh.redis import RedisClient

PAGE = 256


@dataclass(frozen=True)
class Missed:
    """Events after the asked sequence number, oldest first, with their topic."""

    events: tuple[tuple[str, Document], ...]
    through_seq: int
    """Newest set they cover."""
    gap: bool
    """Some of what was asked for is no longer kept."""


async def missed_events(redis: RedisClient, session_id: str, after_seq: int) -> Missed:
    """Look up what followed set `after_seq`. Raises what redis raises while Redis is away."""
    updates: list[scoring_service_pb2.ScoreUpdate] = []
    before = "+"
    reached = None
    while reached is None:
        page = await redis.xrevrange(keys.scores(session_id), max=before, count=PAGE)
        for entry_id, fields in page:
            update = scoring_service_pb2.ScoreUpdate.FromString(fields[b"update"])
            if update.set_sequence <= after_seq:
                reached = update
                break
            updates.append(update)
            before = f"({entry_id.decode()}"
        if len(page) < PAGE:
            break
    updates.reverse()
    cue = scores.cue_key(reached) if reached is not None else None
    missed: list[tuple[str, Document]] = []
    for update in updates:
        events, cue = events_of(update, cue)
        missed += events
    newest = updates[-1].set_sequence if updates else after_seq
    oldest = updates[0].set_sequence if updates else after_seq + 1
    return Missed(tuple(missed), newest, gap=reached is None and oldest > after_seq + 1)
