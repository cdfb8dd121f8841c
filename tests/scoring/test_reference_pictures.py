"""Pictures of a reference: which frames, cut how, kept with the version and in its file."""

from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import grpc
import numpy as np
import pytest
import simplejpeg

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.mesh import keys
from services.scoring.errors import BadReferenceFile
from services.scoring.library.interchange import Carried, from_file, to_file
from services.scoring.library.store import KEPT_VERSIONS, ReferenceStore
from services.scoring.library.strip import (
    HEIGHT,
    PICTURES,
    WIDEST,
    Strip,
    box_around,
    key_frames,
    make_strip,
    side_by_side,
    strip_of_file,
)
from services.scoring.reference.building import build_template
from services.scoring.reference.template import Phase
from tests.scoring.mesh import Running, running
from tests.scoring.puppet import squats

SEEN = squats(3)
TEMPLATE = build_template(SEEN, "squat")


def shades(
    frames: int, shape: tuple[int, int] = (480, 640)
) -> dict[int, "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]"]:
    """Grey pictures, each lighter than the one before."""
    return {number: np.full((*shape, 3), 20 * number + 20, dtype=np.uint8) for number in range(frames)}


STRIP = side_by_side(shades(PICTURES), (100, 50, 300, 450))


def test_its_frames_go_from_the_first_to_the_last_of_the_repetition_and_show_the_turn() -> None:
    frames = key_frames(TEMPLATE)
    assert len(frames) == PICTURES
    assert frames == sorted(set(frames))
    assert (frames[0], frames[-1]) == (round(TEMPLATE.frames[0]), round(TEMPLATE.frames[-1]))
    turn = TEMPLATE.frames[TEMPLATE.phases == Phase.TURN]
    assert any(turn[0] - 3 <= frame <= turn[-1] + 3 for frame in frames)


def test_the_pictures_are_the_frames_they_say_of_one_width_and_cut_to_the_person(tmp_path: Path) -> None:
    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), SEEN.fps, (640, 480))
    wanted = key_frames(TEMPLATE)
    for number in range(len(SEEN.times_s)):
        light = 30 + 25 * wanted.index(number) if number in wanted else 0
        writer.write(np.full((480, 640, 3), light, dtype=np.uint8))
    writer.release()
    strip = make_strip(clip, SEEN, TEMPLATE)
    assert strip is not None
    assert strip.frames == tuple(wanted)
    height, width, _, _ = simplejpeg.decode_jpeg_header(strip.jpeg)
    assert height == HEIGHT
    assert width % PICTURES == 0
    each = simplejpeg.decode_jpeg(strip.jpeg).reshape(HEIGHT, PICTURES, width // PICTURES, 3)
    assert each.mean(axis=(0, 2, 3)) == pytest.approx([30 + 25 * n for n in range(PICTURES)], abs=4)
    left, top, right, bottom = box_around(SEEN, wanted)
    assert right - left < bottom - top
    assert str(strip.jpeg[:8]) not in repr(strip)


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 640, 480),
        (10, 200, 630, 260),
        (300, 0, 310, 480),
        (-500, -500, 2000, 2000),
        (900, 900, 950, 990),
        (5, 5, 5, 5),
    ],
)
def test_a_person_of_any_shape_anywhere_gives_pictures_that_can_be_shown(
    box: tuple[float, float, float, float],
) -> None:
    strip = side_by_side(shades(3), box)
    height, width, _, _ = simplejpeg.decode_jpeg_header(strip.jpeg)
    assert height == HEIGHT
    assert width / 3 <= WIDEST * HEIGHT + 2
    assert strip_of_file(strip.jpeg, list(strip.frames)) == strip


def test_pictures_of_noise_are_no_larger_than_may_be_stored() -> None:
    """They took up 1.2 MB, more than an imported file may have of them."""
    luck = np.random.default_rng(0)
    noise = {n: luck.integers(0, 255, (HEIGHT, 432, 3), dtype=np.uint8) for n in range(PICTURES)}
    strip = side_by_side(noise, (0, 0, 432, HEIGHT))
    assert strip_of_file(strip.jpeg, list(strip.frames)) == strip


def test_a_file_takes_the_pictures_along_and_one_of_the_former_form_has_none() -> None:
    again = from_file(to_file(Carried("스쿼트", 1, TEMPLATE, STRIP)))
    assert again.strip == STRIP
    assert from_file(to_file(Carried("스쿼트", 1, TEMPLATE))).strip is None


@pytest.mark.parametrize(
    ("jpeg", "frames"),
    [
        (b"no picture", [1]),
        (STRIP.jpeg, []),
        (STRIP.jpeg, [-1]),
        (STRIP.jpeg, ["1"]),
        (STRIP.jpeg, None),
        (STRIP.jpeg, list(range(100))),
        (STRIP.jpeg[:200], [1]),
        (simplejpeg.encode_jpeg(np.zeros((HEIGHT, 60_000, 3), np.uint8)), [1]),
        (bytes(1 << 20), [1]),
    ],
)
def test_pictures_of_a_made_up_file_are_looked_at_before_anyone_is_shown_them(
    jpeg: bytes, frames: object
) -> None:
    with pytest.raises(BadReferenceFile, match="pictures"):
        strip_of_file(jpeg, frames)


async def pictures(scoring: Running, reference_id: str, version: int = 0) -> pb.GetReferenceStripResponse:
    return await scoring.stub.GetReferenceStrip(
        pb.GetReferenceStripRequest(reference_id=reference_id, version=version)
    )


async def test_pictures_stay_with_their_version_go_with_its_file_and_are_gone_with_the_reference(
    redis_url: str,
) -> None:
    async with running(redis_url) as scoring:
        store = ReferenceStore(scoring.redis)
        first = await store.add(TEMPLATE, "Squat", 1, strip=STRIP)
        second = await store.add(TEMPLATE, "Squat", 2, first.reference_id)
        assert (first.strip_frames, second.strip_frames) == (STRIP.frames, ())
        found = await pictures(scoring, first.reference_id, 1)
        assert (found.jpeg, tuple(found.frames)) == (STRIP.jpeg, STRIP.frames)
        for wanted, version in ((first.reference_id, 0), (first.reference_id, 9), ("nothing", 0)):
            with pytest.raises(grpc.aio.AioRpcError) as missing:
                await pictures(scoring, wanted, version)
            assert missing.value.code() is grpc.StatusCode.NOT_FOUND
        listed = await scoring.stub.ListReferenceVersions(
            pb.ListReferenceVersionsRequest(reference_id=first.reference_id)
        )
        assert [one.strip for one in listed.references] == [False, True]

        async def exported() -> AsyncIterator[pb.ImportReferenceRequest]:
            request = pb.ExportReferenceRequest(reference_id=first.reference_id, version=1)
            async for part in scoring.stub.ExportReference(request):
                yield pb.ImportReferenceRequest(chunk=part.chunk)

        imported = (await scoring.stub.ImportReference(exported())).reference
        assert imported.strip
        assert (await pictures(scoring, imported.reference_id)).jpeg == STRIP.jpeg
        for reference_id in (first.reference_id, imported.reference_id):
            await store.delete(reference_id)
            assert not await scoring.redis.exists(keys.reference(reference_id))


async def test_a_forgotten_version_leaves_nothing_of_itself(redis_url: str) -> None:
    async with running(redis_url) as scoring:
        store = ReferenceStore(scoring.redis)
        strip = Strip(STRIP.jpeg, STRIP.frames)
        reference_id = (await store.add(TEMPLATE, "Squat", 1, strip=strip)).reference_id
        for made_us in range(2, KEPT_VERSIONS + 3):
            await store.add(TEMPLATE, "Squat", made_us, reference_id)
        fields = await scoring.redis.hkeys(keys.reference(reference_id))
        assert not [field for field in fields if field.startswith((b"1:", b"2:"))]
