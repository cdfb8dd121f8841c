"""What a language model is told of a cue, and nothing else: no name, no picture, no number that was not measured."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Final

from services.scoring.advice.knowledge import Text, canonical, exercise
from services.scoring.live.outcome import Advice

STEP_DEG: Final = 5
"""Degrees are told to the nearest multiple: a camera sees no more, and the same words serve again."""
ANY_EXERCISE: Final = Text("이 동작", "this movement")

INSTRUCTIONS: Final = """\
You word one cue of a fitness coach. You get what was measured and the coach's own sentence. Say the same thing in one \
short, friendly sentence in Korean (polite, ending in 요) and one in English.
Rules:
- Same body part, same direction, same meaning as `cue`. Nothing that is not in the input.
- At most 60 characters each. Plain words, no markup, no emoji, no link, no name.
- A number only if it is `degrees`, written as "15 degrees" and "15도". Better none.
- No medical words: no pain, injury, diagnosis, treatment, prevention.
- If `praise` is true, praise; else say what to do, not what was bad.
Answer with JSON only: {"ko": "…", "en": "…"}"""


@dataclass(frozen=True, slots=True)
class Record:
    """What gave rise to a cue, and the template's words for it."""

    code: str
    """As `Advice.code`."""
    exercise: Text
    """What people call it; a name KOMI does not know is somebody's own text, and is not passed on."""
    joints: tuple[str, ...]
    phase: str
    """out, turn, back; empty: not known."""
    degrees: int | None
    """How far off, to the nearest five; None: it is no angle."""
    praise: bool
    cue: Text
    tip: Text | None

    @property
    def asks(self) -> str:
        """The message to the model."""
        told: dict[str, object] = {
            "exercise": self.exercise.en,
            "exercise_ko": self.exercise.ko,
            "fault": self.code,
            "joints": list(self.joints),
            "phase": self.phase,
            "degrees": self.degrees,
            "praise": self.praise,
            "cue": {"ko": self.cue.ko, "en": self.cue.en},
        }
        if self.tip is not None:
            told["tip"] = {"ko": self.tip.ko, "en": self.tip.en}
        return json.dumps(told, ensure_ascii=False)


def record_of(name: str, advice: Advice) -> Record:
    """Of a cue given in an exercise called `name`."""
    known = exercise(canonical(name))
    off = abs(advice.degrees)
    return Record(
        code=advice.code,
        exercise=known.name if known is not None else ANY_EXERCISE,
        joints=advice.joints,
        phase=advice.phase.name.lower() if advice.phase else "",
        degrees=STEP_DEG * round(off / STEP_DEG) if math.isfinite(off) else None,
        praise=advice.praise,
        cue=Text(advice.text_ko, advice.text_en),
        tip=Text(advice.tip_ko, advice.tip_en) if advice.tip_ko and advice.tip_en else None,
    )
