"""What KOMI knows of exercises."""

from services.gateway.documents.base import Document, example


class Text(Document):
    """A text in both languages."""

    ko: str
    en: str


class Exercise(Document):
    """An exercise, in words."""

    model_config = example(
        exercise="squat", kind="repetitions", name={"ko": "스쿼트", "en": "Squat"},
        summary={"ko": "앉았다 일어섭니다.", "en": "Sit down and stand up again."},
        steps=[{"ko": "발을 어깨너비로 벌립니다.", "en": "Stand with your feet shoulder-width apart."}],
        mistakes=[{"ko": "무릎이 안으로 모입니다.", "en": "The knees fall inwards."}],
        safety=[{"ko": "통증이 있으면 멈추세요.", "en": "Stop when it hurts."}],
        camera={"ko": "옆에서 2.5 m 떨어진 곳.", "en": "From the side, 2.5 m away."},
    )  # fmt: skip

    exercise: str
    """What `exercise` of a reference takes."""
    kind: str
    """repetitions or hold."""
    name: Text
    summary: Text
    steps: list[Text]
    mistakes: list[Text]
    safety: list[Text]
    camera: Text
    """Where the camera should stand."""


class Exercises(Document):
    """The exercises, in the order they are to be shown."""

    exercises: list[Exercise]
