"""What KOMI knows of exercises."""

from fastapi import APIRouter
from fastapi.responses import Response

from komi.scoring.v1 import scoring_service_pb2 as scoring
from services.gateway.documents.exercises import Exercise, Exercises
from services.gateway.errors import ExerciseNotFound
from services.gateway.gateway import Gateway
from services.gateway.routes.access import TheGateway, problems
from services.gateway.routes.conditional import NOT_MODIFIED, IfNoneMatch, unless_known
from services.gateway.shaping.exercises import exercise

router = APIRouter(prefix="/api/v1/exercises", tags=["exercises"])


@router.get(
    "",
    summary="The exercises KOMI has words for",
    response_model=Exercises,
    responses={**NOT_MODIFIED, **problems(501, 503)},
)
async def list_exercises(gateway: TheGateway, if_none_match: IfNoneMatch = None) -> Response:
    """In the order they are to be shown, in both languages."""
    body = Exercises(exercises=await _known(gateway)).model_dump_json().encode()
    return unless_known(if_none_match, body, "application/json")


@router.get("/{exercise_id:name}", summary="One exercise", responses=problems(404, 501, 503))
async def get_exercise(exercise_id: str, gateway: TheGateway) -> Exercise:
    """By what `exercise` of a reference takes."""
    for known in await _known(gateway):
        if known.exercise == exercise_id:
            return known
    raise ExerciseNotFound(exercise_id)


async def _known(gateway: Gateway) -> list[Exercise]:
    found = await gateway.upstream.ask(
        "scoring", gateway.upstream.scoring.ListExercises, scoring.ListExercisesRequest()
    )
    return [exercise(known) for known in found.exercises]
