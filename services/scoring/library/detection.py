"""Passes a sample video through the pose service in lossless mode and collects its landmarks."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import grpc
import numpy as np

from komi.common.v1 import pose_pb2, stream_pb2
from komi.pose.v1 import pose_service_pb2, pose_service_pb2_grpc
from services.mesh.errors import KomiError, Unavailable
from services.mesh.times import to_duration
from services.scoring.library.video import SampleFrame, SampleVideo
from services.scoring.movement.landmarks import LANDMARKS, Recording
from services.scoring.translate import mask_of, world_and_image

PoseCall = grpc.aio.StreamStreamCall[
    pose_service_pb2.StreamPosesRequest, pose_service_pb2.StreamPosesResponse
]
Progress = Callable[[int, int], None]
"""Told the frames done and the frames there are (0: unknown)."""
PERSONS_LOOKED_FOR = 2
ANSWER_S = 30.0
"""The pose service answers a frame within this, however busy it is."""


@dataclass(frozen=True, slots=True)
class _Found:
    number: int
    time_s: float
    pose: pose_pb2.PoseFrame


async def detect(
    pose: pose_service_pb2_grpc.PoseServiceAsyncStub,
    video: SampleVideo,
    progress: Progress,
    *,
    silhouettes: bool = False,
) -> Recording:
    """Landmarks of every frame looked at, and masks if `silhouettes`. Raises Unavailable if the pose service cannot be reached or goes away."""
    call = pose.StreamPoses()
    try:
        found = await _converse(call, video, progress, silhouettes)
    except (grpc.aio.AioRpcError, TimeoutError) as error:
        said = (
            error.details()
            if isinstance(error, grpc.aio.AioRpcError)
            else f"no answer within {ANSWER_S:.0f} s"
        )
        raise Unavailable(
            f"the pose service could not look at the video ({said}); try again in a moment",
            reason="POSE_UNAVAILABLE",
            retry_after_s=2.0,
        ) from error
    finally:
        call.cancel()
    return _recording(found, video)


async def _converse(
    call: PoseCall, video: SampleVideo, progress: Progress, silhouettes: bool
) -> list[_Found]:
    config = pose_service_pb2.StreamConfig(
        camera_id=f"reference-{secrets.token_hex(6)}",
        mode=pose_service_pb2.STREAM_MODE_LOSSLESS,
        return_poses=True,
        segmentation=silhouettes,
        max_persons=PERSONS_LOOKED_FOR,
        instance_id=secrets.token_hex(8),
        fps=video.fps / video.step,
    )
    await call.write(pose_service_pb2.StreamPosesRequest(config=config))
    ready = await _read(call)
    if ready is None:
        raise Unavailable(
            "the pose service closed the stream; try again in a moment", reason="POSE_UNAVAILABLE"
        )
    credit = asyncio.Semaphore(ready.ready.credit)
    sent: dict[int, SampleFrame] = {}
    sender = asyncio.create_task(_send(call, video, credit, sent))
    found: list[_Found] = []
    try:
        while True:
            response = await _read(call)
            if response is None:
                break
            kind = response.WhichOneof("payload")
            if kind == "credit":
                for _ in range(response.credit.frames):
                    credit.release()
            elif kind == "pose":
                frame = sent.pop(response.pose.id.sequence)
                found.append(_Found(frame.number, frame.time_s, response.pose))
                progress(frame.number + 1, video.frames)
            elif kind == "failed":
                sent.pop(response.failed.sequence, None)
            elif kind == "end":
                if response.end.reason != stream_pb2.STREAM_END_REASON_COMPLETE:
                    # What is found so far is not the whole video.
                    raise Unavailable(
                        f"the pose service could not look at the whole video ({response.end.message}); try again",
                        reason="POSE_UNAVAILABLE",
                        retry_after_s=2.0,
                    )
                break
            if sender.done() and sender.exception() is not None:
                break
    finally:
        sender.cancel()
        # What it met when the stream was over already is no news.
        await asyncio.gather(sender, return_exceptions=True)
    if not sender.cancelled():
        sender.result()
    return found


async def _read(call: PoseCall) -> pose_service_pb2.StreamPosesResponse | None:
    """The next answer; None at the end of the stream."""
    async with asyncio.timeout(ANSWER_S):
        response = await call.read()
    return response if isinstance(response, pose_service_pb2.StreamPosesResponse) else None


async def _send(
    call: PoseCall,
    video: SampleVideo,
    credit: asyncio.Semaphore,
    sent: dict[int, SampleFrame],
) -> None:
    sequence = 0
    try:
        async for frame in _frames(video):
            await credit.acquire()
            sent[sequence] = SampleFrame(frame.number, frame.time_s, b"")
            message = pose_service_pb2.Frame(
                sequence=sequence, jpeg=frame.jpeg, media_time=to_duration(round(frame.time_s * 1e6))
            )
            await call.write(pose_service_pb2.StreamPosesRequest(frame=message))
            sequence += 1
    except KomiError:  # the video ends badly: pose ends the stream, and nobody waits for more answers
        await call.done_writing()
        raise
    await call.done_writing()


async def _frames(video: SampleVideo) -> AsyncIterator[SampleFrame]:
    """Decodes in a thread, one frame ahead of nobody: the sender's credit bounds it."""
    frames = video.read()
    while True:
        decoding = asyncio.ensure_future(asyncio.to_thread(next, frames, None))
        try:
            frame = await asyncio.shield(decoding)
        except asyncio.CancelledError:
            await asyncio.gather(
                decoding, return_exceptions=True
            )  # the file must not be closed under the thread that reads it
            raise
        if frame is None:
            return
        yield frame


def _recording(found: list[_Found], video: SampleVideo) -> Recording:
    image = np.full((len(found), LANDMARKS, 2), np.nan)
    world = np.full((len(found), LANDMARKS, 3), np.nan)
    visibility = np.zeros((len(found), LANDMARKS))
    for row, one in enumerate(found):
        if one.pose.HasField("pose"):
            world[row], image[row], visibility[row] = world_and_image(one.pose.pose)
    masks = tuple(mask_of(one.pose) for one in found)
    return Recording(
        times_s=np.array([one.time_s for one in found]),
        image_px=image,
        world_m=world,
        visibility=visibility,
        fps=video.fps,
        persons=np.array([one.pose.persons for one in found], dtype=np.int64),
        frame_numbers=np.array([one.number for one in found], dtype=np.int64),
        video_frames=video.frames,
        masks=masks if any(mask is not None for mask in masks) else (),
        picture=(found[0].pose.image_width, found[0].pose.image_height) if found else (0, 0),
    )
