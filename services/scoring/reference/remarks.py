"""What users should know of a reference, in both languages. Templates keep the codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ONE_REPETITION: Final = "one_repetition"
NO_REPETITION: Final = "no_repetition"
NO_MOVEMENT: Final = "no_movement"
LOW_FRAME_RATE: Final = "low_frame_rate"

_TEXTS: Final = {
    ONE_REPETITION: (
        "반복이 한 번만 있어서 기본 허용 범위를 씁니다.",
        "Only one repetition was found; default tolerances are used.",
    ),
    NO_REPETITION: (
        "시작 자세로 돌아오는 반복이 없어서 움직임 전체를 기준으로 삼습니다.",
        "No repetition that comes back to its start was found; the whole movement is the reference.",
    ),
    NO_MOVEMENT: (
        "영상에 움직임이 없어서 그 자세를 유지하는 것이 기준입니다.",
        "The video shows no movement; its pose is the reference, to be held.",
    ),
    LOW_FRAME_RATE: (
        "영상이 초당 {fps:g}프레임이라 빠른 동작을 놓칠 수 있습니다.",
        "The video has {fps:g} frames a second; quick movements may be missed.",
    ),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to know."""

    code: str
    """Stable. Empty: kept by a version of long ago, and unknown today."""
    text_ko: str
    text_en: str


def remark_of(kept: str, fps: float) -> Remark:
    """A remark that a template of a video of so many frames a second keeps: its code, or an English sentence of long ago."""
    for code, (text_ko, text_en) in _TEXTS.items():
        remark = Remark(code, text_ko.format(fps=fps), text_en.format(fps=fps))
        if kept in (code, remark.text_en):
            return remark
    return Remark("", kept, kept)
