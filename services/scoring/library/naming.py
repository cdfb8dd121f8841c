"""The names exercises go by: a reference of "squats" is one of `squat`, so that the rules and words of squats hold."""

from __future__ import annotations

from dataclasses import replace

from services.scoring.advice.knowledge import exercise
from services.scoring.reference.template import Template


def exercise_name(given: str) -> str:
    """KOMI's own name of an exercise; one it does not know stays as it is, in lower case."""
    known = exercise(given)
    return known.exercise if known is not None else given.strip().lower()


def under_its_name(template: Template) -> Template:
    """The template of an exercise under KOMI's own name of it."""
    name = exercise_name(template.exercise)
    return template if name == template.exercise else replace(template, exercise=name)
