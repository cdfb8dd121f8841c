"""A script laid out in time: what happens at any instant, and when each repetition begins, turns and ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from gym import movement, walking
from gym.movement import PHASES, Keys, Phase
from gym.person import Person, person
from gym.pose import Anchor, Placement, Pose, Support
from gym.script import AWAY, WALKS, Script, Section, settle_seconds, tempo_of
from gym.variation import Variation


@dataclass(frozen=True)
class Repetition:
    """One repetition, seconds from the beginning of its cycle."""

    index: int  # within the cycle, from 0
    section: int
    person: int
    movement: str
    faults: Mapping[str, float]
    mirrored: bool
    start: float
    lowest: float  # the way down is over
    rise: float  # the hold is over
    end: float  # back in the first pose
    rested: float  # the rest after it is over


@dataclass(frozen=True)
class Stance:
    """How a body is to be held: a pose and what it rests on, or a walk at a time."""

    pose: Pose
    support: Support = "feet"
    anchor: Anchor = "both"
    placement: Placement = field(default_factory=Placement)
    first: Pose | None = None  # off the feet: the pose that decides where hands and toes go
    walk: walking.Walk | None = None
    walk_time: float = 0.0


@dataclass(frozen=True)
class Instant:
    """What happens at one true time, seconds from the script's beginning."""

    time: float
    cycle: int
    section: int
    person: Person | None  # nobody is there
    movement: str
    phase: Phase | None
    phase_share: float
    repetition: Repetition | None
    faults: Mapping[str, float]
    stance: Stance | None
    before: Stance | None = None  # the stance being left, `blend` of the way
    blend: float = 1.0


@dataclass(frozen=True)
class _Span:
    begin: float
    settled: float
    worked: float
    end: float


class Timeline:
    """Answers for any time; a looping script goes round with fresh noise each cycle."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._variation = Variation(script.variation, script.seed)
        spans, at = [], 0.0
        before = script.sections[-1] if script.loop else None
        for section in script.sections:
            settled = at + settle_seconds(before, section)
            worked = settled + section.seconds
            if section.repetitions:
                worked += section.repetitions * sum(tempo_of(section).values())
            end = worked + section.rest
            spans.append(_Span(at, settled, worked, end))
            at, before = end, section
        self._spans = tuple(spans)
        self.duration = at
        self._starts = [s.begin for s in spans]
        self._repetitions = lru_cache(maxsize=64)(self._lay_out)
        self._keys = lru_cache(maxsize=64)(self._mix)

    def locate(self, t: float) -> tuple[int, float]:
        """Cycle and seconds into it. A script that does not loop stays at its end."""
        if not self.script.loop:
            return 0, min(max(t, 0.0), self.duration)
        cycle = int(t // self.duration)
        return cycle, t - cycle * self.duration

    def repetitions(self, cycle: int = 0) -> tuple[Repetition, ...]:
        """Every repetition of a cycle, in order."""
        out: list[Repetition] = []
        for number in range(len(self.script.sections)):
            out.extend(self._repetitions(cycle, number))
        return tuple(out)

    def instant(self, t: float) -> Instant:
        """What happens at true time `t`, seconds from the script's beginning."""
        cycle, local = self.locate(t)
        number = int(np.searchsorted(self._starts, local, side="right")) - 1
        section, span = self.script.sections[number], self._spans[number]
        if section.movement == AWAY:
            return Instant(t, cycle, number, None, AWAY, None, 0.0, None, {}, None)
        phase, share, repetition, stance = self._doing(cycle, number, section, span, local, t)
        working = repetition is not None and phase != "rest"
        before, blend = self._leaving(cycle, number, span, local)
        return Instant(
            time=t,
            cycle=cycle,
            section=number,
            person=person(section.person),
            movement=section.movement,
            phase=phase,
            phase_share=share,
            repetition=repetition,
            faults=dict(section.form) if working else {},
            stance=stance,
            before=before,
            blend=blend,
        )

    def _doing(
        self, cycle: int, number: int, section: Section, span: _Span, local: float, t: float
    ) -> tuple[Phase | None, float, Repetition | None, Stance]:
        if section.movement in WALKS:
            walk = walking.Walk(
                section.door, section.position, section.seconds, section.movement == "walk_in"
            )
            pose = self._variation.swaying(self._rested(section), section.person, t)
            return None, 0.0, None, Stance(pose, walk=walk, walk_time=local - span.begin)
        if local >= span.worked and section.rest > 0:
            pose = self._variation.swaying(self._rested(section), section.person, t)
            return None, 0.0, None, self._stance(section, pose, "idle")
        m = movement.load(section.movement)
        repetition = self._repetition_at(cycle, number, local)
        if repetition is None:
            keys = self._keys(cycle, number, 0)
            return (
                None,
                0.0,
                None,
                self._stance(
                    section, self._variation.swaying(keys["start"], section.person, t), section.movement
                ),
            )
        phase, share = _phase(repetition, local)
        count = repetition.index - self._repetitions(cycle, number)[0].index
        keys = self._keys(cycle, number, count)
        then = None
        if phase == "rest" and count + 1 < section.repetitions:
            then = self._keys(cycle, number, count + 1)["start"]
        pose = self._variation.swaying(m.at(phase, share, keys, then), section.person, t)
        return phase, share, repetition, self._stance(section, pose, section.movement, repetition.mirrored)

    def _stance(self, section: Section, pose: Pose, name: str, mirrored: bool = False) -> Stance:
        m = movement.load(name)
        anchor = m.anchor
        if mirrored and anchor in ("left", "right"):
            anchor = "right" if anchor == "left" else "left"
        heading = m.heading if section.heading is None else section.heading
        placement = Placement(*section.position, heading)
        first = None if m.support == "feet" else self._keyed(section)["start"]
        return Stance(pose, m.support, anchor, placement, first)

    def _first(self, cycle: int, number: int, section: Section) -> Stance:
        return self._stance(section, self._keys(cycle, number, 0)["start"], section.movement)

    def _rested(self, section: Section) -> Pose:
        return movement.load("idle").poses["start"] + self._variation.habit(section.person)

    def _leaving(self, cycle: int, number: int, span: _Span, local: float) -> tuple[Stance | None, float]:
        """While taking up a first pose, or coming to rest: the stance before, and how far it is left behind."""
        section = self.script.sections[number]
        if local >= span.worked and section.rest > 0:
            seconds = min(section.rest, settle_seconds(section, replace(section, movement="idle", rest=0.0)))
            share = (local - span.worked) / seconds
            return (self._first(cycle, number, section), share) if share < 1 else (None, 1.0)
        if local >= span.settled:
            return None, 1.0
        before = self.script.sections[number - 1]
        if before.movement in WALKS or before.rest > 0:
            stance = self._stance(before, self._rested(before), "idle")
        else:
            stance = self._first(cycle, number - 1 if number else len(self.script.sections) - 1, before)
        return stance, (local - span.begin) / (span.settled - span.begin)

    def _keyed(self, section: Section) -> Keys:
        """Key poses in the section's form, as its person carries themselves."""
        habit = self._variation.habit(section.person)
        return {
            name: pose + habit for name, pose in movement.load(section.movement).keys(section.form).items()
        }

    def _mix(self, cycle: int, number: int, count: int) -> Keys:
        """Key poses of one repetition."""
        section = self.script.sections[number]
        keys = self._variation.excursions(self._keyed(section), cycle, number, count)
        if movement.load(section.movement).alternate and count % 2:
            return movement.mirrored_keys(keys)
        return keys

    def _lay_out(self, cycle: int, number: int) -> tuple[Repetition, ...]:
        section = self.script.sections[number]
        if not section.repetitions:
            return ()
        nominal = np.array([list(tempo_of(section).values())] * section.repetitions)
        seconds = self._variation.timing(nominal, cycle, number)
        edges = self._spans[number].settled + np.concatenate([[0.0], np.cumsum(seconds)])
        first = sum(s.repetitions for s in self.script.sections[:number])
        alternate = movement.load(section.movement).alternate
        return tuple(
            Repetition(
                first + i,
                number,
                section.person,
                section.movement,
                dict(section.form),
                bool(alternate and i % 2),
                *(float(edges[4 * i + k]) for k in range(5)),
            )
            for i in range(section.repetitions)
        )

    def _repetition_at(self, cycle: int, number: int, local: float) -> Repetition | None:
        for repetition in self._repetitions(cycle, number):
            if repetition.start <= local < repetition.rested:
                return repetition
        return None


def _phase(repetition: Repetition, local: float) -> tuple[Phase, float]:
    edges = (repetition.start, repetition.lowest, repetition.rise, repetition.end, repetition.rested)
    for phase, a, b in zip(PHASES, edges, edges[1:], strict=False):
        if local < b:
            return phase, (local - a) / (b - a)
    return "rest", 1.0
