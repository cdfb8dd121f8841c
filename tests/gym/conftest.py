"""What the gym's tests share: scripts without noise, every movement with every fault, a clock of one's own."""

from dataclasses import dataclass
from functools import lru_cache

import pytest

from gym import Script, Section, Stage, movement

EVERY_FORM = [
    pytest.param(name, fault, id=f"{name}-{fault or 'good'}")
    for name in movement.names()
    for fault in (None, *movement.load(name).faults)
]


@dataclass
class HandClock:
    """A clock that stands still but for sleeps, and for what a test adds."""

    now: float = 1_000.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


@lru_cache(maxsize=128)
def stage(
    name: str, fault: str | None = None, *, repetitions: int = 1, person: int = 1, variation: float = 1.0
) -> Stage:
    """A stage on which one person does a movement, wrong in one way or not at all."""
    form = {} if fault is None else {fault: 1.0}
    section = Section(name, person, repetitions=repetitions, form=form)
    return Stage(Script((section,), variation=variation, seed=5))


@pytest.fixture
def hand_clock() -> HandClock:
    """A clock that only moves when slept on."""
    return HandClock()
