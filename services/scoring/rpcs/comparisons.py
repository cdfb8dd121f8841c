"""Comparing two videos, or one with a stored reference."""

import asyncio
import math
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.mesh.errors import InvalidInput
from services.scoring import metrics, translate
from services.scoring.library.builder import Analysing, Detecting, workspace
from services.scoring.library.naming import exercise_name
from services.scoring.library.stored import Stored
from services.scoring.live.attempt import Judged, judge_attempt
from services.scoring.movement.features import ANGLES
from services.scoring.movement.landmarks import Floats, Recording
from services.scoring.movement.views import VISIBLE
from services.scoring.reference.building import build_template
from services.scoring.reference.preparation import check
from services.scoring.rpcs.parts import Context, Rpcs

MOST_ERRORS = 5
"""Joint errors told of a frame."""
THOUSANDTHS = 1000
MOST_SHARE = 10 * THOUSANDTHS
"""Nothing lies further outside of the picture than this."""
NOT_SEEN = -32768
"""What stands for both numbers of a landmark that is not seen."""
_Requests = AsyncIterator[pb.CompareVideosRequest]


class ComparisonRpcs(Rpcs):
    """CompareVideos."""

    async def CompareVideos(
        self, request_iterator: _Requests, context: Context
    ) -> AsyncIterator[pb.CompareVideosResponse]:
        with metrics.counted(metrics.COMPARISONS, "compared"):
            async for answer in self._compare(request_iterator):
                yield answer

    async def _compare(self, requests: _Requests) -> AsyncIterator[pb.CompareVideosResponse]:
        config = await _config(requests)
        upload = _Upload(requests, with_sample=not config.reference_id)
        stored: Stored | None = None
        if config.reference_id:
            stored = await self._parts.store.get(config.reference_id, config.reference_version)
        builder = self._parts.builder
        with workspace() as sample_folder, workspace() as attempt_folder:
            yield _progress(pb.COMPARED_VIDEO_SAMPLE if stored is None else pb.COMPARED_VIDEO_ATTEMPT)
            sample_label = config.sample_name or "the sample"
            sample_path: Path | None = None
            if stored is None:
                sample_path = await builder.receive(upload.sample(), Path(sample_folder), label=sample_label)
            attempt_label = config.attempt_name or "the attempt"
            attempt_path = await builder.receive(upload.attempt(), Path(attempt_folder), label=attempt_label)
            template = stored.template if stored is not None else None
            silhouettes = config.silhouettes if template is None else bool(len(template.outlines))
            recording: Recording | None = None
            if sample_path is not None:
                async for step in builder.look_at(sample_path, sample_label, silhouettes=silhouettes):
                    if isinstance(step, Recording):
                        exercise = exercise_name(config.exercise)
                        template = await asyncio.to_thread(build_template, step, exercise)
                    else:
                        yield _progress(pb.COMPARED_VIDEO_SAMPLE, step)
            async for step in builder.look_at(attempt_path, attempt_label, silhouettes=silhouettes):
                if isinstance(step, Recording):
                    recording = step
                    await asyncio.to_thread(check, recording)
                else:
                    yield _progress(pb.COMPARED_VIDEO_ATTEMPT, step)
        assert template is not None  # looking at a video ends so, or raises
        assert recording is not None
        judged = await asyncio.to_thread(
            judge_attempt, recording, template, stored.calibration if stored else None
        )
        shown = stored or Stored("", 0, config.sample_name, 0, template, active=False)
        yield pb.CompareVideosResponse(
            comparison=await asyncio.to_thread(_comparison, judged, recording, shown)
        )


class _Upload:
    """Two files in one stream: the sample's chunks, then the attempt's."""

    def __init__(self, requests: _Requests, *, with_sample: bool) -> None:
        self._requests = requests
        self._with_sample = with_sample
        self._held = b""

    async def sample(self) -> AsyncIterator[bytes]:
        """Chunks up to the first of the attempt, which is held back."""
        async for request in self._requests:
            kind = request.WhichOneof("payload")
            if kind == "attempt_chunk":
                self._held = request.attempt_chunk
                return
            if kind != "sample_chunk":
                raise _out_of_order(kind)
            yield request.sample_chunk

    async def attempt(self) -> AsyncIterator[bytes]:
        """What is left of the stream."""
        if self._held:
            yield self._held
            self._held = b""
        async for request in self._requests:
            kind = request.WhichOneof("payload")
            if kind != "attempt_chunk":
                raise _out_of_order(kind)
            yield request.attempt_chunk


def _out_of_order(kind: str | None) -> InvalidInput:
    return InvalidInput(
        f"{kind or 'an empty message'} came where it does not belong: first the config, then the sample's chunks "
        "(none with a reference_id), then the attempt's",
        reason="OUT_OF_ORDER",
    )


async def _config(requests: _Requests) -> pb.CompareConfig:
    first = await anext(aiter(requests), None)
    if first is None or first.WhichOneof("payload") != "config":
        raise InvalidInput("the first message of CompareVideos must be a config", reason="NO_CONFIG")
    return first.config


def _progress(
    video: pb.ComparedVideo.ValueType, step: Detecting | Analysing | None = None
) -> pb.CompareVideosResponse:
    if step is None:
        progress = pb.BuildProgress(stage=pb.BUILD_STAGE_UPLOADING)
    elif isinstance(step, Analysing):
        progress = pb.BuildProgress(
            stage=pb.BUILD_STAGE_ANALYSING, fraction=1.0, frames_done=step.frames, frames_total=step.frames
        )
    else:
        progress = pb.BuildProgress(
            stage=pb.BUILD_STAGE_DETECTING,
            fraction=min(1.0, step.done / step.total) if step.total else 0.0,
            frames_done=step.done,
            frames_total=step.total,
        )
    return pb.CompareVideosResponse(progress=pb.CompareProgress(video=video, progress=progress))


def _comparison(judged: Judged, recording: Recording, shown: Stored) -> pb.Comparison:
    message = pb.Comparison(
        reference=translate.reference(shown, whole=True),
        attempt_frames=recording.video_frames or len(recording.times_s),
        attempt_fps=recording.fps,
        sub_scores=_mean_parts([translate.sub_scores(verdict) for verdict in judged.verdicts]),
        repetitions=[translate.repetition(done) for done in judged.repetitions],
        curves=[
            pb.ComparedCurve(
                name=angle.name,
                attempt_degrees=judged.attempt_degrees[:, index].tolist(),
                sample_degrees=judged.sample_degrees[:, index].tolist(),
            )
            for index, angle in enumerate(ANGLES)
        ],
        notices=[
            pb.Notice(code=one.code, text_ko=one.text_ko, text_en=one.text_en) for one in judged.notices
        ],
    )
    if math.isfinite(judged.score):
        message.score = judged.score
    cosines = np.array([verdict.cosine for verdict in judged.verdicts])
    if np.isfinite(cosines).any():
        message.cosine = float(np.nanmean(cosines))
    overlaps = [one.silhouette_overlap for one in judged.outcomes if one.silhouette_overlap is not None]
    if overlaps:
        message.silhouette_overlap = float(np.mean(overlaps))
    found, landmarks = recording.found, _landmarks(recording)
    for row, (number, outcome) in enumerate(zip(judged.frame_numbers, judged.outcomes, strict=True)):
        frame = message.frames.add(attempt_frame=number, phase=pb.Phase.ValueType(int(outcome.phase)))
        if landmarks is not None and found[row]:
            frame.landmarks.extend(landmarks[row].tolist())
        if outcome.reference_frame is not None:
            frame.sample_frame = outcome.reference_frame
        if outcome.score is not None and math.isfinite(outcome.score):
            frame.score = outcome.score
        if outcome.silhouette_overlap is not None:
            frame.silhouette_overlap = outcome.silhouette_overlap
        frame.joint_errors.extend(translate.joint_error(one) for one in outcome.joint_errors[:MOST_ERRORS])
    return message


def _landmarks(recording: Recording) -> NDArray[np.int64] | None:
    """(frames, 66) as ComparedFrame.landmarks has them; None: the pictures' size is not known."""
    if not all(recording.picture):
        return None
    shares = (THOUSANDTHS * recording.image_px / recording.picture).round().clip(-MOST_SHARE, MOST_SHARE)
    seen = (np.nan_to_num(recording.visibility) >= VISIBLE)[..., None] & np.isfinite(shares)
    return np.where(seen, shares, NOT_SEEN).astype(np.int64).reshape(len(shares), -1)


def _mean_parts(parts: list[pb.SubScores]) -> pb.SubScores:
    """Each part's mean over the repetitions that know it."""
    means = pb.SubScores()
    for name in ("form", "range", "tempo", "symmetry", "stability"):
        known: Floats = np.array([getattr(one, name) for one in parts if one.HasField(name)])
        if known.size:
            setattr(means, name, float(known.mean()))
    return means
