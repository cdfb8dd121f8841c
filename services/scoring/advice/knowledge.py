"""What KOMI knows of exercises: how they are done, what goes wrong, where the camera stands. Data in `exercises/`.

`exercises()` lists them in the order they are to be shown, `exercise("squat")` finds one by any of its names, and
`canonical("curl")` says which name KOMI's rules and cues go by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from services.scoring.reference.template import Kind

FOLDER: Final = Path(__file__).with_name("exercises")
ANY: Final = "any"
"""Stands for every exercise."""


class BadData(ValueError):
    """A data file is not as it should be."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages."""

    ko: str
    en: str


@dataclass(frozen=True, slots=True)
class Exercise:
    """What is known of an exercise."""

    exercise: str
    """squat, lunge, …: as references name it."""
    name: Text
    kind: Kind
    summary: Text
    """What it is and what it trains."""
    steps: tuple[Text, ...]
    mistakes: tuple[Text, ...]
    """What goes wrong, and how to mend it."""
    safety: tuple[Text, ...]
    """When not to do it, and when to stop."""
    camera: Text
    """Where the camera should stand."""
    tips: tuple[Text, ...]
    """Further advice, found by what was wrong; see `tips.py`."""
    order: int
    """Place in lists."""
    also: tuple[str, ...]
    """Other names references give it."""


@cache
def exercises() -> tuple[Exercise, ...]:
    """Every exercise there is a file for, in the order they are to be shown. Raises BadData."""
    found = [read(path) for path in sorted(FOLDER.glob("*.yaml")) if path.stem != ANY]
    return tuple(sorted(found, key=lambda one: (one.order, one.exercise)))


@cache
def _by_name() -> Mapping[str, Exercise]:
    return {name: one for one in exercises() for name in (one.exercise, *one.also)}


def exercise(name: str) -> Exercise | None:
    """The exercise a reference names; None: KOMI knows nothing of it."""
    return _by_name().get(_written(name))


def canonical(name: str) -> str:
    """The name KOMI's rules, cues and texts go by; one it does not know stays as it is, an empty one is `any`."""
    known = exercise(name)
    return known.exercise if known is not None else _written(name) or ANY


@cache
def general_tips() -> tuple[Text, ...]:
    """Tips for any exercise."""
    path = FOLDER / f"{ANY}.yaml"
    return texts(_mapping(path).get("tips", []), f"{path.name}, tips")


def read(path: Path) -> Exercise:
    """One exercise's file. Raises BadData."""
    data = _mapping(path)
    wanted = {"name", "kind", "order", "summary", "steps", "mistakes", "safety", "camera"}
    if missing := wanted - set(data):
        raise BadData(f"{path.name} lacks {', '.join(sorted(missing))}")
    if extra := set(data) - wanted - {"also", "tips"}:
        raise BadData(f"{path.name} has unknown entries: {', '.join(sorted(extra))}")
    if data["kind"] not in ("repetitions", "hold"):
        raise BadData(f"{path.name}: kind {data['kind']!r} is neither repetitions nor hold")

    def many(key: str) -> tuple[Text, ...]:
        return texts(data.get(key, []), f"{path.name}, {key}")

    return Exercise(
        exercise=path.stem,
        name=text(data["name"], f"{path.name}, name"),
        kind=Kind[str(data["kind"]).upper()],
        summary=text(data["summary"], f"{path.name}, summary"),
        steps=many("steps"),
        mistakes=many("mistakes"),
        safety=many("safety"),
        camera=text(data["camera"], f"{path.name}, camera"),
        tips=many("tips"),
        order=int(data["order"]),
        also=tuple(str(name) for name in data.get("also", [])),
    )


def texts(values: object, where: str) -> tuple[Text, ...]:
    """A list of texts. Raises BadData naming `where`."""
    if not isinstance(values, list):
        raise BadData(f"{where} is no list")
    return tuple(text(value, f"{where} {number}") for number, value in enumerate(values, 1))


def text(value: object, where: str) -> Text:
    """A text in both languages. Raises BadData naming `where`."""
    if not isinstance(value, dict) or set(value) != {"ko", "en"}:
        raise BadData(f"{where} is not a text with ko and en")
    ko, en = (str(value[language]).strip() for language in ("ko", "en"))
    if not ko or not en:
        raise BadData(f"{where} is empty in one language")
    return Text(ko, en)


def _mapping(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise BadData(f"{path.name} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise BadData(f"{path.name} is no mapping")
    return data


def _written(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")
