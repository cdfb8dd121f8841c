"""Versions of a reference: listed, switched, followed, forgotten."""

import grpc
import pytest

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.mesh import keys
from services.scoring.judging.calibration import DEEP, defaults
from services.scoring.library.naming import exercise_name, under_its_name
from services.scoring.library.store import KEPT_VERSIONS, ReferenceStore
from services.scoring.reference.building import build_template
from services.scoring.reference.template import to_bytes
from tests.scoring.mesh import running
from tests.scoring.puppet import squats
from tests.scoring.test_service import follow, held
from tests.support.waiting import Eventually


async def test_a_session_that_names_no_version_goes_back_with_its_reference(
    redis_url: str, eventually: Eventually
) -> None:
    async with running(redis_url) as scoring:
        reference_id = await follow(scoring)
        await ReferenceStore(scoring.redis).add(
            build_template(squats(2), "squat"), "Squat", 2, reference_id, videos=2
        )
        await held(scoring, eventually, f"{reference_id}/2")
        listed = await scoring.stub.ListReferenceVersions(
            pb.ListReferenceVersionsRequest(reference_id=reference_id)
        )
        assert [(one.version, one.active, one.videos) for one in listed.references] == [
            (2, True, 2),
            (1, False, 1),
        ]
        assert not listed.references[0].curves

        answer = await scoring.stub.ActivateReference(
            pb.ActivateReferenceRequest(reference_id=reference_id, version=1)
        )
        assert (answer.reference.version, answer.reference.active) == (1, True)
        await held(scoring, eventually, f"{reference_id}/1")
        page = await scoring.stub.ListReferences(pb.ListReferencesRequest())
        assert [one.version for one in page.references] == [1]


async def test_a_reference_goes_by_the_exercise_s_own_name_however_it_is_written(redis_url: str) -> None:
    """Rules of squats (depth, knees) were for "squat" alone, so that a reference of "squats" went without."""
    assert [exercise_name(one) for one in ("Squats", " push-ups", "", "my Move")] == [
        "squat",
        "push_up",
        "",
        "my move",
    ]
    assert defaults(under_its_name(build_template(squats(2), "squats"))).full_range == DEEP["squat"]
    async with running(redis_url) as scoring:
        store = ReferenceStore(scoring.redis)
        stored = await store.add(build_template(squats(2), "squats"), "Squat", 1)
        raw = to_bytes(build_template(squats(2), "air_squat"))
        assert (await store.get(stored.reference_id)).template.exercise == "squat"
        await scoring.redis.hset(keys.reference(stored.reference_id), "1:template", raw)
        assert (await store.get(stored.reference_id)).template.exercise == "squat", "one stored before"


async def test_only_versions_that_exist_are_listed_and_switched_to(redis_url: str) -> None:
    async with running(redis_url) as scoring:
        reference_id = await follow(scoring)
        with pytest.raises(grpc.aio.AioRpcError, match="no reference 'nothing'"):
            await scoring.stub.ListReferenceVersions(pb.ListReferenceVersionsRequest(reference_id="nothing"))
        for wanted, version in (("nothing", 1), (reference_id, 0), (reference_id, 7)):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await scoring.stub.ActivateReference(
                    pb.ActivateReferenceRequest(reference_id=wanted, version=version)
                )
            assert refused.value.code() is grpc.StatusCode.NOT_FOUND
        stored = await ReferenceStore(scoring.redis).get(reference_id)
        assert (stored.version, stored.active) == (1, True)


async def test_old_versions_are_forgotten_but_not_the_one_to_go_back_to(redis_url: str) -> None:
    async with running(redis_url) as scoring:
        store = ReferenceStore(scoring.redis)
        template = build_template(squats(2), "squat")
        reference_id = (await store.add(template, "Squat", 1)).reference_id
        for made_us in range(2, KEPT_VERSIONS + 1):
            await store.add(template, "Squat", made_us, reference_id)
        await store.activate(reference_id, 1)
        newest = KEPT_VERSIONS + 1
        await store.add(template, "Squat", newest, reference_id)
        kept = [one.version for one in await store.versions(reference_id)]
        assert kept == [*range(newest, 2, -1), 1]
        assert [one.active for one in await store.versions(reference_id)].index(True) == 0


async def test_pages_go_on_after_a_reference_that_was_put_back_to_an_old_version(redis_url: str) -> None:
    """The token named the time of the active version, the list is ordered by that of the newest: entries went missing."""
    async with running(redis_url) as scoring:
        store = ReferenceStore(scoring.redis)
        template = build_template(squats(2), "squat")
        first = (await store.add(template, "first", 1)).reference_id
        await store.add(template, "second", 2)
        await store.add(template, "first", 3, first)
        await store.activate(first, 1)
        names = []
        token = ""
        for _ in range(2):
            page = await scoring.stub.ListReferences(pb.ListReferencesRequest(page_size=1, page_token=token))
            names += [one.name for one in page.references]
            token = page.next_page_token
        assert (names, token) == (["first", "second"], "")


async def test_a_reference_deleted_meanwhile_does_not_come_back_with_a_refinement(redis_url: str) -> None:
    async with running(redis_url) as scoring:
        store = ReferenceStore(scoring.redis)
        template = build_template(squats(2), "squat")
        stored = await store.add(template, "Squat", 1)
        await store.delete(stored.reference_id)
        with pytest.raises(Exception, match="no reference"):
            await store.add(template, "Squat", 2, stored.reference_id)
        assert not await store.list(10)
