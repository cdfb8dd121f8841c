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

    dropped: dict[str, Counter[str]] = field(default_factory=dict)
    _sets: deque[tuple[tuple[str, ...], bool, int]] = field(default_factory=deque)
    _with: Counter[str] = field(default_factory=Counter)
    """Sets that have a camera."""
    _full: int = 0

    def add(self, groups: Sequence[Group]) -> None:
        for group in groups:
            there = tuple(frame.camera_id for frame in group.there)
            full = not any(why is not Missing.IDLE for why in group.missing.values())
            self._sets.append((there, full, group.spread_us))
            self._with.update(there)
            self._full += full
            if len(self._sets) > WINDOW:
                gone, was_full, _ = self._sets.popleft()
                self._with.subtract(gone)
                self._full -= was_full

    def drop(self, camera_id: str, reason: str, count: int = 1) -> None:
        self.dropped.setdefault(camera_id, Counter())[reason] += count

    @property
    def completeness(self) -> float:
        """Share of the last sets with every active camera."""
        return self._full / max(1, len(self._sets))

    @property
    def spread_median_us(self) -> int:
        spreads = sorted([spread for there, _, spread in self._sets if len(there) > 1])
        return spreads[len(spreads) // 2] if spreads else 0

    def share_with(self, camera_id: str) -> float:
        """Share of the last sets that have the camera."""
        return self._with[camera_id] / max(1, len(self._sets))
