"""What a session's join gives, and by which rules."""

from dataclasses import dataclass
from enum import Enum

from services.sync.frames import Frame
from services.sync.resample import Sample


@dataclass(frozen=True)
class MatchRules:
    """How one session is matched. Spans are microseconds."""

    tolerance_us: int = 0
    """Largest spread of a group. 0: half the period of the fastest camera for two, a little more for several."""
    lateness_min_us: int = 0
    """Least time to wait for a camera after the fastest one's usual delay. 0: 1.5 of its periods."""
    lateness_max_us: int = 250_000
    """Longest time to wait likewise."""
    idle_us: int = 250_000
    """A camera silent for this long, or for 2.2 of its periods if that is longer, is not waited for."""
    forget_us: int = 10_000_000
    """A camera silent for this long is no longer listed, unless the session names it."""
    most_frames: int = 1024
    """Frames held at most."""


class Missing(Enum):
    """Why a camera is not in a group."""

    IDLE = 1
    NO_FRAME = 2
    LATE = 3
    JOINING = 4


@dataclass(frozen=True)
class Group:
    """The frames of one instant."""

    time_us: int
    """Median of the members' times; groups follow each other in strictly rising time."""
    members: tuple[Frame, ...]
    missing: dict[str, Missing]
    watermark_us: int
    """Everything at or before this is final."""
    approximate: bool
    """The spread exceeds half a frame."""
    resampled: tuple[tuple[Frame, Sample | None], ...] | None = None
    """On a tick: for each camera there the frame that stands for it, and its landmarks at `time_us` if somebody was
    found; `members` are then the frames that were used up. None: the members are the group."""

    @property
    def spread_us(self) -> int:
        return 0 if self.resampled is not None else self.members[-1].time_us - self.members[0].time_us

    @property
    def there(self) -> tuple[Frame, ...]:
        """The frames that stand for the cameras in the group."""
        return self.members if self.resampled is None else tuple(frame for frame, _ in self.resampled)
