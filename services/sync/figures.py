"""What a session's status says: counted as sets leave, turned into figures when asked."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.sync.groups import Group, Missing

WINDOW = 300
"""Sets the shares are taken over."""


@dataclass
class Figures:
    """Shares and counts of one session. The holder keeps them; they start anew with a new holder."""

    sets: deque[tuple[frozenset[str], bool, int]] = field(default_factory=lambda: deque(maxlen=WINDOW))
    dropped: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, groups: Sequence[Group]) -> None:
        for group in groups:
            there = frozenset(frame.camera_id for frame in group.there)
            full = not any(why is not Missing.IDLE for why in group.missing.values())
            self.sets.append((there, full, group.spread_us))

    def drop(self, camera_id: str, reason: str, count: int = 1) -> None:
        self.dropped.setdefault(camera_id, Counter())[reason] += count

    @property
    def completeness(self) -> float:
        """Share of the last sets with every active camera."""
        return sum(full for _, full, _ in self.sets) / len(self.sets) if self.sets else 0.0

    @property
    def spread_median_us(self) -> int:
        spreads = sorted(spread for there, _, spread in self.sets if len(there) > 1)
        return spreads[len(spreads) // 2] if spreads else 0

    def share_with(self, camera_id: str) -> float:
        """Share of the last sets that have the camera."""
        return sum(camera_id in there for there, _, _ in self.sets) / len(self.sets) if self.sets else 0.0
