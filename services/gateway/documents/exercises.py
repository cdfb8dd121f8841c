"""What KOMI knows of exercises."""

from services.gateway.documents.base import Document


class Text(Document):
    """A text in both languages."""

    ko: str
    en: str


class Exercise(Document):
    """An exercise, in words."""

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
