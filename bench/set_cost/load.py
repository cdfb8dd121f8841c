"""References and the sets of somebody who follows them before two cameras, by the gym's truth: nothing is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gym.camera import Camera, around
from gym.script import Script, Section
from gym.stage import Stage
from komi.sync.v1 import sync_service_pb2
from services.mesh.stages import HOST_ID, monotonic_ns
from services.mesh.times import to_timestamp
from services.scoring.movement.landmarks import LANDMARKS, Recording
from services.scoring.reference.building import build_template, template_of
from services.scoring.reference.preparation import prepare
from services.scoring.reference.segmentation import Segment
from services.scoring.reference.template import RATE_HZ, Template

Floats = NDArray[np.float64]
VIEWS: Final = (30.0, 90.0)
"""Degrees round the person; the reference is seen from the first."""
JITTER_M: Final = 0.01
PIXELS: Final = 2.0
"""Standard deviations of what stands for a pose model's errors."""
SEQUENCE: Final = ("squat", "lateral_raise", "lunge", "shoulder_press", "knee_raise", "biceps_curl")
MINUTE_S: Final = 60.0
START_US: Final = 1_800_000_000_000_000
TRAINER, USER = 1, 2


@dataclass(frozen=True, slots=True)
class Load:
    """What is scored."""

    name: str
    template: Template
    sets: list[bytes]
    """komi.sync.v1.SyncedSet, 30 a second."""


def minute() -> Load:
    """A reference of a minute that is one movement from start to end."""
    sections = tuple((name, 3) for name in SEQUENCE)
    shown = _seen(_script(sections, TRAINER), MINUTE_S)
    prepared = prepare(shown)
    whole = Segment(0, len(prepared.features) // 2, len(prepared.features) - 1)
    template = template_of(shown, prepared, whole, [whole], "", [])
    return Load("minute", template, _sets(_script(sections, USER), MINUTE_S))


def squats() -> Load:
    """Ten squats against a reference of three, so that repetitions are completed."""
    shown = build_template(_seen(_script((("squat", 3),), TRAINER)), "squat")
    return Load("squats", shown, _sets(_script((("squat", 10),), USER)))


def _script(sections: tuple[tuple[str, int], ...], person: int) -> Script:
    done = (Section(name, person, repetitions=count, rest=1.0) for name, count in sections)
    return Script((Section("idle", person, seconds=1.5), *done), seed=person)


def _points(script: Script, seconds: float | None) -> tuple[Floats, Floats]:
    """Times (n,) and landmarks (n, 33, 3) in the room; a script that is too short goes on from its beginning."""
    stage = Stage(script)
    once = stage.timeline.duration - 0.5
    times = np.arange(0.0, seconds or once, 1.0 / RATE_HZ)
    found = [stage.truth(float(t) % once).landmarks for t in times]
    return times, np.array(found)


def _view(camera: Camera, points: Floats, seed: int) -> tuple[Floats, Floats]:
    """Pixels (n, 33, 2) and metres (n, 33, 3) as a pose model would give them."""
    rng = np.random.default_rng(seed)
    centred = (points - points[:, 23:25].mean(axis=1, keepdims=True)) @ camera.rotation.T
    pixels = camera.project(points)[0]
    return pixels + rng.normal(0, PIXELS, pixels.shape), centred + rng.normal(0, JITTER_M, centred.shape)


def _seen(script: Script, seconds: float | None = None) -> Recording:
    times, points = _points(script, seconds)
    image, world = _view(around(VIEWS[0]), points, 0)
    return Recording(times, image, world, np.ones((len(times), LANDMARKS)), RATE_HZ)


def _sets(script: Script, seconds: float | None = None) -> list[bytes]:
    times, points = _points(script, seconds)
    views = [(f"cam{n}", *_view(around(angle), points, n)) for n, angle in enumerate(VIEWS, 1)]
    return [
        _set(number, float(time_s), [(name, image[number], world[number]) for name, image, world in views])
        for number, time_s in enumerate(times)
    ]


def _set(number: int, time_s: float, views: list[tuple[str, Floats, Floats]]) -> bytes:
    """What sync emits: every list of a pose, its stamps and the views' average."""
    at = to_timestamp(START_US + round(time_s * 1e6))
    message = sync_service_pb2.SyncedSet(session_id="live", sequence=number + 1, server_time=at, fence=1)
    for name, image, world in views:
        member = message.members.add(image_width=640, image_height=480, persons=1)
        member.id.session_id, member.id.camera_id, member.id.sequence = "live", name, number
        member.time.server_time.CopyFrom(at)
        member.traceparent = f"00-{number + 1:032x}-{1:016x}-00"
        member.stamps.captured_monotonic_ns = member.stamps.inferred_monotonic_ns = monotonic_ns()
        member.stamps.pose_host_id = HOST_ID
        pose = member.pose
        pose.image_px.extend(image.ravel().tolist())
        pose.image_normalised.extend(np.column_stack((image / (640, 480), world[:, 2])).ravel().tolist())
        pose.world_m.extend(world.ravel().tolist())
        pose.visibility.extend([0.98] * LANDMARKS)
        pose.presence.extend([0.99] * LANDMARKS)
    message.fused.world_m.extend(views[0][2].ravel().tolist())
    message.fused.confidence.extend([0.98] * LANDMARKS)
    message.stamps.CopyFrom(message.members[0].stamps)
    message.stamps.synced_monotonic_ns, message.stamps.sync_host_id = monotonic_ns(), HOST_ID
    return message.SerializeToString()
