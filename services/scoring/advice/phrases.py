"""The texts of cues, from `cues.json`, looked up from the most to the least particular key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Phrase:
    """One cue in both languages, and the praise for having mended it."""

    code: str
    """exercise.part.direction.phase; `any` stands for every exercise or phase."""
    ko: str
    en: str
    praise_ko: str
    praise_en: str


@cache
def phrases() -> dict[str, Phrase]:
    """All phrases by code."""
    entries = json.loads(Path(__file__).with_name("cues.json").read_text(encoding="utf-8"))
    return {
        code: Phrase(code, *(entry[k] for k in ("ko", "en", "praise_ko", "praise_en")))
        for code, entry in entries.items()
    }


def find(exercise: str, part: str, direction: str, phase: str) -> Phrase | None:
    """The most particular phrase there is: this exercise before any, this phase before any."""
    known = phrases()
    for place in (exercise, "any"):
        for when in (phase, "any"):
            phrase = known.get(f"{place}.{part}.{direction}.{when}")
            if phrase is not None:
                return phrase
    return None
