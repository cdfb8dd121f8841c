"""Scripts: who does what, for how long and in what form. YAML in, frozen dataclasses out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from gym import movement
from gym.errors import GymError, ScriptError
from gym.movement import PHASES, Form, Phase

FOLDER = Path(__file__).with_name("scripts")
WALKS = ("walk_in", "walk_out")
AWAY = "away"
_SETTLE = 1.0  # seconds to take up a movement's first pose
_SETTLE_FLOOR = 2.0  # and to get down to the floor, or up from it


@dataclass(frozen=True)
class Section:
    """One person doing one thing: `repetitions` of a movement, or idling, walking, being away for `seconds`."""

    movement: str
    person: int = 1
    repetitions: int = 0
    seconds: float = 0.0
    form: Form = field(default_factory=dict)
    tempo: Mapping[Phase, float] | None = None
    rest: float = 0.0  # seconds standing about after the last repetition
    position: tuple[float, float] = (0.0, 0.0)  # metres in the room
    heading: float | None = None  # degrees turned from the front camera; unset: the movement's own
    door: tuple[float, float] = (-3.6, 1.6)  # where walking in comes from and walking out leads to


@dataclass(frozen=True)
class Script:
    """Sections one after the other. `variation` scales all noise in the motion: 0 is a machine."""

    sections: tuple[Section, ...]
    title: str = ""
    seed: int = 0
    variation: float = 1.0
    loop: bool = False
    fps: float = 30.0
    size: tuple[int, int] = (640, 480)
    cameras: Mapping[str, str] = field(default_factory=lambda: {"front": "view=front"})
    scene: Mapping[str, str] = field(default_factory=dict)


def settle_seconds(before: Section | None, section: Section) -> float:
    """How long taking up the first pose lasts: nothing when the movement just goes on."""
    if section.movement in (*WALKS, AWAY) or before is None or before.movement == AWAY:
        return 0.0
    if before.movement == section.movement and before.rest == 0:
        return 0.0
    down = section_support(section) != "feet" or section_support(before) != "feet"
    return _SETTLE_FLOOR if down else _SETTLE


def section_support(section: Section) -> str:
    """What the body rests on at the end of a section."""
    if section.movement in (*WALKS, AWAY) or section.rest > 0:
        return "feet"
    return movement.load(section.movement).support


def tempo_of(section: Section) -> dict[Phase, float]:
    """Seconds of each phase, hurried by faults; rest is not."""
    m = movement.load(section.movement)
    tempo = dict(section.tempo or m.tempo)
    pace = m.pace(section.form)
    return {phase: tempo[phase] * (1.0 if phase == "rest" else pace) for phase in PHASES}


def find(name: str) -> Path | None:
    """The file of a shipped script of that name, or a path to one's own."""
    shipped = FOLDER / f"{name}.yaml"
    if shipped.is_file():
        return shipped
    own = Path(name)
    return own if own.suffix in (".yaml", ".yml") and own.is_file() else None


def read(path: Path) -> Script:
    """Read a script file.

    Raises:
        ScriptError: it is no script; says what is wrong.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ScriptError(f"script {path}: {error}") from error
    if not isinstance(data, dict):
        raise ScriptError(f"script {path}: it must be a mapping with `sections`")
    return parse(cast("dict[str, Any]", data), str(path))


def parse(data: dict[str, Any], name: str = "script") -> Script:
    """Make a script of what its file says; each section takes its person and place from the one before."""
    known = set(Script.__dataclass_fields__)
    if extra := set(data) - known:
        raise ScriptError(
            f"{name}: unknown entries {', '.join(sorted(extra))}; known: {', '.join(sorted(known))}"
        )
    sections = []
    carried: dict[str, Any] = {}
    for number, entry in enumerate(data.get("sections") or []):
        where = f"{name}, section {number + 1}"
        if not isinstance(entry, dict) or "movement" not in entry:
            raise ScriptError(f"{where}: needs a `movement`")
        if extra := set(entry) - set(Section.__dataclass_fields__):
            raise ScriptError(f"{where}: unknown entries {', '.join(sorted(extra))}")
        values = {**carried, **entry}
        carried = {k: v for k, v in values.items() if k in ("person", "position", "door")}
        try:
            sections.append(_section(values))
        except (TypeError, ValueError, KeyError) as error:
            raise ScriptError(f"{where}: {error}") from error
    if not sections:
        raise ScriptError(f"{name}: has no sections")
    rest = {k: v for k, v in data.items() if k not in ("sections", "size", "cameras", "scene")}
    for key in ("size",):
        if key in data:
            rest[key] = tuple(int(n) for n in data[key])
    for key in ("cameras", "scene"):
        if key in data:
            rest[key] = {str(k): _query(v) if key == "cameras" else str(v) for k, v in data[key].items()}
    try:
        return Script(sections=tuple(sections), **rest)
    except TypeError as error:
        raise ScriptError(f"{name}: {error}") from error


def _query(value: object) -> str:
    """A camera's settings, written as an address's query or as a mapping."""
    if isinstance(value, dict):
        return "&".join(f"{k}={v}" for k, v in value.items())
    return str(value)


def parse_tempo(values: object) -> dict[Phase, float]:
    """`[down, hold, up, rest]` in seconds, as list or `2,0.5,1.5,1`."""
    parts = values.split(",") if isinstance(values, str) else list(cast("list[object]", values))
    if len(parts) != len(PHASES):
        raise ScriptError(f"tempo {values!r}: give four numbers of seconds: down, hold, up, rest")
    numbers = [float(cast(float, part)) for part in parts]
    if min(numbers) < 0 or min(numbers[0], numbers[2]) < 0.1 or max(numbers) > 120:
        raise ScriptError(f"tempo {values!r}: down and up take at least 0.1 s, nothing more than 120 s")
    return dict(zip(PHASES, numbers, strict=True))


def _section(values: dict[str, Any]) -> Section:
    values = dict(values)
    if "tempo" in values:
        values["tempo"] = parse_tempo(values["tempo"])
    for key in ("position", "door"):
        if key in values:
            x, y = values[key]
            values[key] = (float(x), float(y))
    section = Section(**values)
    if section.movement in (*WALKS, AWAY):
        if section.seconds < (2.0 if section.movement in WALKS else 0.0):
            raise GymError(f"{section.movement} needs `seconds` (walking: at least 2)")
        return section
    movement.load(section.movement).keys(section.form)
    if section.repetitions <= 0 and section.seconds <= 0:
        raise GymError(f"{section.movement} needs `repetitions`, or `seconds` to stand in its first pose")
    return section
