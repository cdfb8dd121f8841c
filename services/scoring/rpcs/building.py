"""Building a reference from an uploaded video."""

from collections.abc import AsyncIterator
from pathlib import Path

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.mesh.errors import InvalidInput
from services.scoring import metrics, translate
from services.scoring.library.builder import Analysing, Detecting, Order, workspace
from services.scoring.library.calibrating import Lesson
from services.scoring.library.naming import exercise_name
from services.scoring.library.stored import Stored
from services.scoring.rpcs.parts import Context, Rpcs

LONGEST_NAME = 100


class BuildingRpcs(Rpcs):
    """BuildReference, CalibrateReference."""

    async def BuildReference(
        self, request_iterator: AsyncIterator[pb.BuildReferenceRequest], context: Context
    ) -> AsyncIterator[pb.BuildReferenceResponse]:
        with metrics.counted(metrics.REFERENCES, "built"):
            order = await _order(request_iterator)
            yield pb.BuildReferenceResponse(progress=_progress(pb.BUILD_STAGE_UPLOADING))
            with workspace() as folder:
                chunks = _chunks(request_iterator)
                path = await self._parts.builder.receive(
                    chunks, Path(folder), order.size_bytes, order.file_name
                )
                async for step in self._parts.builder.build(order, path):
                    yield _built(step)

    async def CalibrateReference(
        self, request_iterator: AsyncIterator[pb.CalibrateReferenceRequest], context: Context
    ) -> AsyncIterator[pb.CalibrateReferenceResponse]:
        with metrics.counted(metrics.REFERENCES, "calibrated"):
            first = await anext(aiter(request_iterator), None)
            if first is None or first.WhichOneof("payload") != "config":
                raise _no_config("CalibrateReference")
            config = first.config
            lesson = Lesson(
                reference_id=config.reference_id,
                version=config.version,
                correct=config.correct,
                person=config.person.strip()[:LONGEST_NAME],
                file_name=config.file_name,
            )
            await self._parts.calibrator.pupil(lesson)
            yield pb.CalibrateReferenceResponse(progress=_progress(pb.BUILD_STAGE_UPLOADING))
            with workspace() as folder:
                path = await self._parts.builder.receive(
                    _chunks(request_iterator), Path(folder), config.size_bytes, config.file_name
                )
                async for step in self._parts.calibrator.learn(lesson, path):
                    if isinstance(step, Stored):
                        made = translate.reference(step, whole=True)
                        yield pb.CalibrateReferenceResponse(reference=made)
                    else:
                        yield pb.CalibrateReferenceResponse(progress=_how_far(step))


async def _order(requests: AsyncIterator[pb.BuildReferenceRequest]) -> Order:
    first = await anext(aiter(requests), None)
    if first is None or first.WhichOneof("payload") != "config":
        raise _no_config("BuildReference")
    config = first.config
    name = config.name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidInput(
            f"a reference needs a name of 1 to {LONGEST_NAME} printable characters", reason="BAD_NAME"
        )
    return Order(
        name=name,
        exercise=exercise_name(config.exercise),
        reference_id=config.reference_id,
        file_name=config.file_name,
        size_bytes=config.size_bytes,
        silhouettes=config.silhouettes,
    )


def _no_config(call: str) -> InvalidInput:
    return InvalidInput(
        f"the first message of {call} must be a config, then the video in chunks", reason="NO_CONFIG"
    )


async def _chunks(
    requests: AsyncIterator[pb.BuildReferenceRequest] | AsyncIterator[pb.CalibrateReferenceRequest],
) -> AsyncIterator[bytes]:
    async for request in requests:
        if request.WhichOneof("payload") != "chunk":
            raise InvalidInput(
                "only the first message may be a config; chunks follow", reason="SECOND_CONFIG"
            )
        yield request.chunk


def _built(step: Detecting | Analysing | Stored) -> pb.BuildReferenceResponse:
    if isinstance(step, Stored):
        return pb.BuildReferenceResponse(reference=translate.reference(step, whole=True))
    return pb.BuildReferenceResponse(progress=_how_far(step))


def _how_far(step: Detecting | Analysing) -> pb.BuildProgress:
    if isinstance(step, Analysing):
        return _progress(pb.BUILD_STAGE_ANALYSING, step.frames, step.frames)
    return _progress(pb.BUILD_STAGE_DETECTING, step.done, step.total)


def _progress(stage: pb.BuildStage.ValueType, done: int = 0, total: int = 0) -> pb.BuildProgress:
    return pb.BuildProgress(
        stage=stage,
        fraction=min(1.0, done / total) if total else 0.0,
        frames_done=done,
        frames_total=total,
    )
