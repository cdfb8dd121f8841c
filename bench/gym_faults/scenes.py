"""Scenes: one person doing one movement in one form, and the answers they are compared with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gym import movement
from gym.script import Script, Section

DIAL: Final = 0.6
FPS: Final = 15.0
VIEWS: Final = (30, 90, -30)
"""Degrees round the person; the first one, two or three are looked at. The answer is seen from the first."""
HOLDS: Final = frozenset({"plank"})
"""Movements whose repetition is a held pose."""
GOOD: Final = "good"


@dataclass(frozen=True, slots=True)
class Split:
    """People who follow an answer, told apart by how much of them was known when limits were chosen."""

    name: str
    answerer: int
    people: tuple[int, ...]
    movements: tuple[str, ...] = ()
    """What they do; empty: everything."""


SPLITS: Final = (
    Split("designed_on", 1, (2, 3)),
    Split("held_out", 6, (4, 5)),
    Split("new", 7, (8,), ("lateral_raise", "lunge", "push_up", "shoulder_press", "squat")),
)
"""Limits were chosen on the first, then mended with the second in sight; the third was looked at once, afterwards."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is performed."""

    movement: str
    fault: str
    """`good`: none."""
    person: int
    seed: int
    repetitions: int

    @property
    def name(self) -> str:
        """For files and messages."""
        return f"{self.movement}-{self.fault}-{self.person}-{self.seed}-{self.repetitions}"

    def script(self) -> Script:
        """As the gym takes it: standing about, the repetitions, standing about again."""
        hold = self.movement in HOLDS
        tempo = {**movement.load(self.movement).tempo, "hold": 4.0} if hold else None
        section = Section(
            self.movement,
            self.person,
            repetitions=self.repetitions,
            form={} if self.fault == GOOD else {self.fault: DIAL},
            tempo=tempo,
            rest=1.5,
        )
        return Script(
            (Section("idle", self.person, seconds=1.5), section),
            title=self.name,
            seed=self.seed,
            fps=FPS,
            cameras={str(view): f"view={view}" for view in VIEWS},
        )


def exercises() -> list[str]:
    """Movements with faults."""
    return [name for name in movement.names() if movement.load(name).faults]


def faults_of(name: str) -> tuple[str, ...]:
    """Of a movement."""
    return tuple(movement.load(name).faults)


def answer(name: str, split: Split) -> Scene:
    """The good form that users of this split are compared with."""
    return Scene(name, GOOD, split.answerer, 11, 2 if name in HOLDS else 4)


def performances(name: str, split: Split) -> Iterator[Scene]:
    """Every form of a movement by every person of this split."""
    hold = name in HOLDS
    for person in split.people:
        yield Scene(name, GOOD, person, 100 + person, 2 if hold else 4)
        for fault in faults_of(name):
            yield Scene(name, fault, person, 200 + person, 2 if hold else 3)
