"""Cues as they are given: a fault in words, the praise for having mended it, and both over a restart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from services.scoring.advice.causes import Fault
from services.scoring.advice.phrases import phrases
from services.scoring.advice.tips import tip
from services.scoring.live.outcome import Advice
from services.scoring.reference.template import Phase


def correction(exercise: str, fault: Fault, repetition: int) -> Advice:
    """A fault in words, with a tip against it where there is one. `repetition` 0: of a held pose."""
    phrase = fault.phrase
    further = tip(exercise, fault.part, f"{phrase.ko} {phrase.en}")
    return Advice(
        code=phrase.code,
        text_ko=phrase.ko,
        text_en=phrase.en,
        praise=False,
        joints=fault.joints,
        repetition=repetition,
        tip_ko=further.ko if further is not None else "",
        tip_en=further.en if further is not None else "",
        degrees=fault.degrees,
        phase=fault.phase,
    )


def praise(mended: Advice, repetition: int) -> Advice:
    """For what stood and is gone."""
    phrase = phrases()[mended.code]
    return Advice(
        code=phrase.code,
        text_ko=phrase.praise_ko,
        text_en=phrase.praise_en,
        praise=True,
        joints=mended.joints,
        repetition=repetition,
        phase=mended.phase,
    )


def kept(advice: Advice | None) -> dict[str, Any] | None:
    """As plain JSON values."""
    if advice is None:
        return None
    degrees = advice.degrees if math.isfinite(advice.degrees) else None
    return {**asdict(advice), "joints": list(advice.joints), "degrees": degrees, "phase": int(advice.phase)}


def taken_up(state: Mapping[str, Any] | None) -> Advice | None:
    """What `kept` kept; None where its words are no more."""
    if state is None or state.get("code") not in phrases():
        return None
    degrees = math.nan if state["degrees"] is None else float(state["degrees"])
    told = {**state, "joints": tuple(state["joints"]), "degrees": degrees, "phase": Phase(state["phase"])}
    return Advice(**told)
