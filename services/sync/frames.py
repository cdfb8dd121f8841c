"""What sync knows of a pose: which frame, when, when it came, and its bytes."""

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
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
    pose: Any = field(compare=False, default=None, repr=False)
    """The PoseFrame itself where it came in here, never changed; None: read it from `payload`."""
    member: str = field(init=False, compare=False, repr=False)
    """Name in the session's sorted set: unique, and in order within a camera."""

    def __post_init__(self) -> None:
        # Asked for a dozen times a frame.
        object.__setattr__(self, "member", f"{self.camera_id}|{self.epoch:010d}|{self.sequence:020d}")

    def __lt__(self, other: "Frame") -> bool:
        # Asked more often still, and the time nearly always decides.
        if self.time_us != other.time_us:
            return self.time_us < other.time_us
        return (self.camera_id, self.epoch, self.sequence) < (other.camera_id, other.epoch, other.sequence)


def from_member(member: str, time_us: int, arrival_us: int, payload: bytes) -> Frame:
    """The frame that `Frame.member` named."""
    camera_id, epoch, sequence = member.rsplit("|", 2)
    return Frame(time_us, camera_id, int(epoch), int(sequence), arrival_us, payload)


class TieBreaker:
    """Keeps apart frames of one camera that claim the same instant, by a microsecond each.

    A client with coarse timestamps sends several frames with one stamp; at or below the watermark all but the first
    would be late.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[Frame, int]] = {}

    def __call__(self, frame: Frame) -> Frame:
        """`frame`, or a copy later by as many microseconds as frames with its stamp went before it."""
        last, ties = self._last.get(frame.camera_id, (None, 0))
        same = last is not None and (last.epoch, last.time_us) == (frame.epoch, frame.time_us)
        ties = ties + 1 if same and last is not None and frame.sequence > last.sequence else 0
        self._last[frame.camera_id] = (frame, ties)
        return replace(frame, time_us=frame.time_us + ties) if ties else frame
