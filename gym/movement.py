"""Movements as data: key poses, the phases between them, and faults with a dial. One YAML file each."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
import yaml

from gym.errors import MovementError, UnknownMovement
from gym.pose import INDEX, PLANTED, STANDING, Anchor, Pose, Support, indices, mirrored, with_values

FOLDER = Path(__file__).with_name("movements")
Phase = Literal["down", "hold", "up", "rest"]
PHASES: tuple[Phase, ...] = get_args(Phase)
Form = Mapping[str, float]  # fault name → dial 0..1
Keys = dict[str, Pose]

_STEP_HEIGHT = 0.055  # of leg: how high a foot is lifted to be set elsewhere
_PLANTED = {side: [INDEX[f"{name}_{side}"] for name in PLANTED] for side in "lr"}
_STILL = 1e-6
_HOP = INDEX["hop"]


@dataclass(frozen=True)
class Fault:
    """What a fault at dial 1 changes: values in key poses, and the tempo's factor."""

    name: str
    title: str
    changes: Mapping[str, Mapping[str, float]]
    tempo: float = 1.0


@dataclass(frozen=True)
class Movement:
    """One exercise. `poses` are good form; `track` names each phase's key poses with their share of it."""

    name: str
    title: str
    support: Support
    anchor: Anchor
    heading: float  # degrees the person is turned from the front camera
    alternate: bool  # odd repetitions are mirrored
    tempo: Mapping[Phase, float]  # seconds
    poses: Mapping[str, Pose]
    track: Mapping[Phase, tuple[tuple[float, str], ...]]
    faults: Mapping[str, Fault]

    def keys(self, form: Form) -> Keys:
        """The key poses with faults mixed in by their dials.

        Raises:
            MovementError: no such fault, or a dial outside 0..1.
        """
        keys = {name: pose.copy() for name, pose in self.poses.items()}
        for name, dial in form.items():
            fault = self._fault(name, dial)
            for pose, values in fault.changes.items():
                wanted = with_values(self.poses[pose], values)
                keys[pose] += dial * (wanted - self.poses[pose])
        return keys

    def pace(self, form: Form) -> float:
        """Factor on the tempo's seconds (below 1 is hurried); rest is not hurried."""
        pace = 1.0
        for name, dial in form.items():
            pace *= 1 + dial * (self._fault(name, dial).tempo - 1)
        return pace

    def _fault(self, name: str, dial: float) -> Fault:
        if name not in self.faults:
            known = ", ".join(self.faults) or "none"
            raise MovementError(f"{self.name} has no fault {name!r}; it has: {known}")
        if not 0 <= dial <= 1:
            raise MovementError(f"fault {name!r} of {self.name}: dial {dial:g} is outside 0..1")
        return self.faults[name]

    def at(self, phase: Phase, share: float, keys: Keys, then: Pose | None = None) -> Pose:
        """The pose a `share` (0..1) of the way through a phase; it ends in `then` instead, if given."""
        track = self.track[phase]
        points = [keys[name] for _, name in track]
        if then is not None:
            points[-1] = then
        return interpolate([at for at, _ in track], points, share)


def interpolate(times: list[float], points: list[Pose], share: float) -> Pose:
    """Through key poses, at rest at both ends; a foot that is set elsewhere is lifted on its way."""
    share = min(max(share, 0.0), 1.0)
    i = 0
    while i < len(times) - 2 and share >= times[i + 1]:
        i += 1
    a, b, width = points[i], points[i + 1], times[i + 1] - times[i]
    u = (share - times[i]) / width
    if len(points) == 2:
        pose = a + (b - a) * minimum_jerk(u)
    else:
        pose = _hermite(a, b, u, _slope(times, points, i) * width, _slope(times, points, i + 1) * width)
    # A key in the air (a hop) is no place to stand: the feet go from the key before to the key after.
    first, last = i, i + 1
    while first > 0 and points[first][_HOP] > 0:
        first -= 1
    while last < len(points) - 1 and points[last][_HOP] > 0:
        last += 1
    u = (share - times[first]) / (times[last] - times[first])
    for side in "lr":
        step_foot(pose, points[first], points[last], u, side)
    return pose


def step_foot(pose: Pose, a: Pose, b: Pose, u: float, side: str) -> None:
    """Move one foot from where `a` has it to where `b` has it: up, over, down."""
    planted = _PLANTED[side]
    far = float(np.abs(b[planted] - a[planted]) @ (0.12, 1 / 60, 1.0))
    if far < _STILL:
        return
    over = minimum_jerk((u - 0.12) / 0.76)
    pose[planted] = a[planted] + (b[planted] - a[planted]) * over
    arc = minimum_jerk(u / 0.4) * minimum_jerk((1 - u) / 0.4)
    pose[INDEX[f"foot_lift_{side}"]] += min(1.0, far / 0.1) * _STEP_HEIGHT * arc


def minimum_jerk(u: float) -> float:
    """Smooth step from 0 to 1 with no velocity or acceleration at its ends (Flash & Hogan 1985)."""
    u = min(max(u, 0.0), 1.0)
    return u * u * u * (10 - 15 * u + 6 * u * u)


def _slope(times: list[float], points: list[Pose], i: int) -> Pose:
    """Of the curve at a key, per unit of time: none at the ends, nor where the direction turns."""
    if i in (0, len(points) - 1):
        return np.zeros_like(points[0])
    before = (points[i] - points[i - 1]) / (times[i] - times[i - 1])
    after = (points[i + 1] - points[i]) / (times[i + 1] - times[i])
    both = before * after
    # Harmonic mean (Fritsch & Butland 1984): monotone between keys, so nothing overshoots.
    return np.where(both > 0, 2 * both / np.where(both > 0, before + after, 1.0), 0.0)


def _hermite(a: Pose, b: Pose, u: float, slope_a: Pose, slope_b: Pose) -> Pose:
    u2, u3 = u * u, u * u * u
    return np.asarray(
        (2 * u3 - 3 * u2 + 1) * a + (u3 - 2 * u2 + u) * slope_a + (3 * u2 - 2 * u3) * b + (u3 - u2) * slope_b
    )


def mirrored_keys(keys: Keys) -> Keys:
    """Left for right in every key pose."""
    return {name: mirrored(pose) for name, pose in keys.items()}


def names() -> tuple[str, ...]:
    """Every movement there is a file for."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


@lru_cache(maxsize=64)
def load(name: str) -> Movement:
    """Read a movement.

    Raises:
        UnknownMovement: there is no file for it.
        MovementError: its file is wrong; says where.
    """
    path = FOLDER / f"{name}.yaml"
    if not path.is_file() or "/" in name:
        raise UnknownMovement(f"no movement {name!r}; there are: {', '.join(names())}")
    return parse(name, cast("dict[str, object]", yaml.safe_load(path.read_text(encoding="utf-8"))))


def parse(name: str, data: Mapping[str, object]) -> Movement:
    """Make a movement of what its file says."""
    try:
        return _parse(name, data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MovementError(f"movement {name!r}: {type(error).__name__}: {error}") from error


def _parse(name: str, data: Mapping[str, object]) -> Movement:
    extra = set(data) - {
        "title",
        "support",
        "anchor",
        "heading",
        "alternate",
        "tempo",
        "poses",
        "phases",
        "faults",
    }
    if extra:
        raise ValueError(f"unknown entries: {', '.join(sorted(extra))}")
    given = cast("dict[str, dict[str, float]]", data["poses"])
    poses = {"start": with_values(STANDING, given["start"])}
    for key, values in given.items():
        # Every other key pose starts from `start`, or from the one it is `like`.
        like = str(values.get("like", "start"))
        own = {name: value for name, value in values.items() if name != "like"}
        poses[key] = with_values(STANDING if key == "start" else poses[like], own)
    faults = {}
    for key, value in cast("dict[str, dict[str, object]]", data.get("faults") or {}).items():
        changes = cast("dict[str, dict[str, float]]", value.get("poses") or {})
        for pose, values in changes.items():
            _ = poses[pose], [indices(v) for v in values]
        faults[key] = Fault(key, str(value["title"]), changes, float(cast(float, value.get("tempo", 1.0))))
    phases = cast("dict[str, list[object]]", data["phases"])
    support, anchor = str(data.get("support", "feet")), str(data.get("anchor", "both"))
    if support not in get_args(Support) or anchor not in get_args(Anchor):
        raise ValueError(f"support {support!r} or anchor {anchor!r} is unknown")
    tempo = cast("dict[str, float]", data["tempo"])
    return Movement(
        name=name,
        title=str(data["title"]),
        support=cast(Support, support),
        anchor=cast(Anchor, anchor),
        heading=float(cast(float, data.get("heading", 0.0))),
        alternate=bool(data.get("alternate", False)),
        tempo={phase: float(tempo[phase]) for phase in PHASES},
        poses=poses,
        track={phase: _track(phases[phase], poses) for phase in PHASES},
        faults=faults,
    )


def _track(entries: list[object], poses: Mapping[str, Pose]) -> tuple[tuple[float, str], ...]:
    """`[start, {stepped: 0.4}, bottom]` → times 0, 0.4, 1."""
    track = []
    for i, entry in enumerate(entries):
        at, name = i / (len(entries) - 1), str(entry)
        if isinstance(entry, dict):
            ((name, at),) = entry.items()
        _ = poses[name]
        track.append((float(at), name))
    return tuple(track)
