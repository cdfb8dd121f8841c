"""References learn from repetitions labelled right or wrong where right ends."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import cache

import grpc
import numpy as np
import pytest

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.mesh import keys
from services.scoring.errors import BadCalibration
from services.scoring.judging.calibration import Calibration
from services.scoring.judging.examples import MOST, Example, calibrated, kept
from services.scoring.library.calibrations import (
    Labels,
    calibration_from_bytes,
    calibration_to_bytes,
    examples_from_bytes,
    examples_to_bytes,
)
from services.scoring.library.interchange import Carried, from_file, to_file
from services.scoring.library.store import ReferenceStore
from services.scoring.library.stored import Learnt
from services.scoring.live.recorded import examples_in
from services.scoring.live.session import SessionScorer
from services.scoring.movement.landmarks import Recording
from services.scoring.reference.building import build_template
from tests.scoring.mesh import running
from tests.scoring.puppet import Posture, recording, sets, squat, squats, waves

TEMPLATE = build_template(squats(3), "a squat of ours")
TIMES, DEPTH = waves(6)


def leaning(lean: float, seed: int) -> Recording:
    """Six squats with the trunk bent so many times as far, seen none too well."""
    noise = np.random.default_rng(seed)
    seen = recording([squat(d, lean=lean) for d in DEPTH], TIMES)
    return replace(seen, world_m=seen.world_m + noise.normal(0.0, 0.01, seen.world_m.shape))


@cache
def lessons() -> tuple[list[Example], list[Example]]:
    """Right and wrong repetitions of two people."""
    right = [
        one for n, who in enumerate("ab") for one in examples_in(leaning(1.0, n), TEMPLATE, who, correct=True)
    ]
    wrong = [
        one
        for n, who in enumerate("ab")
        for one in examples_in(leaning(1.5, 7 + n), TEMPLATE, who, correct=False)
    ]
    return right, wrong


def scores(lean: float, calibration: Calibration | None) -> list[float]:
    scorer = SessionScorer(TEMPLATE, calibration)
    fed = [scorer.feed(one) for one in sets([squat(d, lean=lean) for d in DEPTH], TIMES)]
    return [one.completed.verdict.score for one in fed if one.completed is not None]


def test_the_repetitions_of_a_video_are_found_as_a_session_would_count_them() -> None:
    right, wrong = lessons()
    assert (len(right), len(wrong)) == (12, 12)
    assert Labels.of([*right, *wrong]) == Labels(12, 12, 2)
    arms = recording([Posture(left_arm=150 * d) for d in DEPTH], TIMES)
    assert not examples_in(arms, TEMPLATE, "", correct=True)


def test_labels_move_the_boundary_to_where_they_say() -> None:
    right, wrong = lessons()
    assert calibrated(right[:4], TEMPLATE) is None
    by_right = calibrated(right, TEMPLATE)
    both = calibrated([*right, *wrong], TEMPLATE)
    assert by_right is not None
    assert both is not None
    assert (by_right.source, both.source) == ("correct", "labelled")
    assert min(scores(1.5, None)) > 70, "by default such a lean passes"
    assert min(scores(1.0, both)) > 70 > max(scores(1.5, both))
    assert min(scores(1.0, by_right)) > 70


def test_labels_that_tell_nothing_apart_are_refused() -> None:
    right, _ = lessons()
    mixed = [replace(one, correct=bool(n % 2)) for n, one in enumerate(right)]
    with pytest.raises(BadCalibration, match="do not differ"):
        calibrated(mixed, TEMPLATE)


def test_what_is_kept_of_labelled_repetitions_is_bounded_and_the_newest_stay() -> None:
    right, wrong = lessons()
    many = [replace(right[0], person=str(n)) for n in range(2 * MOST)] + wrong
    chosen = kept(many)
    assert Labels.of(chosen) == Labels(MOST, 12, MOST + 2)
    assert chosen[0].person == str(MOST)


def test_a_calibration_and_its_repetitions_come_back_as_they_were() -> None:
    right, wrong = lessons()
    for examples in (right, [*right, *wrong]):
        fit = calibrated(examples, TEMPLATE)
        assert fit is not None
        again = calibration_from_bytes(calibration_to_bytes(fit), TEMPLATE)
        assert (again.source, again.d70) == (fit.source, fit.d70)
        assert scores(1.5, again) == pytest.approx(scores(1.5, fit), abs=0.1)
        read = examples_from_bytes(examples_to_bytes(examples))
        assert [(one.correct, one.person) for one in read] == [(one.correct, one.person) for one in examples]
        assert read[-1].clip.features == pytest.approx(examples[-1].clip.features, abs=2e-3)
        assert len(examples_to_bytes(examples)) < 15_000 * len(examples)


def test_a_calibration_that_does_not_fit_is_refused_and_says_what_to_do() -> None:
    fit = calibrated(lessons()[0], TEMPLATE)
    assert fit is not None
    data = calibration_to_bytes(fit)
    slow, depth = waves(2, period_s=3.5)
    other = build_template(recording([squat(d) for d in depth], slow))
    with pytest.raises(BadCalibration, match="not for this version of the reference"):
        calibration_from_bytes(data, other)
    assert fit.shift is not None
    nan = replace(fit, shift=fit.shift * np.nan)
    with pytest.raises(BadCalibration, match="no number"):
        calibration_from_bytes(calibration_to_bytes(nan), TEMPLATE)
    for junk in (b"", b"junk", data[: len(data) // 2]):
        with pytest.raises(BadCalibration, match="are no calibration"):
            calibration_from_bytes(junk, TEMPLATE)
    with pytest.raises(BadCalibration, match="cannot be read"):
        examples_from_bytes(b"junk")
    with pytest.raises(BadCalibration, match="do not tell right from wrong"):
        replace(fit, d90=fit.d70)
    file = to_file(Carried("squat", 1, other, None, fit, Labels(12, 0, 2)))
    with pytest.raises(BadCalibration, match="not for this version"):
        from_file(file)


async def test_a_calibrated_reference_goes_out_comes_in_and_falls_back_to_defaults_if_damaged(
    redis_url: str,
) -> None:
    right, wrong = lessons()
    async with running(redis_url) as scoring:
        store = ReferenceStore(scoring.redis)
        learnt = Learnt.of([*right, *wrong], TEMPLATE)
        stored = await store.add(TEMPLATE, "Squat", 1, learnt=learnt)
        assert len(await store.examples(stored)) == 24

        async def exported() -> AsyncIterator[pb.ImportReferenceRequest]:
            request = pb.ExportReferenceRequest(reference_id=stored.reference_id)
            async for part in scoring.stub.ExportReference(request):
                yield pb.ImportReferenceRequest(chunk=part.chunk)

        imported = (await scoring.stub.ImportReference(exported())).reference
        assert imported.calibration == pb.ReferenceCalibration(
            source=pb.CALIBRATION_SOURCE_LABELLED, right=12, wrong=12, people=2
        )
        field = f"{imported.version}:calibration"
        await scoring.redis.hset(keys.reference(imported.reference_id), field, b"damaged")
        again = await scoring.stub.GetReference(pb.GetReferenceRequest(reference_id=imported.reference_id))
        assert again.reference.calibration.source == pb.CALIBRATION_SOURCE_DEFAULTS


async def test_only_what_repeats_can_be_calibrated(redis_url: str) -> None:
    async with running(redis_url) as scoring:
        held = build_template(recording([Posture(left_arm=90)] * 60, np.arange(60) / 30))
        hold = (await ReferenceStore(scoring.redis).add(held, "Hold", 1)).reference_id

        async def asked(reference_id: str) -> AsyncIterator[pb.CalibrateReferenceRequest]:
            yield pb.CalibrateReferenceRequest(config=pb.CalibrationConfig(reference_id=reference_id))

        for reference_id, code in (
            (hold, grpc.StatusCode.FAILED_PRECONDITION),
            ("none", grpc.StatusCode.NOT_FOUND),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                async for _ in scoring.stub.CalibrateReference(asked(reference_id)):
                    pass
            assert refused.value.code() is code
