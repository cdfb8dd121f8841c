"""The course of a performance in at most 720 points of equal length, however long it lasts."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Self

from services.scoring.live.outcome import State

MOST_POINTS: Final = 720
FIRST_STEP_S: Final = 1.0
STATES: Final = max(State) + 1
_FORM: Final = struct.Struct(f"<{2 + STATES}f")


@dataclass(frozen=True, slots=True)
class Point:
    """What happened in one step of the timeline."""

    scored_s: float = 0.0
    """Seconds with a score."""
    score_s: float = 0.0
    """Sum of score times seconds."""
    seconds: tuple[float, ...] = (0.0,) * STATES
    """Time spent in each state."""

    @property
    def score(self) -> float | None:
        """Mean score, 0 to 100; None: nothing was scored."""
        return self.score_s / self.scored_s if self.scored_s > 0 else None

    @property
    def state(self) -> State | None:
        """What the person did for most of it; None: nothing was seen of it."""
        most = max(self.seconds)
        return State(self.seconds.index(most)) if most > 0 else None

    def plus(self, other: Point) -> Point:
        """Both together."""
        return Point(
            self.scored_s + other.scored_s,
            self.score_s + other.score_s,
            tuple(a + b for a, b in zip(self.seconds, other.seconds, strict=True)),
        )

    def to_bytes(self) -> bytes:
        """As `from_bytes` takes it."""
        return _FORM.pack(self.scored_s, self.score_s, *self.seconds)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """A point written by `to_bytes`."""
        scored_s, score_s, *seconds = _FORM.unpack(data)
        return cls(scored_s, score_s, tuple(seconds))


class Timeline:
    """Grows by a step a second; when it has too many, every two become one and steps are twice as long."""

    def __init__(self, points: list[Point] | None = None, step_s: float = FIRST_STEP_S) -> None:
        """Empty, or with finished points of an earlier one."""
        self.points = points or []
        """Finished steps."""
        self.step_s = step_s
        self.current = Point()
        """The step under way."""

    def add(self, offset_s: float, seconds: float, state: State, score: float | None) -> tuple[int, bool]:
        """Takes `seconds` that end at `offset_s`, which never shrinks.

        Returns how many points at the end are new, and whether all have changed since the steps became longer.
        """
        fresh, anew = 0, False
        while offset_s >= (len(self.points) + 1) * self.step_s:
            self.points.append(self.current)
            self.current = Point()
            fresh += 1
            if len(self.points) >= MOST_POINTS:
                self._halve()
                anew = True
        spent = [0.0] * STATES
        spent[state] = seconds
        known = score is not None
        self.current = self.current.plus(
            Point(seconds if known else 0.0, seconds * score if score is not None else 0.0, tuple(spent))
        )
        return (len(self.points), True) if anew else (fresh, False)

    def whole(self) -> list[Point]:
        """Every step, the one under way included."""
        return [*self.points, self.current]

    def _halve(self) -> None:
        self.points = [a.plus(b) for a, b in zip(self.points[0::2], self.points[1::2], strict=True)]
        self.step_s *= 2.0
