"""What the services count: the first video of an exercise becomes the reference, and every video is judged against it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import grpc

from bench.eval_video.labels import Label
from komi.scoring.v1 import scoring_service_pb2 as pb

if TYPE_CHECKING:
    from komi.scoring.v1.scoring_service_pb2_grpc import ScoringServiceAsyncStub

CHUNK: Final = 1 << 20
Said = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Counted:
    """What came of one video."""

    label: Label
    counted: int | None
    """None: it could not be judged."""
    score: float | None
    own: bool
    """Judged against a reference made of itself, as the first video of its exercise is."""
    problem: str
    """Why it could not be judged; empty: it was."""


async def count(
    stub: ScoringServiceAsyncStub, folder: Path, labels: list[Label], said: Said = print
) -> list[Counted]:
    """Every video in turn. One that cannot be judged is told and left; the first good one serves as reference."""
    references: dict[str, str] = {}
    found = []
    for label in labels:
        own = label.exercise not in references
        try:
            if own:
                references[label.exercise] = await _reference(stub, folder, label)
            comparison = await _compared(stub, folder, label, references[label.exercise])
        except (OSError, grpc.aio.AioRpcError) as error:
            problem = (
                (error.details() or error.code().name) if isinstance(error, grpc.RpcError) else str(error)
            )
            found.append(Counted(label, None, None, own, str(problem)))
        else:
            score = comparison.score if comparison.HasField("score") else None
            found.append(Counted(label, len(comparison.repetitions), score, own, ""))
        said(_told(found[-1]))
    return found


async def _reference(stub: ScoringServiceAsyncStub, folder: Path, label: Label) -> str:
    async def requests() -> AsyncIterator[pb.BuildReferenceRequest]:
        config = pb.ReferenceConfig(name=label.file[:100], exercise=label.exercise, file_name=label.file)
        yield pb.BuildReferenceRequest(config=config)
        for chunk in _chunks(data):
            yield pb.BuildReferenceRequest(chunk=chunk)

    data = (folder / label.file).read_bytes()
    answers = [answer async for answer in stub.BuildReference(requests())]
    return answers[-1].reference.reference_id


async def _compared(
    stub: ScoringServiceAsyncStub, folder: Path, label: Label, reference_id: str
) -> pb.Comparison:
    async def requests() -> AsyncIterator[pb.CompareVideosRequest]:
        config = pb.CompareConfig(reference_id=reference_id, attempt_name=label.file)
        yield pb.CompareVideosRequest(config=config)
        for chunk in _chunks(data):
            yield pb.CompareVideosRequest(attempt_chunk=chunk)

    data = (folder / label.file).read_bytes()
    answers = [answer async for answer in stub.CompareVideos(requests())]
    return answers[-1].comparison


def _chunks(data: bytes) -> list[bytes]:
    return [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]


def _told(one: Counted) -> str:
    if one.counted is None:
        return f"{one.label.file}: {one.problem}"
    return f"{one.label.file}: {one.counted} of {one.label.repetitions}"
