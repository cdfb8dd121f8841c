"""Landmarks that are missing, no numbers or impossible, and videos that show nothing of use."""

import math
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

from komi.common.v1 import pose_pb2
from komi.scoring.v1 import scoring_service_pb2 as pb
from komi.sync.v1 import sync_service_pb2
from services.scoring.errors import ReferenceUnusable
from services.scoring.live.session import SessionScorer
from services.scoring.movement.landmarks import Landmark, SyncedViews, View
from services.scoring.reference.building import build_template
from services.scoring.reference.template import from_bytes, to_bytes
from services.scoring.translate import score_update, synced_views
from tests.scoring.mesh import synced_set
from tests.scoring.puppet import sets, squat, squats, waves
from tests.scoring.test_service import requests, with_pose

TEMPLATE = build_template(squats(3), "squat")
TIMES, DEPTH = waves(6)
SQUATS = sets([squat(d) for d in DEPTH], TIMES)
Spoil = Callable[[View, np.random.Generator], View]


def some_unknown(seen: View, luck: np.random.Generator) -> View:
    gone = luck.random(33) < 0.3
    return replace(
        seen,
        world_m=np.where(gone[:, None], np.nan, seen.world_m),
        image_px=np.where(gone[:, None], np.nan, seen.image_px),
    )


def all_unknown(seen: View, luck: np.random.Generator) -> View:
    return replace(seen, world_m=np.full((33, 3), np.nan), image_px=np.full((33, 2), np.nan))


def infinite(seen: View, luck: np.random.Generator) -> View:
    return replace(seen, world_m=np.where(luck.random((33, 3)) < 0.1, np.inf, seen.world_m))


def at_one_point(seen: View, luck: np.random.Generator) -> View:
    return replace(seen, world_m=np.zeros((33, 3)), image_px=np.zeros((33, 2)))


def far_away(seen: View, luck: np.random.Generator) -> View:
    return replace(seen, world_m=luck.normal(0, 1e30, (33, 3)), image_px=luck.normal(0, 1e30, (33, 2)))


def doubtful(seen: View, luck: np.random.Generator) -> View:
    return replace(seen, visibility=luck.choice([np.nan, -5.0, 0.0, 7.0], 33))


SPOILT: list[Spoil] = [some_unknown, all_unknown, infinite, at_one_point, far_away, doubtful]


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_spoilt_stretch_breaks_nothing_and_counting_goes_on_after_it(spoil: Spoil) -> None:
    """Of six squats the frames of the second and third are spoilt."""
    luck = np.random.default_rng(3)
    scorer = SessionScorer(TEMPLATE)
    counted = []
    for number, one in enumerate(SQUATS, start=1):
        bad = 4.4 < one.time_s < 11.4
        shown = SyncedViews(one.time_s, tuple(spoil(v, luck) for v in one.views)) if bad else one
        outcome = scorer.feed(shown)
        update = score_update(synced_set(shown, number), outcome, None)
        values = [update.confidence, update.score, *(error.degrees for error in update.joint_errors)]
        assert all(math.isfinite(value) for value in values)
        if outcome.completed is not None:
            counted.append(outcome.completed)
    assert [one.verdict.score > 85 for one in counted if one.start_s > 11.4] == [True] * 3
    assert all(math.isfinite(one.verdict.score) for one in counted)


def test_a_joint_nobody_sees_is_unknown_and_never_wrong() -> None:
    scorer = SessionScorer(TEMPLATE)
    told = set()
    for one in SQUATS:
        (seen,) = one.views
        visibility = seen.visibility.copy()
        visibility[[Landmark.LEFT_ELBOW, Landmark.LEFT_WRIST]] = 0.1
        world = seen.world_m.copy()
        world[Landmark.LEFT_WRIST] += 0.4
        hidden = replace(seen, visibility=visibility, world_m=world)
        outcome = scorer.feed(SyncedViews(one.time_s, (hidden,)))
        told |= {error.joint for error in outcome.joint_errors}
    assert scorer.repetitions == 6
    assert not told & {"left_elbow", "left_wrist"}


def test_lists_of_the_wrong_length_are_as_good_as_missing() -> None:
    message = sync_service_pb2.SyncedSet()
    for world, image, visibility in (([], [], []), ([1.0] * 98, [1.0] * 4, [0.5] * 40), ([1.0] * 99, [], [])):
        member = message.members.add()
        member.pose.CopyFrom(pose_pb2.Pose(world_m=world, image_px=image, visibility=visibility))
    outcome = SessionScorer(TEMPLATE).feed(synced_views(message))
    assert not outcome.joint_errors


@pytest.mark.parametrize("spoil", SPOILT)
@pytest.mark.parametrize("share", [0.1, 1.0])
def test_a_video_of_spoilt_landmarks_is_refused_or_becomes_a_whole_template(
    spoil: Spoil, share: float
) -> None:
    luck = np.random.default_rng(5)
    seen = squats(3)
    for row in np.flatnonzero(luck.random(len(seen.times_s)) < share):
        bad = spoil(seen.view(int(row)), luck)
        seen.world_m[row], seen.image_px[row], seen.visibility[row] = (
            bad.world_m,
            bad.image_px,
            bad.visibility,
        )
    try:
        template = build_template(seen, "squat")
    except ReferenceUnusable:
        return
    assert from_bytes(to_bytes(template)).kind is template.kind


def clip(path: Path, pictures: list[NDArray[np.uint8]], fps: float) -> bytes:
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (width, height))
    for one in pictures:
        writer.write(one)
    writer.release()
    return path.read_bytes()


async def test_videos_that_show_nothing_of_use_are_refused_by_name_and_leave_nothing(
    redis_url: str, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = cv2.VideoCapture(str(shared_data / "tfjs-pose-squats" / "pose_squats.mp4"))
    people = [np.asarray(capture.read()[1], dtype=np.uint8) for _ in range(16)]
    capture.release()
    small = [np.ascontiguousarray(one[::2, ::2]) for one in people]
    dark = [np.zeros_like(small[0])] * 20
    cases = {
        "REFERENCE_NOBODY_FOUND": clip(tmp_path / "dark.avi", dark, 10.0),
        "REFERENCE_TOO_SHORT": clip(tmp_path / "short.avi", small[:3], 10.0),
        "REFERENCE_UPSIDE_DOWN": clip(tmp_path / "turned.avi", [one[::-1].copy() for one in small], 5.0),
    }
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    async with with_pose(redis_url) as scoring:
        for reason, data in cases.items():
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                async for _ in scoring.stub.BuildReference(requests(data)):
                    pass
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT, reason
            trailing = refused.value.trailing_metadata() or ()
            assert any(isinstance(told, bytes) and reason.encode() in told for _, told in trailing)
        assert not (await scoring.stub.ListReferences(pb.ListReferencesRequest())).references
        assert not await scoring.redis.keys("komi:reference:*")
        assert not list(folder.iterdir())
