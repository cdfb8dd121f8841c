"""Reports: their figures against what is known of them, and through the real worker on a real Redis."""

import math
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace

import grpc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.mesh import keys
from services.mesh.redis import RedisClient
from services.mesh.sessions import SessionConfig, SessionState, SessionStore
from services.scoring.judging.score import Verdict
from services.scoring.library.store import ReferenceStore
from services.scoring.library.stored import Stored
from services.scoring.live.outcome import Advice, CompletedRepetition, Outcome, State
from services.scoring.movement.joints import JointError
from services.scoring.reference.building import build_template
from services.scoring.reference.template import Phase
from services.scoring.reports import messages
from services.scoring.reports.kept import KeptReport, ReportChange
from services.scoring.reports.performance import STILL_S, Performance
from services.scoring.reports.recorder import Recorder
from services.scoring.reports.store import MOST_REPORTS
from services.scoring.reports.timeline import MOST_POINTS, Point, Timeline
from services.scoring.reports.trend import Effort, fatigue, trend
from services.scoring.sessions.ledger import Batch, Ledger, Note
from tests.scoring.mesh import START_US, Running, publish, running
from tests.scoring.puppet import sets, squat, squats, waves
from tests.support.waiting import Eventually

quick = settings(max_examples=60, deadline=None, derandomize=True)
START_S = START_US / 1e6


# ---------------------------------------------------------------- where it is going
@quick
@given(
    slope=st.floats(-20, 20),
    count=st.integers(4, 60) | st.integers(195, 260),
    outliers=st.lists(st.tuples(st.integers(0, 259), st.floats(0, 100)), max_size=50),
)
def test_the_trend_is_the_slope_of_the_line_whatever_a_fifth_of_the_scores_are(
    slope: float, count: int, outliers: list[tuple[int, float]]
) -> None:
    scores = 50.0 + slope * np.arange(count)
    for where, value in outliers[: count // 5]:
        scores[where % count] = value
    assert trend(scores.tolist()) == pytest.approx(slope, abs=1e-6)


@quick
@given(st.lists(st.floats(0, 100) | st.just(math.nan), min_size=4, max_size=40))
def test_the_trend_is_the_median_slope_where_some_repetitions_have_no_score(scores: list[float]) -> None:
    slopes = _slopes(scores)
    if len(slopes) < 6:
        assert math.isnan(trend(scores))
    else:
        # What was not scored is a repetition all the same.
        assert trend(scores) == pytest.approx(float(np.median(slopes)), abs=1e-9)


def _slopes(scores: list[float]) -> list[float]:
    known = [(i, value) for i, value in enumerate(scores) if not math.isnan(value)]
    return [(b - a) / (j - i) for n, (i, a) in enumerate(known) for j, b in known[n + 1 :]]


def test_three_scores_make_no_trend_and_five_repetitions_no_fatigue() -> None:
    assert math.isnan(trend([80.0, math.nan, 70.0, 60.0]))
    assert math.isnan(fatigue([Effort(80.0, 1.0, 2.0)] * 5))


@quick
@given(
    count=st.integers(6, 40),
    kept=st.floats(0.0, 1.0),
    what=st.sampled_from(["score", "range_of_motion", "seconds"]),
)
def test_fatigue_is_the_share_that_the_last_third_has_lost(count: int, kept: float, what: str) -> None:
    fresh = Effort(90.0, 1.0, 2.0)
    kept = max(kept, 0.05)
    lost = {"score": 90.0 * kept, "range_of_motion": kept, "seconds": 2.0 / kept}[what]
    third = count // 3
    tired = [fresh] * (count - third) + [replace(fresh, **{what: lost})] * third
    assert fatigue(tired) == pytest.approx(1.0 - kept)
    assert fatigue(tired[::-1]) == 0.0
    assert fatigue([fresh] * count) == 0.0


@quick
@given(
    st.lists(
        st.builds(
            Effort,
            st.floats(0, 100) | st.just(math.nan),
            st.floats(0, 3) | st.just(math.nan),
            st.floats(0, 60),
        ),
        min_size=6,
        max_size=30,
    )
)
def test_fatigue_is_a_share_whatever_happens(efforts: list[Effort]) -> None:
    assert 0.0 <= fatigue(efforts) <= 1.0


# ---------------------------------------------------------------- the course
@quick
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.03, 0.5, 7.0, 300.0]),
            st.sampled_from(list(State)),
            st.none() | st.floats(0, 100),
        ),
        max_size=60,
    )
)
def test_a_timeline_keeps_every_second_in_at_most_720_points_of_equal_length(
    frames: list[tuple[float, State, float | None]],
) -> None:
    timeline, written = Timeline(), list[Point]()
    now = spent = scored = 0.0
    for seconds, state, score in frames:
        now, spent = now + seconds, spent + seconds
        scored += seconds * score if score is not None else 0.0
        fresh, anew = timeline.add(now, seconds, state, score)
        written = ([] if anew else written) + (timeline.points[-fresh:] if fresh else [])
        assert len(timeline.whole()) <= MOST_POINTS
        assert (len(timeline.whole()) - 1) * timeline.step_s <= now < len(timeline.whole()) * timeline.step_s
    # What is handed out to be written is all there is, at any time.
    assert written == timeline.points
    assert sum(sum(point.seconds) for point in timeline.whole()) == pytest.approx(spent)
    assert sum(point.score_s for point in timeline.whole()) == pytest.approx(scored)


# ---------------------------------------------------------------- a performance
def outcomes(
    repetitions: int, *, start_s: float = START_S, first: int = 1, cue: Advice | None = None
) -> Iterator[Outcome]:
    """Ten frames a second: a second of standing, then two of movement for each repetition and half a second's rest."""
    standing = Outcome(start_s, State.READY, Phase.READY, 0.0, 1.0, None, (), 0, None, None, None)
    frame = 0
    for _ in range(10):
        frame += 1
        yield replace(standing, time_s=start_s + frame / 10)
    for number in range(first, first + repetitions):
        began_s = start_s + frame / 10
        for step in range(25):
            frame += 1
            done = None
            if step == 20:
                done = repetition(number, began_s, start_s + frame / 10)
            yield replace(
                standing,
                time_s=start_s + frame / 10,
                state=State.TRACKING if step < 20 else State.READY,
                score=90.0 - number,
                completed=done,
                advice=replace(cue, repetition=number) if cue is not None and step >= 20 else None,
            )


def repetition(number: int, start_s: float, end_s: float) -> CompletedRepetition:
    score = 90.0 - number
    verdict = Verdict(score, 0.1, score, score, 80.0, math.nan, 70.0, 0.99, 1.0, 0.8, 0.2, 0.8)
    errors = (JointError("left_knee", -12.0, 1.5), JointError("trunk", 4.0, 0.4))
    return CompletedRepetition(number, start_s, end_s, verdict, errors, Phase.OUT)


CUE = Advice("squat.depth.low.turn", "더 앉으세요", "Go deeper", False, ("left_knee",), 0)


@pytest.fixture(scope="module")
def reference() -> Stored:
    return Stored("ref-1", 2, "Squat", 1, build_template(squats(2), "squat"))


class Shelf:
    """What Redis would hold of a session's reports."""

    def __init__(self) -> None:
        self.reports: dict[str, KeptReport] = {}

    def write(self, changes: list[ReportChange]) -> None:
        for one in changes:
            before = self.reports.get(one.report_id) or KeptReport(one.report_id, "live", b"", b"")
            self.reports[one.report_id] = KeptReport(
                one.report_id,
                "live",
                one.about,
                one.state,
                ([] if one.anew else before.points) + one.points,
                before.repetitions + one.repetitions,
                before.cues + one.cues,
            )

    def whole(self) -> list[pb.Report]:
        return [messages.report(kept, goes_on=False, whole=True) for kept in self.reports.values()]


def test_a_report_tells_what_was_done(reference: Stored) -> None:
    recorder, shelf = Recorder(reference), Shelf()
    for outcome in outcomes(8, cue=CUE):
        recorder.feed(outcome)
    shelf.write(recorder.changes())
    (report,) = shelf.whole()
    assert (report.reference_name, report.reference_version, report.exercise) == ("Squat", 2, "squat")
    assert report.repetition_count == 8
    assert [done.number for done in report.repetitions] == list(range(1, 9))
    assert report.mean_score == pytest.approx(85.5)
    assert report.best_score == pytest.approx(89.0)
    assert report.trend == pytest.approx(-1.0)
    assert 0.0 < report.fatigue < 0.1
    assert report.active_duration.ToSeconds() == pytest.approx(8 * 2.0, abs=1.5)
    assert report.sub_scores.tempo == pytest.approx(80.0)
    assert not report.sub_scores.HasField("symmetry")
    (worst,) = report.top_errors
    assert (worst.joint, worst.phase, worst.degrees, worst.repetitions) == (
        "left_knee",
        pb.PHASE_OUT,
        -12.0,
        8,
    )
    assert [cue.advice.repetition for cue in report.cues] == list(range(1, 9))
    assert {point.state for point in report.timeline} <= {pb.TRACKING_STATE_TRACKING, pb.TRACKING_STATE_READY}
    lasted_s = (report.end_time.ToMicroseconds() - report.start_time.ToMicroseconds()) / 1e6
    assert len(report.timeline) == math.floor(lasted_s) + 1
    assert all(70 < point.score < 90 for point in report.timeline[2:-1])


@settings(max_examples=20, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(12, 130), max_size=4))
def test_successors_write_the_report_that_one_scorer_would_have_written(
    reference: Stored, cuts: list[int]
) -> None:
    whole, pieces = Shelf(), Shelf()
    one = Recorder(reference)
    other = Recorder(reference)
    for number, outcome in enumerate(outcomes(5, cue=CUE)):
        one.feed(outcome)
        other.feed(outcome)
        if number in cuts:
            pieces.write(other.changes())
            current = pieces.reports.get(other.report_id)
            if current is not None:
                other = Recorder(reference)
                other.resume(current)
    whole.write(one.changes())
    pieces.write(other.changes())
    (expected,), (got,) = whole.whole(), pieces.whole()
    assert [done.number for done in got.repetitions] == [done.number for done in expected.repetitions]
    assert [cue.advice.repetition for cue in got.cues] == [cue.advice.repetition for cue in expected.cues]
    assert (got.start_time, got.end_time, got.active_duration) == (
        expected.start_time,
        expected.end_time,
        expected.active_duration,
    )
    assert [point.state for point in got.timeline] == [point.state for point in expected.timeline]
    assert [point.score for point in got.timeline] == pytest.approx(
        [point.score for point in expected.timeline], rel=1e-4
    )
    assert got.mean_score == expected.mean_score
    assert got.trend == pytest.approx(expected.trend)
    assert list(got.top_errors) == list(expected.top_errors)


def test_after_a_quarter_of_an_hour_without_movement_another_report_begins(reference: Stored) -> None:
    recorder, shelf = Recorder(reference), Shelf()
    for outcome in outcomes(2):
        recorder.feed(outcome)
    for outcome in outcomes(3, start_s=START_S + STILL_S + 60, first=3):
        recorder.feed(outcome)
    shelf.write(recorder.changes())
    assert [report.repetition_count for report in shelf.whole()] == [2, 3]
    assert shelf.whole()[0].end_time.ToMicroseconds() < START_US + 10_000_000


def test_passing_by_is_no_performance() -> None:
    one = Performance()
    for outcome in list(outcomes(1))[:18]:
        one.feed(outcome)
    assert not one.begun


# ---------------------------------------------------------------- in Redis
TIMES, DEPTH = waves(4)
SQUATS = sets([squat(d) for d in DEPTH], TIMES)


async def test_a_report_survives_its_scorer_and_its_session(redis_url: str, eventually: Eventually) -> None:
    cut = len(SQUATS) // 2 + 12

    async def scored(scoring: Running, count: int) -> None:
        async def enough() -> bool:
            return await scoring.scored() >= count

        await eventually(enough, within=60, what=f"{count} sets scored")

    async with running(redis_url) as first:
        stored = await ReferenceStore(first.redis).add(build_template(squats(3), "squat"), "스쿼트", 1)
        sessions = SessionStore(first.redis)
        await sessions.put(SessionConfig("live", reference_id=stored.reference_id))

        async def follows() -> bool:
            raw = await first.redis.hget(keys.scoring_state("live"), "reference")
            return raw is not None and stored.reference_id in raw.decode()

        await eventually(follows, within=60, what="a replica that follows the reference")
        assert not (await first.stub.ListReports(pb.ListReportsRequest())).reports
        await publish(first.redis, SQUATS[:cut])
        await scored(first, cut)
    async with running(redis_url) as second:
        await publish(second.redis, SQUATS[cut:], first=cut + 1)
        await scored(second, len(SQUATS))
        (short,) = (await second.stub.ListReports(pb.ListReportsRequest())).reports
        assert not short.repetitions
        assert not short.timeline
        assert short.open
        assert short.repetition_count == 4
        report = (await second.stub.GetReport(pb.GetReportRequest(session_id="live"))).report
        assert report.report_id == short.report_id
        assert [done.number for done in report.repetitions] == [1, 2, 3, 4]
        assert report.reference_name == "스쿼트"
        assert report.mean_score > 85
        assert report.HasField("trend")
        assert not report.HasField("fatigue")
        lasted_s = (report.end_time.ToMicroseconds() - report.start_time.ToMicroseconds()) / 1e6
        assert len(report.timeline) == pytest.approx(lasted_s, abs=1.01)
        assert pb.TRACKING_STATE_TRACKING in {point.state for point in report.timeline}

        which = pb.DeleteReportRequest(report_id=report.report_id)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await second.stub.DeleteReport(which)
        assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        await SessionStore(second.redis).put(
            SessionConfig("live", reference_id=stored.reference_id, state=SessionState.ENDED)
        )
        again = (await second.stub.GetReport(pb.GetReportRequest(report_id=report.report_id))).report
        assert not again.open
        assert again.repetition_count == 4
        await second.stub.DeleteReport(which)
        for request in (
            pb.GetReportRequest(report_id=report.report_id),
            pb.GetReportRequest(session_id="live"),
            pb.GetReportRequest(),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as missing:
                await second.stub.GetReport(request)
            assert missing.value.code() is grpc.StatusCode.NOT_FOUND
        assert not await second.redis.keys("*:report:*")


def batch(recorder: Recorder, cursor: str = "1-0") -> Batch:
    reports = recorder.changes()
    return Batch(cursor, Note({}, recorder.report_id, reports), [], [])


async def commit(redis: RedisClient, session_id: str, token: int, of: Batch) -> bool:
    """As a scorer does, of one batch."""
    async with aclosing(Ledger(redis, session_id, kept=10, lifetime_s=60)) as ledger:
        return await ledger.commit(token, of)


async def test_reports_are_listed_a_page_at_a_time_and_the_oldest_make_room(
    redis_url: str, reference: Stored
) -> None:
    async with running(redis_url) as scoring:

        async def write(number: int) -> None:
            session_id = f"s{number % 2}"
            await scoring.redis.hset(keys.scoring_lease(session_id), "token", "7")
            recorder = Recorder(reference)
            for outcome in outcomes(1, start_s=START_S + 100 * number):
                recorder.feed(outcome)
            assert await commit(scoring.redis, session_id, 7, batch(recorder))

        for number in range(5):
            await write(number)

        async def listed(session_id: str = "") -> list[int]:
            starts: list[int] = []
            token = ""
            while True:
                page = await scoring.stub.ListReports(
                    pb.ListReportsRequest(session_id=session_id, page_size=2, page_token=token)
                )
                starts += [one.start_time.seconds - START_US // 1_000_000 for one in page.reports]
                token = page.next_page_token
                if not token:
                    return starts

        assert [start // 100 for start in await listed()] == [4, 3, 2, 1, 0]
        assert [start // 100 for start in await listed("s1")] == [3, 1]
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await scoring.stub.ListReports(pb.ListReportsRequest(page_token="junk"))
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT

        # Announced by scorers that lost their lease before they could write: in nobody's list, but they count.
        ghosts = {f"ghost{n}": f'["s0", {START_US + 250_000_000}]' for n in range(MOST_REPORTS - 5)}
        await scoring.redis.hset(keys.REPORTS, mapping=ghosts)
        assert [start // 100 for start in await listed()] == [4, 3, 2, 1, 0]
        await write(5)
        assert [start // 100 for start in await listed()] == [5, 4, 3, 2, 1]
        assert await scoring.redis.hlen(keys.REPORTS) == MOST_REPORTS


async def test_a_superseded_scorer_writes_no_report_and_a_deleted_one_does_not_come_back(
    redis_url: str, reference: Stored
) -> None:
    async with running(redis_url) as scoring:
        await scoring.redis.hset(keys.scoring_lease("s"), "token", "7")
        ledger = Ledger(scoring.redis, "s", kept=10, lifetime_s=60)
        recorder = Recorder(reference)
        frames = list(outcomes(2))
        for outcome in frames[:40]:
            recorder.feed(outcome)
        first = batch(recorder)
        report_id = recorder.report_id
        assert not await commit(scoring.redis, "s", 6, first)
        assert await ledger.report(report_id) is None
        assert await commit(scoring.redis, "s", 7, first)
        assert (await ledger.progress()).report_id == report_id
        # No session of this name is open: the report is over, and may go.
        await scoring.stub.DeleteReport(pb.DeleteReportRequest(report_id=report_id))
        for outcome in frames[40:]:
            recorder.feed(outcome)
        assert await commit(scoring.redis, "s", 7, batch(recorder, "2-0"))
        assert (await ledger.progress()).cursor == "2-0"
        assert await ledger.report(report_id) is None
        assert not await scoring.redis.keys("*:report:*")
