"""What sync knows of a pose: which frame, when, when it came, and its bytes."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, order=True, slots=True)
class Frame:
    """One pose on its way. Frames sort by time, then by name, so that any arrival order gives one order.

    Times are microseconds since the epoch on the server clock.
    """

    time_us: int
    camera_id: str
    epoch: int
    sequence: int
    arrival_us: int = field(compare=False, default=0)
    """When it was stored."""
    payload: Any = field(compare=False, default=b"", repr=False)
    """The PoseFrame, serialised."""

    @property
    def member(self) -> str:
        """Name in the session's sorted set: unique, and in order within a camera."""
        return f"{self.camera_id}|{self.epoch:010d}|{self.sequence:020d}"


def from_member(member: str, time_us: int, arrival_us: int, payload: bytes) -> Frame:
    """The frame that `Frame.member` named."""
    camera_id, epoch, sequence = member.rsplit("|", 2)
    return Frame(time_us, camera_id, int(epoch), int(sequence), arrival_us, payload)
