"""Words that decide whether a model's sentence may be used: parts of the body, directions, what is not ours to say.

Too strict is right here: what is refused is told in the template's words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final


def _either(english: str, korean: str) -> re.Pattern[str]:
    """English words whole; Korean ones anywhere, since particles are glued to them."""
    return re.compile(rf"\b(?:{english})\b|{korean}", re.IGNORECASE)


PARTS: Final[Mapping[str, re.Pattern[str]]] = {
    "knee": _either("knees?", "무릎"),
    "hip": _either("hips?|pelvis|seat|buttocks?|glutes?|bottom", "엉덩이|골반|고관절"),
    "trunk": _either(
        "trunk|torso|chest|spine|waist|upper body|(?:your|straight|flat|lower|upper) back|core|belly|abs|ribs?|navel"
        "|tailbone",
        "상체|몸통|가슴|척추|허리|복부|복근|코어|갈비뼈|배꼽|꼬리뼈|(?<![가-힣])등(?=[을이에의과도 ])|(?<![가-힣])배(?=[를가에의와도 ])",
    ),
    "shoulder": _either("shoulders?|shoulder blades?", "어깨|날개뼈|견갑"),
    "arm": _either("arms?", "(?<![가-힣])(?:두 |양)?팔(?!꿈치)"),
    "elbow": _either("elbows?", "팔꿈치"),
    "hand": _either("hands?|wrists?|palms?|fingers?|fists?", "손"),
    "head": _either(
        "head|neck|chin|eyes?|ears?|face|gaze", "머리|고개|(?<![가-힣])목(?=[을이에의도 ])|턱|시선|얼굴"
    ),
    "leg": _either("legs?|thighs?|calf|calves|shins?|hamstrings?|quads?", "다리|허벅지|종아리|정강이|하체"),
    "foot": _either("foot|feet|heels?|toes?|ankles?|soles?", "발|뒤꿈치"),
}
"""Parts people speak of."""
CALLED: Final[Mapping[str, frozenset[str]]] = {
    "knee": frozenset({"knee", "leg"}),
    "knees": frozenset({"knee", "leg"}),
    "hip": frozenset({"hip"}),
    "trunk": frozenset({"trunk"}),
    "shoulder": frozenset({"shoulder", "arm"}),
    "elbow": frozenset({"elbow", "arm"}),
    "head": frozenset({"head"}),
    "ankle": frozenset({"foot"}),
}
"""What a record's joints may be called."""
SIDES: Final[Mapping[str, re.Pattern[str]]] = {
    "left": _either("left", "왼"),
    "right": _either("right (?:side|leg|arm|knee|hip|foot|hand|elbow|shoulder|heel)", "오른"),
}
OPPOSITES: Final = (
    (
        _either("deeper|lower|down|sink|low", "내려|낮춰|낮추|깊"),
        _either("higher|up|raise|lift|rise|taller|high|shallow(?:er)?", "올려|올리|높|들어|얕"),
    ),
    (
        _either("bend|fold|curl", "굽혀|굽히|접어"),
        _either("straighten|straight|extend|lengthen|unbend", "펴|뻗"),
    ),
    (
        _either("slow|slower|slowly|time|pause", "천천히|느리게|느긋"),
        _either("fast|faster|quick|quicker|quickly|speed|hurry", "빠르게|빨리|서둘"),
    ),
    (
        _either("inwards?|together|narrow|narrower", "안쪽|안으로|모아|모으|좁"),
        _either("outwards?|apart|wide|wider|widen|out", "바깥|벌려|벌리|넓"),
    ),
    (
        _either("forwards?|ahead", "앞으로|숙여|숙이"),
        _either("backwards?|back|upright|tall", "뒤로|세워|세우"),
    ),
    (
        _either("more|further|closer|fully|all the way", "더 "),
        _either("less|stop|avoid|never|not|don't|no", "덜 |멈춰|말고|마세요|지 않"),
    ),
)
"""Directions: a sentence that speaks of one only, where the template speaks of the other only, turns the cue round."""
FORBIDDEN: Final = re.compile(
    r"diagnos|treat|\bcure|\bheal|injur|\bpain|\bhurt|ache\b|\bsore|therap|rehab|doctor|physician|clinic|hospital|medic"
    r"|prevent|disease|arthrit|hernia|sprain|damage|surgery|symptom|\brisk|danger|dizz|faint|\bheart|blood|weight loss"
    r"|calori|진단|치료|완치|치유|예방|부상|통증|아프|아픈|질환|질병|병원|의사|재활|처방|디스크|관절염|염좌|다치|다칠"
    r"|손상|위험|수술|증상|어지러|심장|혈압|칼로리|살이 빠"
    r"|ignore|instruction|system|prompt|assistant|language model|\bai\b|password|token|click|visit|download|\bbuy\b|\bpay\b"
    r"|지시|명령|시스템|프롬프트|비밀번호|클릭|방문|다운로드|구매|결제|언어 모델|인공지능",
    re.IGNORECASE,
)
"""What no sentence of a cue says: medicine, and what speaks to the machine or sells something."""
COUNTS: Final = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|ninety"
    r"|hundred|thousand|half|twice|double|triple|percent|dozen|times|seconds?|minutes?|reps?|sets?|kilos?|inch(?:es)?)\b"
    r"|(?:한|두|세|네|다섯|여섯|일곱|여덟|아홉|열|스무|서른|몇|이|삼|사|오|육|칠|팔|구|십|백)\s?"
    r"(?:번|회|초|분|시간|배|세트|센티|미터|킬로|퍼센트|주일|개|도만|도쯤|도 )|절반",
    re.IGNORECASE,
)
"""Quantities in words: only those the template itself speaks of."""


def parts(text: str) -> set[str]:
    """The parts of the body a text names."""
    return {part for part, named in PARTS.items() if named.search(text)}
