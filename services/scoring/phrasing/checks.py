"""Whether what a model answers may be said: two plain sentences, about what was measured and nothing else."""

from __future__ import annotations

import re
from typing import Final

import orjson

from services.scoring.advice.knowledge import Text
from services.scoring.advice.tips import words
from services.scoring.phrasing.lexicon import CALLED, COUNTS, FORBIDDEN, OPPOSITES, SIDES, parts
from services.scoring.phrasing.record import Record

SHORTEST: Final = 6
LONGEST: Final = 90
"""Characters of a sentence: it is read from three metres away, or listened to while moving."""
LONGEST_ANSWER: Final = 20_000
"""Characters of an answer that are looked at: some models think aloud before they answer."""
_PLAIN: Final = {
    "ko": re.compile(r"[가-힣0-9 .,!?~'’°]+"),
    "en": re.compile(r"[A-Za-z0-9 .,!?'’°-]+"),
}
_POLITE: Final = re.compile(r"(?:요|니다)[.!~]?$")
_ADDRESS: Final = re.compile(r"[.,!?][^\s.,!?]|www", re.IGNORECASE)
"""A dot within a word: of an address, or of a number with decimals."""
_NUMBER: Final = re.compile(r"\d+")
_DEGREES: Final = re.compile(r"(?<![\d.])(\d+)\s?(?:°|도|degrees?\b)")
_OBJECT: Final = re.compile(r"\{[^{}]*\}")


class Refused(ValueError):
    """An answer that may not be said; the message is a short name of why, for counting."""


def read(answer: str, record: Record) -> Text:
    """The sentences in a model's answer, if they may be said. Raises Refused."""
    text = _sentences(answer[:LONGEST_ANSWER])
    check(text, record)
    return text


def check(text: Text, record: Record) -> None:
    """Raises Refused unless both sentences say what the record's cue says."""
    given = f"{record.cue.ko} {record.cue.en}" + (f" {record.tip.ko} {record.tip.en}" if record.tip else "")
    for language, sentence, cue in (("ko", text.ko, record.cue.ko), ("en", text.en, record.cue.en)):
        tip = "" if record.tip is None else record.tip.ko if language == "ko" else record.tip.en
        _check_form(language, sentence)
        _check_content(sentence, record, given)
        _check_meaning(sentence, cue, f"{cue} {tip}")


def _check_form(language: str, sentence: str) -> None:
    if not SHORTEST <= len(sentence) <= LONGEST:
        raise Refused("length")
    if not _PLAIN[language].fullmatch(sentence):
        raise Refused("language_or_markup")
    if language == "ko" and not _POLITE.search(sentence):
        raise Refused("impolite")
    if _ADDRESS.search(sentence):
        raise Refused("address_or_decimals")


def _check_content(sentence: str, record: Record, given: str) -> None:
    """`given`: all that the template and its tip say."""
    if FORBIDDEN.search(sentence):
        raise Refused("forbidden")
    measured = set() if record.degrees is None else {str(record.degrees)}
    if set(_NUMBER.findall(sentence)) - measured or len(_NUMBER.findall(sentence)) != len(
        _DEGREES.findall(sentence)
    ):
        raise Refused("number")
    if any(found.group().lower() not in given.lower() for found in COUNTS.finditer(sentence)):
        raise Refused("number")
    joints = [joint.removeprefix("left_").removeprefix("right_") for joint in record.joints]
    known = parts(given).union(*(CALLED.get(joint, frozenset()) for joint in joints))
    if parts(sentence) - known:
        raise Refused("body_part")
    wrong = {side for side in SIDES if any(joint.startswith(f"{side}_") for joint in record.joints)}
    for side, named in SIDES.items():
        if named.search(sentence) and wrong != {side} and not named.search(given):
            raise Refused("side")


def _check_meaning(sentence: str, cue: str, given: str) -> None:
    """`cue`: the template's sentence in the same language; `given`: with its tip."""
    for one, other in OPPOSITES:
        for said, meant in ((one, other), (other, one)):
            turned = said.search(sentence) and not meant.search(sentence)
            if turned and meant.search(cue) and not said.search(given):
                raise Refused("opposite")
    if not set(words(sentence)) & set(words(given)):
        raise Refused("off_topic")


def _sentences(answer: str) -> Text:
    """The last JSON object of an answer that holds both languages: models like to talk around it."""
    for found in reversed(_OBJECT.findall(answer)):
        try:
            value = orjson.loads(found)
        except ValueError:
            continue
        ko, en = value.get("ko"), value.get("en")
        if isinstance(ko, str) and isinstance(en, str):
            return Text(ko.strip(), en.strip())
    raise Refused("no_sentences")
