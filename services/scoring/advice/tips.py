"""Further tips, found by what was wrong: BM25 (Robertson & Zaragoza 2009) over the tips of `exercises/`.

Both languages of a tip are one document and are searched at once. Korean glues its particles to the word, so it is
compared by pairs of syllables (무릎이 and 무릎을 share 무릎); English by words without their endings.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Final

from services.scoring.advice.knowledge import Text, exercise, general_tips

K1: Final = 1.2
"""How soon a word that comes again stops counting."""
B: Final = 0.5
"""How much a long text is held against it: tips are of one length nearly."""
ENOUGH: Final = 3.0
"""A text that fits less is not to the point: no tip is better than a wrong one."""
_PARTS: Final = {
    "knee": "무릎 knee",
    "knees": "무릎이 안으로 모이면 knees fall inwards",
    "hip": "엉덩이 골반 hips",
    "trunk": "상체 몸통 trunk chest lean",
    "shoulder": "팔을 arms",
    "elbow": "팔꿈치 elbow",
    "head": "고개 head",
    "tempo": "속도 pace count",
}
"""What tips call the parts that cues are about."""
_WORD: Final = re.compile(r"[가-힣]+|[a-z]+")
_ENDING: Final = re.compile(r"(?<=[a-z]{3})(?:ing|ed|s)$")
_EMPTY: Final = frozenset(
    re.findall(
        r"\S+",
        "a an and as at be do for from go if in is it its little more not of on one or so than that the them then they"
        " to will with you your 보세 세요 해요 어요 아요 조금 하면 면서",
    )
)
"""What says nothing of a fault."""


def words(text: str) -> list[str]:
    """What a text is found by: pairs of Korean syllables, English words without their endings."""
    found: list[str] = []
    for word in _WORD.findall(text.lower()):
        if word[0] < "가":
            found.append(_ENDING.sub("", word))
        else:
            found += [word[at : at + 2] for at in range(max(1, len(word) - 1))]
    return [word for word in found if word not in _EMPTY]


class Index:
    """Texts that can be asked for what fits best."""

    def __init__(self, texts: Sequence[Text]) -> None:
        self._texts = tuple(texts)
        self._counts = [Counter(words(f"{text.ko} {text.en}")) for text in self._texts]
        self._mean = sum(count.total() for count in self._counts) / max(1, len(self._counts))
        self._holding = Counter(word for count in self._counts for word in count)

    def best(self, query: str) -> Text | None:
        """The text that fits best, the first of equals; None: none is to the point."""
        asked = set(words(query))
        scores = [self._score(asked, count) for count in self._counts]
        top = max(scores, default=0.0)
        return self._texts[scores.index(top)] if top >= ENOUGH else None

    def _score(self, asked: set[str], count: Counter[str]) -> float:
        length = 1.0 - B + B * count.total() / self._mean
        return sum(
            self._rarity(word) * count[word] * (K1 + 1.0) / (count[word] + K1 * length)
            for word in sorted(asked & count.keys())
        )

    def _rarity(self, word: str) -> float:
        holding = self._holding[word]
        return math.log1p((len(self._texts) - holding + 0.5) / (holding + 0.5))


@cache
def _own(name: str) -> Index:
    known = exercise(name)
    return Index(known.tips if known is not None else ())


@cache
def _general() -> Index:
    return Index(general_tips())


def tip(name: str, part: str, fault: str) -> Text | None:
    """A tip against a fault of `part` (knee, trunk, …) told in words of either language; None: there is none.

    Those for the exercise come before those for any.
    """
    query = f"{_PARTS.get(part, '')} {fault}"
    return _own(name).best(query) or _general().best(query)
