"""What KOMI knows of exercises."""

import asyncio

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.scoring.advice.knowledge import Exercise, Text, exercises
from services.scoring.rpcs.parts import Context, Rpcs


class ExerciseRpcs(Rpcs):
    """ListExercises."""

    async def ListExercises(
        self, request: pb.ListExercisesRequest, context: Context
    ) -> pb.ListExercisesResponse:
        # The files are read at the first call, then kept.
        known = await asyncio.to_thread(exercises)
        return pb.ListExercisesResponse(exercises=[_exercise(one) for one in known])


def _exercise(known: Exercise) -> pb.Exercise:
    return pb.Exercise(
        exercise=known.exercise,
        name=_text(known.name),
        kind=pb.ReferenceKind.ValueType(int(known.kind)),
        summary=_text(known.summary),
        steps=[_text(one) for one in known.steps],
        mistakes=[_text(one) for one in known.mistakes],
        safety=[_text(one) for one in known.safety],
        camera=_text(known.camera),
    )


def _text(text: Text) -> pb.BilingualText:
    return pb.BilingualText(ko=text.ko, en=text.en)
