"""A script on its stage: the truth at any instant, and what there is to draw."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gym.angles import joint_angles
from gym.camera import Camera
from gym.figure import Figure, figure
from gym.person import person
from gym.posture import configure
from gym.render.renderer import Drawable
from gym.scene import Scene, occluder_mesh
from gym.script import Script, Section
from gym.timeline import Instant, Repetition, Timeline
from gym.visibility import visible

_KEPT = 4  # bodies held ready: cameras of one process ask for the same instants


@dataclass(frozen=True)
class Truth:
    """What is so at one true time. Landmarks are MediaPipe's 33, in room metres (33, 3); None: nobody is there."""

    time: float
    person: int | None
    movement: str
    landmarks: NDArray[np.float64] | None
    angles: Mapping[str, float]
    phase: str | None
    phase_share: float
    repetition: Repetition | None
    faults: Mapping[str, float]
    cycle: int


@dataclass(frozen=True)
class Seen:
    """Landmarks as one camera has them: pixels (33, 2), depth in metres (33,), visibility 0 or 1 (33,)."""

    pixels: NDArray[np.float64]
    depth: NDArray[np.float64]
    visibility: NDArray[np.float64]


class Stage:
    """One script in one room. Times are seconds from the script's beginning."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.timeline = Timeline(script)
        self.scene = Scene.parse(script.scene)
        self._company = self._second_person()
        self._occluder = occluder_mesh(self.scene)
        self._bodies: OrderedDict[tuple[float, int], Drawable] = OrderedDict()

    def truth(self, t: float) -> Truth:
        """Without drawing anything."""
        instant = self.timeline.instant(t)
        landmarks = None
        if instant.person is not None:
            body = figure(instant.person)
            configuration = configure(body, instant)
            landmarks = None if configuration is None else body.landmarks.of(configuration)
        return Truth(
            time=t,
            person=instant.person.number if instant.person else None,
            movement=instant.movement,
            landmarks=landmarks,
            angles={} if landmarks is None else joint_angles(landmarks),
            phase=instant.phase,
            phase_share=instant.phase_share,
            repetition=instant.repetition,
            faults=instant.faults,
            cycle=instant.cycle,
        )

    def seen_by(self, camera: Camera, t: float, truth: Truth | None = None) -> Seen | None:
        """The landmarks in a camera's picture; a landmark is visible if it is in it and nothing hides it."""
        truth = truth or self.truth(t)
        if truth.landmarks is None:
            return None
        pixels, depth = camera.project(truth.landmarks)
        inside = camera.contains(pixels) & (depth > 0)
        clear = visible(camera, self.drawables(t), truth.landmarks)
        return Seen(pixels, depth, np.where(inside & clear, 1.0, 0.0))

    def drawables(self, t: float) -> list[Drawable]:
        """Bodies and things at an instant."""
        out = []
        for timeline, number in ((self.timeline, 0), (self._company, 1)):
            if timeline is not None and (body := self._body(timeline, number, t)) is not None:
                out.append(body)
        if self._occluder is not None:
            out.append(self._occluder)
        return out

    def _body(self, timeline: Timeline, number: int, t: float) -> Drawable | None:
        key = (t, number)
        if key in self._bodies:
            return self._bodies[key]
        instant = timeline.instant(t)
        if instant.person is None:
            return None
        drawable = _drawable(figure(instant.person), instant)
        if drawable is not None:
            self._bodies[key] = drawable
            while len(self._bodies) > _KEPT:
                self._bodies.popitem(last=False)
        return drawable

    def _second_person(self) -> Timeline | None:
        scene = self.scene
        if scene.company is None:
            return None
        section = Section(
            scene.company_movement, scene.company, repetitions=20, position=scene.company_spot, heading=-15.0
        )
        script = Script((section,), seed=self.script.seed + 1, variation=self.script.variation, loop=True)
        person(scene.company)
        return Timeline(script)


def _drawable(body: Figure, instant: Instant) -> Drawable | None:
    configuration = configure(body, instant)
    if configuration is None:
        return None
    surface = body.surface
    return Drawable(surface.posed(body.skeleton, configuration), surface.colours, surface.triangles)
