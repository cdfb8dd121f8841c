"""Outlines of people: brought to one size, kept with a reference, laid over it while somebody moves."""

import zlib
from dataclasses import replace

import cv2
import numpy as np
import pytest
import redis.asyncio
from numpy.typing import NDArray

from services.mesh import keys
from services.mesh.cameras import SILHOUETTES_S, CameraRegister
from services.scoring.library.stored import Stored
from services.scoring.live.outcome import Outcome
from services.scoring.live.session import Rules, SessionScorer
from services.scoring.movement.landmarks import Landmark as Mark
from services.scoring.movement.landmarks import Mask, Recording, SyncedViews, View
from services.scoring.movement.outline import (
    SIDE,
    cells,
    hips_and_trunk,
    outline_of,
    overlap,
    packed,
    unpacked,
)
from services.scoring.reference.building import build_template
from services.scoring.reference.template import Template, from_bytes, to_bytes
from services.scoring.sessions.scribe import Scribe
from services.scoring.sessions.silhouettes import LASTS_S, RENEW_S, Silhouettes
from tests.scoring.mesh import synced_set
from tests.scoring.puppet import Posture, recording, squat, view, waves

LIMBS = (
    (Mark.LEFT_SHOULDER, Mark.RIGHT_SHOULDER, Mark.RIGHT_HIP, Mark.LEFT_HIP, Mark.LEFT_SHOULDER),
    (Mark.LEFT_SHOULDER, Mark.LEFT_ELBOW, Mark.LEFT_WRIST),
    (Mark.RIGHT_SHOULDER, Mark.RIGHT_ELBOW, Mark.RIGHT_WRIST),
    (Mark.LEFT_HIP, Mark.LEFT_KNEE, Mark.LEFT_ANKLE, Mark.LEFT_FOOT_INDEX),
    (Mark.RIGHT_HIP, Mark.RIGHT_KNEE, Mark.RIGHT_ANKLE, Mark.RIGHT_FOOT_INDEX),
)
WIDTH, HEIGHT = 640, 480


def mask_of(image_px: NDArray[np.float64], shrink: int = 2) -> Mask:
    """What pose would give for a person of round limbs."""
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    trunk = float(hips_and_trunk(image_px)[1])
    for limb in LIMBS:
        points = [image_px[list(limb)].round().astype(np.int32)]
        cv2.polylines(picture, points, False, (1,), max(2, round(0.24 * trunk)))
    inside = picture[::shrink, ::shrink] > 0
    data = zlib.compress(np.packbits(inside, axis=1).tobytes(), 1)
    return Mask(inside.shape[1], inside.shape[0], WIDTH, HEIGHT, data)


def with_masks(seen: Recording) -> Recording:
    return replace(seen, masks=tuple(mask_of(points) for points in seen.image_px))


def reference(postures: list[Posture], times: NDArray[np.float64], heading_deg: float = 90.0) -> Template:
    return build_template(with_masks(recording(postures, times, heading_deg=heading_deg)), "squat")


def masked(one: View, scale: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)) -> View:
    """The view of somebody who stands elsewhere, with their mask."""
    image = (one.image_px - (320.0, 230.0)) * scale + (320.0, 230.0) + np.array(shift)
    return replace(one, image_px=image, mask=mask_of(image))


def feed(template: Template, views: list[View], times: NDArray[np.float64]) -> list[Outcome]:
    scorer = SessionScorer(template)
    return [scorer.feed(SyncedViews(float(t), (one,))) for t, one in zip(times, views, strict=True)]


def overlaps(outcomes: list[Outcome]) -> list[float]:
    return [one.silhouette_overlap for one in outcomes if one.silhouette_overlap is not None]


TIMES, DEPTH = waves(2)
SQUATS = [squat(d) for d in DEPTH]


def test_where_somebody_stands_and_how_near_they_are_does_not_matter_but_what_they_do_does() -> None:
    grids = []
    for scale, shift in ((1.0, (0.0, 0.0)), (0.6, (130.0, -40.0)), (1.1, (-60.0, 10.0))):
        here = masked(view(squat(0.7), 90.0), scale, shift)
        hips, trunk = hips_and_trunk(here.image_px)
        assert here.mask is not None
        outline = outline_of(here.mask, hips, float(trunk))
        assert outline is not None
        grids.append(outline)
    first = grids[0]
    assert cells(packed(first.person)).tolist() == first.person.tolist()
    assert overlap(first, first.person) == 1.0
    assert all(overlap(other, first.person) > 0.8 for other in grids[1:])
    standing = masked(view(squat(0.0), 90.0))
    hips, trunk = hips_and_trunk(standing.image_px)
    assert standing.mask is not None
    upright = outline_of(standing.mask, hips, float(trunk))
    assert upright is not None
    assert overlap(upright, first.person) < 0.6


@pytest.mark.parametrize(
    "broken",
    [
        Mask(320, 240, 640, 480, b"no zlib"),
        Mask(320, 240, 640, 480, zlib.compress(b"too short")),
        Mask(320, 240, 0, 480, zlib.compress(bytes(9600))),
        Mask(1 << 20, 1 << 20, 640, 480, zlib.compress(bytes(9600))),
    ],
)
def test_a_broken_mask_is_no_mask(broken: Mask) -> None:
    assert unpacked(broken) is None
    assert outline_of(broken, np.array([320.0, 240.0]), 90.0) is None


def test_a_mask_that_swells_is_never_unpacked_further_than_it_may_be() -> None:
    swollen = Mask(64, 8, 640, 480, zlib.compress(bytes(1 << 24)))
    found = unpacked(swollen)
    assert found is not None
    assert found.shape == (8, 64)


def test_a_person_half_outside_of_the_picture_is_not_judged_by_the_rest() -> None:
    here = masked(view(squat(0.0), 90.0), 1.0, (318.0, 0.0))
    hips, trunk = hips_and_trunk(here.image_px)
    assert here.mask is not None
    cut = outline_of(here.mask, hips, float(trunk))
    whole = reference(SQUATS, TIMES).outlines
    assert cut is not None
    assert np.isnan(overlap(cut, cells(whole[0])))


def test_a_reference_keeps_outlines_only_where_there_are_masks() -> None:
    template = reference(SQUATS, TIMES)
    assert template.outlines.shape == (len(template.features), SIDE * SIDE // 8)
    assert template.outlines.any(axis=1).all()
    assert len(to_bytes(template)) < 100_000
    assert from_bytes(to_bytes(template)).outlines.tolist() == template.outlines.tolist()
    assert not len(build_template(recording(SQUATS, TIMES)).outlines)
    held = reference([Posture(left_arm=90, right_arm=90)] * 60, np.arange(60) / 30, 0.0)
    assert held.outlines.any(axis=1).all()


def test_the_same_movement_covers_the_reference_and_another_does_not() -> None:
    template = reference(SQUATS, TIMES)
    alike = feed(template, [masked(view(one, 90.0), 0.8, (40.0, 20.0)) for one in SQUATS], TIMES)
    shallow = feed(template, [masked(view(squat(0.6 * d, arms=90), 90.0)) for d in DEPTH], TIMES)
    assert np.mean(overlaps(alike)) > 0.75 > np.mean(overlaps(shallow))
    done = [one.completed for one in alike if one.completed is not None]
    assert [one.silhouette_overlap is not None and one.silhouette_overlap > 0.7 for one in done] == [True] * 2
    assert all(not one.silhouette_overlap for one in alike if one.reference_frame is None)


def test_nothing_is_said_from_another_side_or_without_masks_on_both_sides() -> None:
    template = reference(SQUATS, TIMES)
    assert not overlaps(feed(template, [masked(view(one, 30.0)) for one in SQUATS], TIMES))
    assert not overlaps(feed(template, [view(one, 90.0) for one in SQUATS], TIMES))
    bare = build_template(recording(SQUATS, TIMES), "squat")
    assert not overlaps(feed(bare, [masked(view(one, 90.0)) for one in SQUATS], TIMES))


def test_cameras_are_asked_for_outlines_where_they_see_what_the_reference_shows() -> None:
    def seen(template: Template | None, heading_deg: float, asked: bool | None) -> set[str]:
        stored = Stored("r-1", 1, "Squat", 0, template) if template is not None else None
        scribe = Scribe(stored, Rules())
        looks = [
            SyncedViews(float(t), (view(one, heading_deg),)) for t, one in zip(TIMES, SQUATS, strict=True)
        ]
        scribe.write([synced_set(one, number).SerializeToString() for number, one in enumerate(looks[:20])])
        found = scribe.outline_cameras(asked)
        assert scribe.outline_cameras(True) == set(), "only those that saw somebody since"
        return found

    camera = view(SQUATS[0], 90.0).camera_id
    template = reference(SQUATS, TIMES)
    assert seen(template, 90.0, None) == {camera}
    assert seen(template, 30.0, None) == set()
    assert seen(template, 30.0, True) == {camera}
    assert seen(template, 90.0, False) == set()
    assert seen(build_template(recording(SQUATS, TIMES), "squat"), 90.0, None) == set()
    assert (seen(None, 90.0, None), seen(None, 90.0, True)) == (set(), {camera})


async def test_a_camera_is_asked_again_in_time_and_a_while_longer_than_it_is_of_use(redis_url: str) -> None:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        silhouettes = Silhouettes(CameraRegister(client))

        async def asked(of_use: list[str], now_s: float) -> bool:
            """Whether it is asked at that moment; what was asked before has run out."""
            await client.delete(keys.camera_silhouettes("문/door"))
            await silhouettes.ask(of_use, now_s)
            return bool(await client.exists(keys.camera_silhouettes("문/door")))

        assert await asked(["문/door"], 100.0)
        assert 0 < await client.ttl(keys.camera_silhouettes("문/door")) <= SILHOUETTES_S
        assert not await asked(["문/door"], 100.5), "not at every look"
        assert await asked([], 100.0 + RENEW_S)
        assert await asked([], 100.5 + LASTS_S)
        assert not await asked([], 101.0 + LASTS_S)
        assert await asked(["문/door"], 200.0)
        await silhouettes.stop()
        assert not await client.exists(keys.camera_silhouettes("문/door"))
        assert not await asked([], 200.0 + RENEW_S)


def test_a_held_pose_is_covered_too() -> None:
    pose = Posture(left_arm=90, right_arm=90)
    times = np.arange(90) / 30
    template = reference([pose] * 90, times, 0.0)
    assert np.mean(overlaps(feed(template, [masked(view(pose, 0.0))] * 90, times))) > 0.9


def test_who_takes_the_movement_for_a_mirror_is_laid_over_its_mirror_image() -> None:
    raised = [Posture(left_arm=150 * d) for d in DEPTH]
    template = reference(raised, TIMES, 0.0)
    other = feed(template, [masked(view(Posture(right_arm=150 * d), 0.0)) for d in DEPTH], TIMES)
    assert sum(one.completed is not None for one in other) == 2
    done = [one.completed.silhouette_overlap for one in other if one.completed is not None]
    assert done[-1] is not None
    assert done[-1] > 0.75
