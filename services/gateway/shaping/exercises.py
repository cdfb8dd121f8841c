"""Exercises as documents of the REST API."""

from komi.scoring.v1 import scoring_service_pb2 as scoring
from services.gateway.documents import exercises as documents
from services.gateway.shaping import references


def exercise(known: scoring.Exercise) -> documents.Exercise:
    """What KOMI knows of an exercise."""
    return documents.Exercise(
        exercise=known.exercise,
        kind=references.kind(known.kind),
        name=_text(known.name),
        summary=_text(known.summary),
        steps=[_text(step) for step in known.steps],
        mistakes=[_text(mistake) for mistake in known.mistakes],
        safety=[_text(warning) for warning in known.safety],
        camera=_text(known.camera),
    )


def _text(text: scoring.BilingualText) -> documents.Text:
    return documents.Text(ko=text.ko, en=text.en)
